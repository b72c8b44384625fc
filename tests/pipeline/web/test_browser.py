"""The app in a real browser: what a marketer does in the morning, by mouse, keyboard and phone, and what axe finds."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(os.environ.get("LEADLIGHT_CHECKOUT", Path(__file__).parents[3])) / "build" / "screenshots"
expect.set_options(timeout=20_000)  # the machine of a parallel run is a busy one
PAGES = ("/leads", "/movers", "/segments", "/reports", "/model", "/points")


@pytest.fixture(scope="module")
def chromium():
    """Return a running Chromium; where none is installed, tests say so."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Return a function that opens a window on an address; at the end nothing may have been refused by the policy."""
    contexts, said = [], []

    def open_window(address, *, width=1280, height=800, scheme="light", locale="en-GB", **rest):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale, base_url=address, **rest
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert [text for text in said if "Content Security Policy" in text or "Error" in text] == []


@pytest.fixture
def shared(served, app_of, shared_settings):
    """Return the address of the shared shop's app."""
    return served(app_of(shared_settings))


def keep(page, name, **rest):
    """Keep a screenshot beside the build, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", **rest)


def count(page) -> int:
    """Return how many leads the list says there are."""
    return int(page.locator("#count b").inner_text().replace(",", ""))


def test_a_lead_is_found_and_its_score_read(shared, open_page):
    """By part of a name, which no address holds; the sum on its page ends in the score of the list."""
    page = open_page(shared)
    page.goto("/leads")
    name = page.locator(".row-link").nth(6).inner_text()
    with page.expect_response("**/leads"):
        page.locator("#q").press_sequentially(name.split()[0].lower())
    expect(page.locator("#count b")).not_to_have_text("1,000")
    assert page.url == f"{shared}/leads"
    row = page.locator("tr", has=page.get_by_role("link", name=name, exact=True)).first
    score = row.locator(".score").inner_text()
    row.get_by_role("link").click()
    page.get_by_role("heading", name="Why this score").wait_for()
    lines = page.locator(".waterfall tbody tr")
    points = [int(text.replace("−", "-")) for text in lines.locator("td.right").all_inner_texts()]
    assert sum(points[:-1]) == points[-1] == int(score)
    page.locator(".timeline li").first.wait_for()
    keep(page, "lead", full_page=True)
    page.get_by_role("link", name="All leads").click()
    # The way back finds the search again, though no address held it.
    expect(page.locator("#q")).not_to_have_value("")
    expect(page.locator("#count b")).not_to_have_text("1,000")


def test_leaving_the_search_field_asks_nothing_more(shared, open_page):
    """What was typed is found already: a list that is swapped under the mouse loses the click on a lead."""
    page = open_page(shared)
    page.goto("/leads")
    with page.expect_response("**/leads"):
        page.locator("#q").fill("a")
    expect(page.locator("#count b")).not_to_have_text("1,000")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#q").blur()
    page.wait_for_timeout(500)
    assert asked == []
    page.get_by_label("Grade B").check()
    page.wait_for_url("**/leads?grade=B")


def test_a_click_is_not_lost_to_a_search_that_is_under_way(shared, open_page):
    """The list stays as it is while the mouse is down, and the lead under it opens."""
    page = open_page(shared)
    page.goto("/leads")
    row = page.locator(".row-link").nth(3)
    meant = row.get_attribute("href")
    page.locator("#q").press_sequentially("a")
    box = row.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(1_000)  # the search is asked for, and would have been answered
    assert row.get_attribute("href") == meant
    page.mouse.up()
    page.wait_for_url(f"**{meant}")


def test_an_answer_that_comes_while_the_mouse_is_down_is_not_shown_under_it(shared, open_page):
    """A search that was asked for already is given up, and asked again when the mouse is up."""
    page = open_page(shared)
    page.goto("/leads")
    asked = []

    def slowly(route):
        asked.append(route.request.url)
        page.wait_for_timeout(600)
        route.continue_()

    page.route("**/leads", slowly)
    row = page.locator(".row-link").nth(3)
    meant, box = row.get_attribute("href"), row.bounding_box()
    page.locator("#q").press_sequentially("a")
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    assert len(asked) == 1
    page.mouse.down()
    page.wait_for_timeout(1_500)
    assert row.get_attribute("href") == meant
    page.mouse.move(5, 5)
    page.mouse.up()
    expect(page.locator("#count b")).not_to_have_text("1,000")
    assert len(asked) == 2


def test_a_search_is_made_up_for_when_a_click_comes_to_nothing(shared, open_page):
    """What was put off while the mouse was down is asked when it is up, here far from where it went down."""
    page = open_page(shared)
    page.goto("/leads")
    page.locator("#q").press_sequentially("a")
    box = page.locator("tbody .c-why").first.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.wait_for_timeout(1_000)
    page.mouse.move(5, 5)
    page.mouse.up()
    expect(page.locator("#count b")).not_to_have_text("1,000")


def test_filters_narrow_the_list_and_stand_in_the_address(shared, open_page):
    """A click on a grade and a next action changes list, count and address; the browser's way back undoes it."""
    page = open_page(shared)
    page.goto("/leads")
    keep(page, "leads")
    page.get_by_label("Grade B").check()
    page.wait_for_url("**/leads?grade=B")
    graded = count(page)
    assert 0 < graded < 1000
    assert {text.split()[-1] for text in page.locator("tbody .grade").all_inner_texts()} == {"B"}
    page.get_by_text("More filters").click()
    page.get_by_label("Source").select_option(label=page.get_by_label("Source").locator("option").nth(1).inner_text())
    page.wait_for_url("**/leads?grade=B&source=*")
    expect(page.locator("#count b")).not_to_have_text(f"{graded:,}")
    page.evaluate("history.back()")
    expect(page.locator("#count b")).to_have_text(f"{graded:,}")
    page.wait_for_load_state()
    page.evaluate("history.back()")
    expect(page.locator("#count b")).to_have_text("1,000")


