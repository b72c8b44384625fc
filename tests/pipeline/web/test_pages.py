"""What pages show: the list, a lead, segments, reports, the model, the points card; and what they say when empty."""

import os
import re

import pytest

PAGES = ("/leads", "/movers", "/segments", "/reports", "/model", "/points")


def rows(page):
    """Return the texts of the list's rows."""
    return re.findall(r"<tr role=\"row\"[^>]*>(.*?)</tr>", page.text.partition("<tbody")[2], re.DOTALL)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_tells_how_old_its_scores_are(browser, path):
    """Each page names the moment of the scores, until when the data reach, and who scored."""
    page = browser.get(path)
    assert page.status_code == 200
    for said in ("Scores as of", "data until", "scored", "20 Jan 2025", "1-c0ffee00"):
        assert said in page.text.replace("Jan 20, 2025", "20 Jan 2025")


def test_the_list_begins_with_the_best(browser):
    """The first page holds 50 leads in order of rank, each with its score, grade, reason and next action."""
    page = browser.get("/leads")
    found = rows(page)
    assert len(found) == 50
    ranks = [int(re.search(r"c-rank[^>]*>(\d+)<", row)[1]) for row in found]
    assert ranks == list(range(1, 51))
    assert all('class="grade grade-' in row and "c-next" in row for row in found)
    assert '<b class="num">1,000</b> leads' in page.text


def test_pages_follow_each_other_without_gap_or_repetition(browser):
    """Going on by the keys of neighbouring pages, every lead is met once, and the way back is the same."""
    seen, path, first_pages = [], "/leads?size=200", []
    while path:
        page = browser.get(path)
        first_pages.append(browser.keys(path))
        seen += first_pages[-1]
        found = re.search(r'name="after" value="([^"]+)"', page.text)
        path = f"/leads?size=200&after={found[1]}" if found else ""
    assert len(seen) == len(set(seen)) == 1000
    back = re.search(r'name="before" value="([^"]+)"', page.text)[1]
    assert browser.keys(f"/leads?size=200&before={back}") == first_pages[-2]


def test_filters_leave_what_fits_all_of_them(browser):
    """Two filters narrow each other, and the count says how many are left."""
    page = browser.get("/leads?grade=A&temperature=hot&size=200")
    assert rows(page)
    assert all("grade-a" in row for row in rows(page))
    count = int(re.search(r'<b class="num">([\d,]+)</b>', page.text)[1].replace(",", ""))
    assert 0 < count < 1000
    assert f'<b class="num">{count}</b>' in browser.get("/leads?temperature=hot&grade=A&grade=A&size=200").text


def test_a_search_finds_by_part_of_a_name_and_stands_in_no_address(browser):
    """The text goes by POST; the address that the browser is given holds the filters and not the text."""
    name = re.search(r'row-link" href="[^"]+"><bdi>([^<]+)<', browser.get("/leads").text)[1]
    part = browser.post("/leads", {"text": name.lower()[:-1], "grade": "A"}, headers={"HX-Request": "true"})
    assert name in part.text
    assert "<html" not in part.text
    assert part.headers["HX-Push-Url"] == "/leads?grade=A"


def test_a_list_that_nobody_fits_says_what_to_do(browser):
    """An empty list offers the way back to everyone."""
    page = browser.post("/leads", {"text": "nobody is called so"})
    assert "No lead matches" in page.text
    assert 'href="/leads"' in page.text


def test_a_lead_is_told_as_a_sum(browser):
    """From the start over every reason, everything else and the limits of the scale, the lines make the score."""
    for key in browser.keys("/leads?size=25")[:5] + browser.keys("/leads?sort=-rank&size=25")[:5]:
        page = browser.get(f"/leads/{key}").text
        body = page.partition("waterfall")[2].partition("</table>")[0]
        steps = re.findall(r'class="w-(\w+)">.*?<td role="cell" class="right num">(.*?)</td>', body, re.DOTALL)
        numbers = [
            (kind, int(re.sub(r"<[^>]+>|−", lambda m: "-" if m[0] == "−" else "", text))) for kind, text in steps
        ]
        assert numbers[0] == ("start", 50)
        assert numbers[-1][0] == "score"
        assert sum(points for _, points in numbers[:-1]) == numbers[-1][1]


def test_a_leads_timeline_is_read_on_demand(browser):
    """The page asks for the timeline, and is given what was known of the lead."""
    key = browser.keys()[0]
    assert f'hx-get="/leads/{key}/timeline"' in browser.get(f"/leads/{key}").text
    part = browser.get(f"/leads/{key}/timeline", headers={"HX-Request": "true"})
    assert part.text.count("<li>") > 3
    assert "<html" in browser.get(f"/leads/{key}/timeline").text


def test_an_address_of_nobody_is_a_page_that_leads_back(browser):
    """A key that no lead has, and one that cannot be a key, end in the same 404."""
    for key in ("0000000000000", "ann@shop.example", "x" * 500):
        page = browser.get(f"/leads/{key}")
        assert page.status_code == 404
        assert "This lead is not in the scores shown" in page.text
        assert "ann@shop.example" not in page.text


