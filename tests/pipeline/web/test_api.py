"""Each page's data as JSON, and marks that programs make."""

import pytest

PATHS = ("freshness", "choices", "session", "leads", "movers", "segments", "reports", "model")


@pytest.mark.parametrize("path", PATHS)
def test_each_page_has_its_data(browser, path):
    """Every address answers with JSON, and the schema tells of it."""
    answer = browser.get(f"/api/v1/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert f"/api/v1/{path}" in browser.get("/api/v1/openapi.json").json()["paths"]


def test_pages_by_key_meet_every_lead_once(browser):
    """Going on with `next`, all leads come in order of rank."""
    seen, after = [], ""
    while after is not None:
        page = browser.get(f"/api/v1/leads?size=200&after={after}").json()
        seen += [lead["rank"] for lead in page["leads"]]
        after = page["next"]
    assert seen == list(range(1, 1001))
    assert page["total"] == 1000


def test_a_lead_adds_up(browser):
    """Start and steps make the score; before and after follow each other."""
    for lead in browser.get("/api/v1/leads?size=25").json()["leads"]:
        score = browser.get(f"/api/v1/leads/{lead['key']}").json()["scores"][0]
        start, *steps, end = score["steps"]
        assert start["points"] + sum(step["points"] for step in steps) == end["points"] == lead["score"]
        assert all(step["before"] + step["points"] == step["after"] for step in steps)


def test_history_and_changes_agree(browser):
    """The scores that a change goes from and to are those of the history, and its steps lead from one to the other."""
    key = browser.keys()[2]
    history = browser.get(f"/api/v1/leads/{key}/history").json()
    assert len(history) == 2
    change = browser.get(f"/api/v1/leads/{key}/changes?since=2025-01-14").json()[0]
    assert [change["old_score"], change["new_score"]] == [point["score"] for point in history]
    moved = sum(step["points"] for step in change["steps"]) + change["limits"]
    assert change["old_score"] + moved == change["new_score"]
    answer = browser.get(f"/api/v1/leads/{key}/changes?since=2001-01-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_older_run")
    part = browser.get(f"/leads/{key}/changes", headers={"HX-Request": "true"}).text
    assert "Score then" in part
    assert "What the lead did" in part


def test_a_search_goes_by_post(writer):
    """The text comes in the body; an address has no place for it."""
    name = writer.get("/api/v1/leads").json()["leads"][0]["display_name"]
    found = writer.call("/api/v1/leads/search", {"text": name, "size": 25}).json()
    assert name in {lead["display_name"] for lead in found["leads"]}
    assert writer.get(f"/api/v1/leads?text={name}").status_code == 422


def test_marks_are_rows(writer):
    """A hold counts at once, in the list too; taken back, it stays told and counts no longer."""
    lead = writer.get("/api/v1/leads?held=no").json()["leads"][0]
    path = f"/api/v1/leads/{lead['key']}/marks"
    made = writer.call(path, {"kind": "hold", "until": "2025-02-03", "reason": "asked for March", "owner": "rui"})
    assert made.status_code == 201
    mark = made.json()[0]
    assert (mark["by"], mark["owner"], mark["until"]) == ("local", "rui", "2025-02-04T05:00:00Z")
    assert "override" in writer.get(f"/api/v1/leads/{lead['key']}").json()["held"]
    listed = {held: writer.get(f"/api/v1/leads?held={held}").json() for held in ("yes", "no")}
    assert lead["key"] in {one["key"] for one in listed["yes"]["leads"]}
    assert lead["key"] not in {one["key"] for one in listed["no"]["leads"]}
    assert listed["yes"]["total"] + listed["no"]["total"] == writer.get("/api/v1/leads").json()["total"]
    assert writer.call(f"{path}/{mark['number']}/withdraw", {}).json()[0]["is_withdrawn"]
    assert writer.get(f"/api/v1/leads/{lead['key']}").json()["held"] == []
    assert writer.get("/api/v1/leads?held=no").json()["leads"][0]["key"] == lead["key"]
    assert writer.call(f"{path}/999/withdraw", {}).status_code == 400


def test_what_was_marked_reaches_the_next_run(writer, own_settings):
    """The lead that somebody held in the app is held in the scores of the next run."""
    from datetime import UTC, datetime, timedelta

    from pipeline.score_store import ScoreStore
    from pipeline.stages.score import score
    from pipeline.workspace import Workspace

    lead = writer.get("/api/v1/leads?held=no").json()["leads"][0]
    writer.call(f"/api/v1/leads/{lead['key']}/marks", {"kind": "hold", "reason": "later"})
    now = datetime(2025, 1, 20, 9, 30, tzinfo=UTC) + timedelta(hours=1)
    score(own_settings, as_of=datetime(2025, 1, 21), scored_at=now + timedelta(days=1))
    store = ScoreStore(Workspace(own_settings.shop.workspace))
    row = store.read_lead(store.published(), lead["lead_id"]).to_pylist()[0]
    assert "override" in row["held"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("sort=shoe", 422), ("size=7", 400), ("after=x", 400), ("after=rank~1&before=rank~9", 400), ("held=x", 422)],
)
def test_nonsense_is_refused_in_one_form(browser, query, status):
    """Whatever is wrong, the error has a code, a sentence and its details."""
    answer = browser.get(f"/api/v1/leads?{query}")
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "details"}
