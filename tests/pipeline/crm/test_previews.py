"""A dry run leaves the whole list of what would be written, to be judged before anything is."""

import csv
import json
from dataclasses import replace
from itertools import islice

import pytest

from features.errors import NotFinishedError
from pipeline.crm import previews
from pipeline.stages.publish_history import past_runs
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside
from support.publishing import published as run

LEADS = 60
DRY = replace(YES, is_dry=True)


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of a night in which nobody is held."""
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {"fields": FIELDS}})
    made.score_all_free(0)
    return made


def listed(path):
    """Return the lines of a preview, as texts by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_that_would_be_written_is_listed(shop, memory):
    """Every lead and nobody else, best first, with the very values that are sent afterwards."""
    report = run(shop, DRY)
    lines = listed(report.preview)
    assert report.preview == shop.folder / "workspace" / "previews" / "crm-crm.csv"
    assert [line["lead_id"] for line in lines] == shop.leads.scores(0).sort_by("rank")["lead_id"].to_pylist()
    assert run(shop).preview is None
    assert {line["lead_id"]: json.loads(line["written"]) for line in lines} == memory.records


def test_what_stands_is_listed_beside_what_is_to_stand(shop, memory):
    """Of the leads that change, score, grade and action before and after; who stays as they are is not listed."""
    run(shop)
    shop.score_all_free(1)
    before, now = ({row["lead_id"]: row for row in shop.leads.scores(night).to_pylist()} for night in (0, 1))
    report = run(shop, DRY, night=1)
    lines = listed(report.preview)
    assert 0 < len(lines) == report.tally.pending < LEADS
    for line in lines:
        for name in ("score", "grade", "action"):
            said = [before[line["lead_id"]][name], now[line["lead_id"]][name]]
            assert [line[f"{name}_before"], line[name]] == ["" if one is None else str(one) for one in said]


def test_where_nothing_would_be_written_there_is_no_list(shop, memory):
    """The list of an earlier dry run goes: it is no longer true."""
    path = run(shop, DRY).preview
    run(shop)
    assert run(shop, DRY).preview is None
    assert not path.exists()


def test_a_list_that_cannot_be_written_leaves_nothing_behind(shop, memory, monkeypatch):
    """The list of before stays whole, the ledger forgets the dry run, and nobody was written."""
    path = run(shop, DRY).preview
    held, write = path.read_bytes(), previews.write_rows

    def half(rows):
        yield from islice(rows, LEADS // 2)
        raise NotFinishedError("The disk is full.")

    def full(workspace, place, head, rows):
        return write(workspace, place, head, half(rows))

    monkeypatch.setattr(previews, "write_rows", full)
    with pytest.raises(AssertionError, match="The disk is full"):
        run(shop, DRY)
    assert path.read_bytes() == held
    assert list(path.parent.iterdir()) == [path]
    assert past_runs(shop.settings, "", outside=outside(shop)) == []
    assert memory.sent == []


def test_a_spreadsheet_runs_nothing_of_a_list(shop, memory):
    """An id that looks like a formula is a text."""
    scores = shop.free_scores(1)
    ids = ["=1+1", *scores["lead_id"].to_pylist()[1:]]
    shop.score(1, scores.set_column(scores.column_names.index("lead_id"), "lead_id", [ids]))
    assert "'=1+1" in {line["lead_id"] for line in listed(run(shop, DRY, night=1).preview)}
