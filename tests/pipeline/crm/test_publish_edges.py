"""Where runs, holds and undoings meet: who left, what may have arrived, what a later run wrote."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.crm.trouble import RetryError, StopError, StopReason
from pipeline.stages.publish import publish
from pipeline.stages.publish_history import past_runs
from support.clock import Clock
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside
from support.publishing import published as run


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of its first night, in which nobody is held."""
    made = LittleShop(tmp_path / "shop", leads=60, crm={"crm": {"fields": FIELDS}})
    made.score_all_free(0)
    return made


def without(scores, *leads):
    """Return scores without some leads, as a cohort that they left would have it."""
    return scores.filter(pc.invert(pc.is_in(scores["lead_id"], value_set=pa.array(leads))))


def test_who_left_the_run_keeps_no_old_score(shop, memory):
    """A lead that bought, or whose campaign ended, is no longer in the run: its properties are emptied, once."""
    run(shop)
    gone = shop.leads.ids[7].as_py()
    shop.score(1, without(shop.free_scores(0), gone))
    memory.sent.clear()
    report = run(shop, night=1)
    assert memory.sent == [[gone]]
    assert set(memory.records[gone].values()) == {None}
    assert (report.tally.given, report.tally.written) == (60, 1)
    (moved,) = report.movements
    assert (moved.now, moved.leads) == ("–", 1)
    assert run(shop, night=1).tally.given == 59


def test_a_shop_may_keep_the_scores_of_who_left(shop, memory):
    """With `keep_leavers` a lead that is no longer scored keeps its last score."""
    shop.configure({"crm": {"fields": FIELDS, "keep_leavers": True}})
    run(shop)
    gone = shop.leads.ids[7].as_py()
    shop.score(1, without(shop.free_scores(0), gone))
    held = dict(memory.records[gone])
    run(shop, night=1)
    assert memory.records[gone] == held


def test_filters_empty_nobody(shop, memory):
    """Who is not asked for has not left."""
    run(shop)
    before = {key: dict(record) for key, record in memory.records.items()}
    run(shop, replace(YES, filters=replace(YES.filters, limit=5)))
    assert memory.records == before


def test_a_held_lead_that_left_is_left_alone(shop, memory):
    """Nobody writes to a held lead, not even to empty it."""
    from pipeline.marks import marks_of

    run(shop)
    gone = shop.leads.ids[7].as_py()
    held = dict(memory.records[gone])
    marks_of(shop.settings, {}).hold(gone, by="ana", at=shop.morning(0))
    shop.score(1, without(shop.free_scores(0), gone))
    assert run(shop, night=1).tally.held == 1
    assert memory.records[gone] == held


def test_who_may_have_been_written_before_it_was_held_is_unsure(shop, memory):
    """A lead held after its batch went out is written anew when the hold ends, whatever the ledger knew before."""
    from pipeline.marks import marks_of

    run(shop)
    shop.score_all_free(1)
    memory.on_send = memory.takes_and_is_cut
    memory.sent.clear()
    run(shop, night=1)
    lead = memory.sent[0][0]
    marks = marks_of(shop.settings, {})
    mark = marks.hold(lead, by="ana", at=shop.morning(1))
    memory.on_send = lambda _: None
    run(shop, night=1, hours=1)
    marks.withdraw(mark, by="ana", at=shop.morning(1) + timedelta(hours=2), lead_id=lead)
    # The scores of the first night again: the ledger holds them for this lead, the CRM those of the second.
    shop.score(2, shop.free_scores(0))
    run(shop, night=2)
    scores = {row["lead_id"]: row["score"] for row in shop.leads.scores(0).to_pylist()}
    assert memory.records[lead]["leadlight_score"] == scores[lead]


def test_who_left_after_a_batch_that_nobody_heard_of_is_emptied(shop, memory):
    """A lead that may have been written, though the ledger knows of nothing, keeps no score when it leaves the run."""
    memory.on_send = memory.takes_and_is_cut
    run(shop)
    gone = min(memory.records)
    memory.on_send = lambda _: None
    shop.score(1, without(shop.free_scores(0), gone))
    run(shop, night=1)
    assert set(memory.records[gone].values()) == {None}


