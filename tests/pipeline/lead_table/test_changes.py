"""What changed in a table of leads: it keeps no history, so only what is known of a lead, or the model, can have."""

from datetime import UTC, datetime

import pytest

from models import what_changed as why
from pipeline.changes import all_changes, what_changed
from pipeline.score_store import ScoreStore
from pipeline.stages.score import score

CARD = """
base: 5
rules:
  - {name: came by an advert, group: fit, points: 20, attribute: source, is: ads}
  - {name: small, group: fit, points: -8, attribute: employees, below: 5}
"""
HEAD = "id,created,source,employees,won"
THEN = ["a,2024-01-01,ads,10,yes", "c,2024-01-03,ads,4,", "d,2024-01-04,mail,9,", "e,2024-01-05,web,9,"]
NOW = ["a,2024-01-01,ads,10,yes", "c,2024-01-03,ads,40,", "d,2024-01-04,ads,2,", "e,2024-01-05,web,9,yes",
       "f,2024-01-06,ads,9,"]  # fmt: skip


@pytest.fixture
def scored(leads):
    """Return a table that was scored, loaded again with other values and scored again; and both runs."""
    leads.more = {"points": {"card": "points.yaml"}}
    (leads.folder / "points.yaml").write_text(CARD)
    runs = []
    for day, rows in (("2024-06-01", THEN), ("2024-06-08", NOW)):
        leads.write(HEAD, *rows)
        leads.ingest(day)
        report = score(leads.settings(), scored_at=datetime.fromisoformat(day).replace(tzinfo=UTC))
        runs += [run for run in ScoreStore(leads.workspace).runs() if run not in runs]
        assert report.model_version == runs[-1].model_version
    return leads, *runs


def steps_of(row):
    """Return a row's steps in whole points."""
    return tuple(row[name] // 100 for name in why.STEPS)


def test_only_what_is_known_of_a_lead_moves_its_score(scored):
    """Time and activity are nothing, the facts bear the whole difference; who left and who came is said."""
    leads, old, new = scored
    found = {row["lead_id"]: row for row in all_changes(leads.settings(), old, new).to_pylist()}
    assert {lead: row["why_not"] for lead, row in found.items()} == {
        "c": None, "d": None, "e": why.NOT_SCORED_NOW, "f": why.NOT_SCORED_THEN
    }  # fmt: skip
    assert steps_of(found["c"]) == (0, 0, 8, 0)
    assert steps_of(found["d"]) == (0, 0, 20 - 8, 0)
    alone = what_changed(leads.settings(), "d", None, old=old, new=new)
    assert alone.shown.lines == (0, 0, 12, 0)
    assert (alone.shown.old, alone.shown.new) == (5, 17)


def test_a_value_that_was_changed_after_the_score_leaves_the_total(scored):
    """The table keeps the newest values alone: where they are no longer those of the score, it says so."""
    leads, old, new = scored
    leads.write(HEAD, *[row.replace("c,2024-01-03,ads,40", "c,2024-01-03,ads,3") for row in NOW])
    leads.ingest("2024-06-09")
    found = {row["lead_id"]: row for row in all_changes(leads.settings(), old, new).to_pylist()}
    assert found["c"]["why_not"] == why.ROWS_CHANGED_NOW
    assert what_changed(leads.settings(), "c", None, old=old, new=new).shown.lines == (8,)
    assert steps_of(found["d"]) == (0, 0, 12, 0)


def test_an_attribute_that_is_gone_leaves_the_total(scored):
    """Without a column that the card reads nothing can be read again."""
    leads, old, new = scored
    leads.table["attributes"] = {"source": "text"}
    leads.write("id,created,source,won", *[",".join([*row.split(",")[:3], row.split(",")[4]]) for row in NOW])
    leads.ingest("2024-06-09", rebuild=True)
    alone = what_changed(leads.settings(), "c", None, old=old, new=new)
    assert alone.steps is None
    assert alone.shown.lines == (8,)
