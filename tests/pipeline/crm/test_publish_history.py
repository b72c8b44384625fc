"""What was sent about one lead is told: when, for which scores, with which values, and what the CRM answered."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from features.local_time import local_iso
from pipeline.cli.show_publish_history import show_history, show_runs
from pipeline.crm.promise import Answer, Outcome
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish_history import lead_history, past_runs
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published

ALL = replace(YES, resend=True)


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of its first night, in which nobody is held."""
    made = LittleShop(tmp_path / "shop", leads=40, crm={"crm": {"fields": FIELDS}})
    made.score_all_free(0)
    return made


def run(shop, night=0) -> int:
    """Publish all and return the run's number."""
    return published(shop, ALL, night).run


def told(shop, lead, to=""):
    """Return what is told about a lead, newest first."""
    return lead_history(shop.settings, to, lead, outside=outside(shop)).writes


def shown(shop, lead):
    """Return what is printed about a lead."""
    console = Console(record=True, width=200, file=StringIO())
    show_history(console, lead_history(shop.settings, "", lead, outside=outside(shop)))
    return console.export_text()


def listed(shop):
    """Return what is printed of all runs."""
    console = Console(record=True, width=200, file=StringIO())
    show_runs(console, past_runs(shop.settings, "", outside=outside(shop)))
    return console.export_text()


def test_nothing_is_told_before_anything_was_sent(shop):
    """A lead of which nothing was sent has no history, and no ledger is made by looking."""
    assert told(shop, "nobody") == ()
    assert not (shop.settings.shop.workspace / "ledger.db").exists()


def test_each_write_is_told_with_what_was_sent_and_answered(shop, memory):
    """The newest run comes first; values, scores' moment and the moment of the answer are those of that run."""
    first = run(shop)
    lead = min(memory.records)
    sent_first = dict(memory.records[lead])
    shop.score_all_free(1)
    second = run(shop, night=1)
    zone = shop.settings.shop.time_zone
    newest, oldest = told(shop, lead)
    assert [newest.run, oldest.run] == [second, first]
    assert dict(oldest.values) == sent_first
    assert dict(newest.values) == memory.records[lead]
    assert newest.answered_at == local_iso(outside(shop, 1).now_us(), zone)
    assert oldest.answered_at == local_iso(outside(shop, 0).now_us(), zone)
    assert oldest.as_of < newest.as_of
    assert {newest.state, oldest.state} == {"written"}


def test_what_the_crm_said_is_told(shop, memory):
    """A row that was turned away is told with the CRM's code and words."""
    no = "no such record", "NOT_FOUND"
    memory.on_send = lambda rows: [Answer(row.key, Outcome.REJECTED, *no) for row in rows]
    run(shop)
    (only,) = told(shop, "lead-00000007")
    assert (only.state, only.words, only.code) == ("rejected", *no)


def test_an_undoing_is_told_as_one(shop, memory):
    """What was taken back is told as what it is, in words as well."""
    first = run(shop)
    lead = min(memory.records)
    undo(shop.settings, first, may=lambda _: True, outside=outside(shop))
    newest, oldest = told(shop, lead)
    assert (newest.kind, newest.score, oldest.kind) == ("undo", None, "publish")
    assert shown(shop, lead).count(f"written (undo of {first})") == 1


def test_a_restoring_that_was_turned_away_is_told_as_one(shop, memory):
    """It is no restoring: the CRM's words stand beside what was to be undone."""
    first = run(shop)
    lead = min(memory.records)
    memory.on_send = lambda rows: [Answer(row.key, Outcome.REJECTED, "locked", "LOCKED") for row in rows]
    undo(shop.settings, first, may=lambda _: True, outside=outside(shop))
    assert f"rejected, LOCKED: locked (undo of {first})" in shown(shop, lead)


def test_what_waits_is_pending_until_its_run_is_given_up(shop, memory):
    """A row of a run that newer scores took the place of is sent by nobody any more."""
    memory.on_send = lambda _: (_ for _ in ()).throw(StopError("cut", reason=StopReason.NETWORK))
    first = run(shop)
    assert [one.state for one in told(shop, "lead-00000007")] == ["pending"]
    assert "40 pending" in listed(shop)
    shop.score_all_free(1)
    memory.on_send = lambda _: None
    second = run(shop, night=1)
    assert {one.run: one.state for one in told(shop, "lead-00000007")} == {first: "given up", second: "written"}
    assert "40 = 40 given up" in listed(shop)
    assert "pending" not in listed(shop) + shown(shop, "lead-00000007")


def test_only_that_lead_is_told(shop, memory):
    """Every lead that was written has one write in its history, and it is its own."""
    run(shop)
    for lead, record in memory.records.items():
        (only,) = told(shop, lead)
        assert dict(only.values) == record