def test_jobs_end_before_a_lead_is_left_alone(shop, memory):
    """A job that carries a lead which is to be left alone by now is abandoned before anything else is sent."""
    from pipeline.marks import marks_of

    def send(rows, ticket):
        ticket.keep("job of " + rows[0].key)
        raise StopError("killed", reason=StopReason.NETWORK)

    usual, memory.send = memory.send, send
    run(shop)
    first = shop.leads.scores(0).sort_by("rank")["lead_id"][0].as_py()
    marks_of(shop.settings, {}).hold(first, by="ana", at=shop.morning(0))
    memory.send = usual
    run(shop, hours=1)
    assert memory.abandoned == [f"job of {first}"]
    assert first not in memory.records


def test_a_job_that_does_not_end_stops_the_run_and_all_is_accounted_for(shop, memory):
    """Whoever is left alone by now is not written, and what was written before is told."""
    from pipeline.marks import marks_of

    usual = memory.send

    def send(rows, ticket):
        if len(memory.sent) == 2:
            ticket.keep("job")
            raise StopError("killed", reason=StopReason.NETWORK)
        return usual(rows, ticket)

    def abandon(_):
        raise StopError("the job does not end", reason=StopReason.NETWORK)

    memory.at_once, memory.send = 1, send
    before = run(shop).tally
    on_its_way = shop.leads.scores(0).sort_by("rank")["lead_id"][2 * memory.size].as_py()
    marks_of(shop.settings, {}).hold(on_its_way, by="ana", at=shop.morning(0))
    memory.send, memory.abandon = usual, abandon
    report = run(shop, hours=1)
    assert "does not end" in report.stopped
    assert (report.exit_code, report.tally.written) == (3, before.written)
    assert on_its_way not in memory.records


@pytest.mark.parametrize("goes_on", [True, False], ids=["taken up again", "given up"])
def test_nothing_is_sent_before_a_call_that_was_cut_short_has_settled(shop, memory, goes_on):
    """However long ago its batch was handed out, the last try may have gone out just now."""
    memory.on_send = memory.takes_and_is_cut
    run(shop)
    clock, slept_first = Clock(), []
    memory.on_send = lambda _: slept_first.append(list(clock.slept))
    if not goes_on:
        shop.score_all_free(1)
    run(shop, night=0 if goes_on else 1, hours=5, clock=clock)
    assert slept_first[0] == [10]


def test_a_connector_s_trouble_is_waited_out_as_it_asks(shop, memory):
    """All rows may go later: the sender waits as long as the CRM asks and sends again, within one run."""
    clock, calls = Clock(), []

    def twice(rows):
        calls.append(len(rows))
        if len(calls) < 3:
            raise RetryError("busy", after_s=7)

    memory.on_send, memory.at_once = twice, 1
    assert run(shop, clock=clock, most_s=1_000).exit_code == 0
    assert clock.slept == [7, 7]


def test_a_target_whose_values_are_gone_is_noticed(shop, memory):
    """A database restored from before the first run has the records, and nothing of what was written."""
    run(shop)
    for record in memory.records.values():
        record.update(dict.fromkeys(record))
    report = publish(shop.settings, YES, outside=outside(shop))
    assert "--resend" in report.failures[0].message


@pytest.mark.parametrize("wish", [replace(YES, resend=True), replace(YES, retry_rejected=True)])
def test_another_wish_plans_anew(shop, memory, wish):
    """What was cut short is not simply gone on with where all, or the rejected, are to be sent."""

    def stop(rows):
        raise StopError("gone", reason=StopReason.NETWORK)

    memory.on_send = stop
    first = run(shop)
    memory.on_send = lambda _: None
    again = run(shop, wish)
    assert not again.is_resumed
    assert again.run != first.run
    assert again.tally.written == 60


def test_a_dry_run_is_not_listed(shop, memory):
    """Whether it ended or was killed, a plan that was never opened is no run."""
    run(shop, replace(YES, is_dry=True))
    assert past_runs(shop.settings, "", outside=outside(shop)) == []


def test_a_fault_of_ours_is_told_as_one(shop, memory):
    """An exception that is no trouble of the CRM's comes out, the answers that arrived are kept, nobody waits on."""

    def fault(rows):
        if len(memory.sent) > 2:
            raise ZeroDivisionError

    memory.on_send, memory.at_once = fault, 1
    with pytest.raises(ZeroDivisionError):
        run(shop)
    memory.on_send = lambda _: None
    report = run(shop)
    assert report.is_resumed
    assert report.tally.written == 60