def test_the_list_is_paged_and_sorted(shared, open_page):
    """Next shows the next 50 and back the first ones; a column's button sorts and says so to screen readers."""
    page = open_page(shared)
    page.goto("/leads")
    first = page.locator(".row-link").first.get_attribute("href")
    page.get_by_role("button", name="Next page").click()
    page.wait_for_url("**/leads?after=*")
    assert page.locator("tbody .c-rank").first.inner_text() == "51"
    page.get_by_role("button", name="Better leads").click()
    expect(page.locator("tbody .c-rank").first).to_have_text("1")
    assert page.locator(".row-link").first.get_attribute("href") == first
    page.get_by_role("button", name="Change").click()
    page.wait_for_url("**/leads?sort=-change")
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Change")
    assert page.locator("#sort").input_value() == "-change"


def test_what_is_shown_is_what_is_exported(shared, open_page):
    """The file holds as many leads as the list says, under the same filters and the same search."""
    page = open_page(shared)
    page.goto("/leads?temperature=hot")
    page.locator("#q").fill("a")
    page.locator(".export [name=text]").wait_for(state="attached")
    wanted = count(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    assert download.value.suggested_filename == "leads_2025-01-20.csv"
    assert len(text.splitlines()) == wanted + 1
    assert text.startswith("rank,lead_id,display_name")


@pytest.mark.parametrize(
    ("locale", "title"), [("pt-PT", "Leads de hoje"), ("pl-PL", "Dzisiejsze leady"), ("ro-RO", "Leadurile de astăzi")]
)
def test_the_browser_s_language_is_spoken(shared, open_page, locale, title):
    """Titles, reasons and numbers are those of the browser's language."""
    page = open_page(shared, locale=locale)
    page.goto("/leads")
    assert page.locator("h1").inner_text() == title
    assert "in the last" not in page.locator("tbody").inner_text()
    keep(page, f"leads-{locale[:2]}")


def test_another_language_is_chosen(shared, open_page):
    """The choice stays, and leads back to the same page."""
    page = open_page(shared)
    page.goto("/reports")
    page.locator(".drop summary").click()
    page.get_by_role("button", name="Polski").click()
    page.get_by_role("heading", name="Raporty").wait_for()
    page.goto("/leads")
    assert page.locator("html").get_attribute("lang") == "pl-PL"


def test_a_lead_is_held_and_taken_back(served, app_of, own_settings, open_page):
    """A hold with owner, day and reason stands on the page and in the list at once; taken back, it is told and gone."""
    page = open_page(served(app_of(own_settings)))
    page.goto("/leads?held=no")
    name = page.locator(".row-link").first.inner_text()
    page.locator(".row-link").first.click()
    page.get_by_text("Hold this lead").click()
    page.get_by_label("Reason", exact=True).fill("Asked to be called in March")
    page.get_by_role("button", name="Hold", exact=True).click()
    page.get_by_role("status").filter(has_text="The lead is held").wait_for()
    assert "Leave alone" in page.locator(".next").inner_text()
    assert "Asked to be called in March" in page.locator("#marks").inner_text()
    keep(page, "held")
    page.goto("/leads")
    row = page.locator("tr", has=page.get_by_role("link", name=name, exact=True)).first
    assert "Held by a colleague" in row.inner_text()
    row.get_by_role("link").click()
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("status").filter(has_text="Taken back").wait_for()
    assert "Leave alone" not in page.locator(".next").inner_text()


def test_whoever_has_no_password_is_refused(served, app_of, shared_settings, open_page):
    """A wrong password is told, the right one leads to the page that was asked for, and the log-out ends it."""
    from argon2 import PasswordHasher

    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("right horse battery")
    environment = {"LEADLIGHT_USERS": f"ann:{cheap}", "LEADLIGHT_SECRET_KEY": "s" * 40}
    page = open_page(served(app_of(shared_settings, environment=environment)))
    page.goto("/segments")
    assert "/login?next=" in page.url
    keep(page, "login")
    for password in ("wrong", "right horse battery"):
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        if password == "wrong":
            page.get_by_role("alert").filter(has_text="do not go together").wait_for()
    page.get_by_role("heading", name="Segments").wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Log in").wait_for()
    page.goto("/leads")
    assert "/login" in page.url


def test_the_keyboard_is_enough(shared, open_page):
    """Tab leads to the skip link first, / to the search; the space bar sets a filter and Enter opens a lead."""
    page = open_page(shared)
    page.goto("/leads")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url("**/leads?grade=A")
    page.locator(".row-link").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Why this score").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(shared, open_page, scheme):
    """No page has a fault that axe calls serious or critical, in light or in dark."""
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(shared, scheme=scheme, bypass_csp=True)  # axe is a script that the policy would stop
    page.goto("/leads")
    lead = page.locator(".row-link").first.get_attribute("href")
    found = []
    for path in (*PAGES, lead, "/leads?grade=A&stage=visitor", "/nowhere"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        if path == lead:
            page.get_by_text("Hold this lead").click()
        faults = Axe().run(page).response["violations"]
        found += [
            (path, fault["id"], [node["html"][:200] for node in fault["nodes"]][:3])
            for fault in faults
            if fault["impact"] in ("serious", "critical")
        ]
        keep(page, f"{path.strip('/').partition('?')[0].replace('/', '-') or 'first'}-{scheme}"[:40])
    assert found == []


@pytest.mark.parametrize("width", [320, 360, 768, 1920])
def test_nothing_is_cut_off_at_any_width(shared, open_page, width):
    """From a small phone to a wide screen no page is wider than the screen."""
    page = open_page(shared, width=width, height=780)
    page.goto("/leads")
    lead = page.locator(".row-link").first.get_attribute("href")
    for path in (*PAGES, lead):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        if path in ("/leads", lead):
            keep(page, f"{'lead' if path == lead else 'leads'}-{width}")


def test_pages_print_without_what_is_for_screens(shared, open_page):
    """On paper there is no menu, no filter and no button, and the list keeps its head."""
    page = open_page(shared)
    page.goto("/leads")
    page.emulate_media(media="print")
    for gone in (".menu", ".filters", ".pager"):
        assert not page.locator(gone).first.is_visible()
    assert page.locator("thead").is_visible()
    keep(page, "leads-print")


def test_pages_work_without_scripts(shared, open_page):
    """Where scripts are off, filters, search, paging and the timeline are forms and links."""
    page = open_page(shared, java_script_enabled=False)
    page.goto("/leads")
    page.get_by_label("Grade A").check()
    page.get_by_role("button", name="Show", exact=True).click()
    assert 0 < count(page) < 1000
    page.get_by_role("button", name="Next page").click()
    assert page.locator("tbody .c-rank").first.inner_text() == "51"
    page.locator(".row-link").first.click()
    page.get_by_role("link", name="What was known of this lead").click()
    assert page.locator(".timeline li").count() > 0