def test_who_moved_is_compared_with_the_run_before(browser):
    """Rises are rises and falls are falls, greatest first."""
    page = browser.get("/movers").text
    for section, sign in (("risers", "+"), ("fallers", "-")):
        part = page.partition(f'aria-labelledby="{section}"')[2].partition("</section>")[0]
        moves = [int(text) for text in re.findall(rf"</span>([{sign}]\d+)<", part)]
        assert moves
        assert [abs(move) for move in moves] == sorted([abs(move) for move in moves], reverse=True)


def test_reports_add_up(browser):
    """The leads of all grades are all leads."""
    part = browser.get("/reports").text.partition('id="by-grade"')[2].partition("</table>")[0]
    counts = [int(number.replace(",", "")) for number in re.findall(r'class="right num">([\d,]+) <small', part)]
    assert sum(counts) == 1000


def test_the_models_page_leads_to_card_and_certificate(browser):
    """Both pages open, with their own styles allowed by hash and nothing else."""
    assert "champion" in browser.get("/model").text
    for name in ("card", "certificate"):
        page = browser.get(f"/model/1-c0ffee00/{name}")
        assert "Model card" in page.text
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
    assert browser.get("/model/nobody/card").status_code == 404
    assert browser.get("/model/1-c0ffee00/plots/../../x").status_code == 404


def test_old_data_are_warned_of(browse, app_of, shared_settings):
    """Beyond the age that the config allows, every page says so and what to do; within it, none does."""
    fresh = browse(app_of(shared_settings)).get("/reports").text
    old = browse(app_of(shared_settings, max_data_age_hours=1)).get("/reports").text
    assert "leadlight ingest" in old
    assert 'class="stale"' in old
    assert 'class="stale"' not in fresh


def test_a_shop_without_scores_says_what_to_do(browse, app_of, own_settings):
    """A workspace without scores, or without anything, ends in a page that names the next step."""
    import shutil

    shutil.rmtree(own_settings.shop.workspace / "scores")
    page = browse(app_of(own_settings)).get("/leads")
    assert page.status_code == 503
    assert "run `leadlight score` first" in page.text
    shutil.rmtree(own_settings.shop.workspace)
    app = app_of(own_settings)
    assert "There is nothing to show yet" in browse(app).get("/leads").text
    assert browse(app).get("/api/v1/leads").json()["error"]["code"] == "not_ready"


def test_damaged_scores_are_told_as_such(browse, app_of, own_settings):
    """A file that is cut short ends in a page that says how it is written anew, and in an error for programs."""
    for file in (own_settings.shop.workspace / "scores").rglob("list.*"):
        file.write_bytes(file.read_bytes()[:100])
    browser = browse(app_of(own_settings))
    page = browser.get("/leads")
    assert page.status_code == 503
    assert "leadlight score" in page.text
    assert browser.get("/api/v1/leads").json()["error"]["code"] == "damaged"


CARD = """
base: 10
rules:
  - {name: Any order, group: engagement, points: 20, table: orders, within: ever, per: once}
  - {name: Seen lately, group: engagement, points: 5, cap: 15, table: sessions, within: 28}
  - {name: Referred, group: fit, points: 8, attribute: signup_source, is: referral}
"""


def test_the_points_card_is_read_and_tried_on_a_lead(browse, app_of, shared_settings, tmp_path):
    """Its rules stand on the page; on a lead they add up from the base on, in the page as in JSON."""
    (tmp_path / "points.yaml").write_text(CARD)
    points = shared_settings.points.model_copy(update={"card": tmp_path / "points.yaml"})
    browser = browse(app_of(shared_settings.model_copy(update={"points": points})))
    card = browser.get("/points")
    assert (card.status_code, "Seen lately" in card.text) == (200, True)
    lead = browser.get("/api/v1/leads").json()["leads"][0]
    offered = browser.post("/points", {"text": lead["lead_id"]}).text
    assert f'href="/points?lead={lead["key"]}#try"' in offered
    page = browser.get(f"/points?lead={lead['key']}").text
    body = page.partition("waterfall")[2].partition("</table>")[0]
    numbers = [int(re.sub(r"<[^>]+>", "", text)) for text in re.findall(r'class="right num">(.*?)</td>', body)]
    assert numbers[0] == 10
    assert sum(numbers[:-1]) == numbers[-1]
    tried = browser.get(f"/api/v1/points-card/leads/{lead['key']}").json()
    assert tried["score"] == numbers[-1]
    assert browser.get("/api/v1/points-card").json()["base"] == 10


def test_a_shop_without_a_card_is_told_how_to_get_one(browser):
    """The page names the command; programs get a 404."""
    assert "leadlight points init" in browser.get("/points").text
    assert browser.get("/api/v1/points-card").status_code == 404
    assert browser.get(f"/api/v1/points-card/leads/{browser.keys()[0]}").status_code == 404


def test_a_file_that_breaks_off_is_no_export(browse, app_of, own_settings):
    """Where the list cannot be read the export says so, and is not taken for a list without leads."""
    browser = browse(app_of(own_settings))
    browser.get("/leads")
    for file in (own_settings.shop.workspace / "scores").rglob("list.arrow"):
        os.truncate(file, 100)
    assert browser.post("/leads/export").status_code == 503
