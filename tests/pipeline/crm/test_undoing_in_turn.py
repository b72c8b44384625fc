"""Runs are taken back one after another, the newest first, however often an undoing is cut short on the way."""

from dataclasses import replace

import pytest

from features.errors import LeadlightError
from pipeline.crm.given import Filters
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish_checks import verify
from pipeline.stages.publish_history import past_runs
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published

LEADS = 40
RESEND = replace(YES, resend=True)


@pytest.fixture
def shop(tmp_path, memory) -> LittleShop:
    """Return a shop with scores of its first night, in which nobody is held; its CRM takes one batch at a time."""
    memory.at_once = 1
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {"fields": FIELDS}})
    made.score_all_free(0)
    return made


def taken_back(shop, run, night=0):
    """Take a run back and return the report, whose parts add up."""
    report = undo(shop.settings, run, may=lambda _: True, outside=outside(shop, night))
    tally = report.tally
    assert tally.given == tally.written + tally.unchanged + tally.rejected + tally.pending + tally.held
    return report


def cut_after(memory, batches, *, arrives):
    """Let so many batches through; of the next the answer is lost, or nothing arrives."""
    left = iter(range(batches))

    def send(rows):
        if next(left, None) is None:
            if arrives:
                memory.takes_and_is_cut(rows)
            raise StopError("gone", reason=StopReason.NETWORK)

    memory.on_send = send


def mended(memory):
    """Let everything through again."""
    memory.on_send = lambda _: None


def held_by(memory):
    """Return what the CRM holds, without records that are empty."""
    return {key: dict(one) for key, one in memory.records.items() if any(v is not None for v in one.values())}


def states(shop):
    """Return the state of each run."""
    return {one.run: one.state for one in past_runs(shop.settings, "", outside=outside(shop))}


def agrees(shop):
    """Return whether the CRM holds what the ledger believes."""
    (read,) = verify(shop.settings, "", sample=LEADS, outside=outside(shop)).verified
    return read.read == read.agree


def three_nights(shop, memory):
    """Publish three nights and return their runs, each with what the CRM held before it."""
    done = []
    for night in range(3):
        if night:
            shop.score_all_free(20 * night)
        before = held_by(memory)
        done.append((published(shop, RESEND if night == 1 else YES, 20 * night).run, before))
    return done


def test_runs_are_taken_back_newest_first(shop, memory):
    """After each, the CRM is as before that run, the ledger agrees, and the scores of then are sent by nobody again."""
    for run, before in reversed(three_nights(shop, memory)):
        assert taken_back(shop, run, 40).exit_code == 0
        assert held_by(memory) == before
        assert agrees(shop)
        assert states(shop)[run] == "undone"
    assert held_by(memory) == {}
    assert published(shop, night=40).tally.written == LEADS


def test_what_was_restored_is_not_sent_again(shop, memory):
    """The scores of the run that a lead was handed back to find all unchanged."""
    published(shop)
    scores = shop.store.published()
    shop.score_all_free(20)
    second = published(shop, RESEND, 20).run
    taken_back(shop, second, 20)
    shop.store.publish(scores)
    assert published(shop).tally.unchanged == LEADS


def test_what_an_older_mapping_wrote_counts_as_its_own(shop, memory):
    """Fields that a run added are emptied with it: who maps them again sends all, who maps as before sends nobody."""
    few = {"crm": {"fields": {"leadlight_score": "score"}}}
    shop.configure(few)
    published(shop)
    shop.configure({"crm": {"fields": FIELDS}})
    taken_back(shop, published(shop).run)
    shop.configure(few)
    assert published(shop, replace(YES, is_dry=True)).tally.unchanged == LEADS
    shop.configure({"crm": {"fields": FIELDS}})
    assert published(shop).tally.written == LEADS


@pytest.mark.parametrize("is_between_taken_back", [True, False])
def test_a_field_that_was_not_mapped_for_a_while_is_restored(shop, memory, is_between_taken_back):
    """What an earlier run wrote to it returns, though the run between knew nothing of it."""
    few = {"crm": {"fields": {"leadlight_score": "score"}}}
    first = published(shop).run
    before = held_by(memory)
    shop.configure(few)
    second = published(shop, RESEND).run
    if is_between_taken_back:
        taken_back(shop, second)
    shop.configure({"crm": {"fields": FIELDS}})
    shop.score_all_free(20)
    third = published(shop, RESEND, 20).run
    taken_back(shop, third, 20)
    assert held_by(memory) == before
    if not is_between_taken_back:
        taken_back(shop, second, 20)
    taken_back(shop, first, 20)
    assert held_by(memory) == {}


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_run_below_a_later_one_waits_for_it(shop, memory, is_dry):
    """Nothing changes, the later run is named, and once that one is taken back the first can be."""
    first = published(shop).run
    shop.score_all_free(20)
    second = published(shop, RESEND, 20).run
    held, known = held_by(memory), states(shop)
    with pytest.raises(LeadlightError, match=f"take back run {second} first, then run {first} again"):
        undo(shop.settings, first, is_dry=is_dry, may=lambda _: True, outside=outside(shop, 20))
    assert (held_by(memory), states(shop)) == (held, known)
    taken_back(shop, second, 20)
    assert taken_back(shop, first, 20).tally.written == LEADS
    assert held_by(memory) == {}


def test_a_run_of_which_a_part_lies_below_a_later_one_is_not_undone(shop, memory):
    """The rest is restored now, and that part once the later run was taken back."""
    first = published(shop).run
    second = published(shop, replace(RESEND, filters=Filters(limit=10))).run
    report = taken_back(shop, first)
    assert (report.tally.written, report.written_over, report.written_over_by) == (LEADS - 10, 10, (second,))
    assert states(shop)[first] == "finished"
    taken_back(shop, second)
    report = taken_back(shop, first)
    assert (report.tally.written, report.written_over) == (10, 0)
    assert held_by(memory) == {}
    assert states(shop)[first] == "undone"


def test_leads_that_were_taken_back_wait_for_no_later_run(shop, memory):
    """What a later run wrote after the undoing does not lie over the run that was undone."""
    first = published(shop).run
    second = published(shop, replace(RESEND, filters=Filters(limit=10))).run
    taken_back(shop, first)
    assert published(shop).tally.written == LEADS - 10
    with pytest.raises(LeadlightError, match=rf"\(10 leads\)\.\n\nHint: take back run {second} first"):
        taken_back(shop, first)


def test_a_run_that_never_arrived_takes_nothing_of_another_that_did(shop, memory):
    """Of two runs that nobody heard of the later arrived: values that both would have written stay."""
    cut_after(memory, 0, arrives=False)
    first = published(shop).run
    shop.score_all_free(20)
    cut_after(memory, 0, arrives=True)
    published(shop, night=20)
    mended(memory)
    held = held_by(memory)
    assert held
    taken_back(shop, first, 20)
    assert held_by(memory) == held


@pytest.mark.parametrize("is_given_up", [True, False])
def test_what_a_later_run_has_on_its_way_is_left_alone(shop, memory, is_given_up):
    """Of leads that may hold a later run's values nothing is emptied, until that run was taken back."""
    first = published(shop).run
    before = held_by(memory)
    shop.score_all_free(20)
    cut_after(memory, 0, arrives=True)
    second = published(shop, RESEND, 20).run
    mended(memory)
    if is_given_up:
        published(shop, replace(YES, is_dry=True), 20)
        taken_back(shop, published(shop, replace(RESEND, filters=Filters(limit=1)), 20).run, 20)
    later = {lead: one for lead, one in held_by(memory).items() if one != before[lead]}
    assert later
    assert taken_back(shop, first, 20).changed_since == len(later)
    assert held_by(memory) == later
    taken_back(shop, second, 20)
    assert held_by(memory) == {lead: before[lead] for lead in later}
    taken_back(shop, first, 20)
    assert held_by(memory) == {}


def test_a_run_that_never_arrived_brings_nothing_back_that_was_taken_back(shop, memory):
    """Values that stood before two runs are restored with the first; the other would have written the same."""
    published(shop)
    scores, held = shop.store.published(), held_by(memory)
    shop.score_all_free(20)
    second = published(shop, RESEND, 20).run
    shop.store.publish(scores)
    cut_after(memory, 0, arrives=False)
    third = published(shop, RESEND, 20).run
    mended(memory)
    taken_back(shop, second, 20)
    taken_back(shop, third, 20)
    assert held_by(memory) == held


def test_a_lead_that_was_held_during_the_undoing_is_taken_back_later(shop, memory):
    """As long as something of a run stands it can be asked for again, also once it is called undone."""
    from pipeline.marks import marks_of

    first, lead = published(shop).run, shop.free_ids()[2]
    marks = marks_of(shop.settings, {})
    mark = marks.hold(lead, by="ana", at=shop.morning(0))
    assert taken_back(shop, first, 1).tally.held == 1
    assert set(held_by(memory)) == {lead}
    marks.withdraw(mark, by="ana", at=shop.morning(1), lead_id=lead)
    assert taken_back(shop, first, 2).tally.written == 1
    assert held_by(memory) == {}


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("published_batches", [2, 4])
def test_an_undoing_that_another_run_took_the_place_of_is_asked_for_again(shop, memory, arrives, published_batches):
    """It restores what is left of the run, which is undone no sooner."""
    cut_after(memory, published_batches, arrives=False)
    first = published(shop).run
    cut_after(memory, 1, arrives=arrives)
    assert taken_back(shop, first).exit_code == 3
    assert states(shop)[first] == ("superseded" if published_batches == 2 else "finished")
    mended(memory)
    third = published(shop, replace(YES, filters=Filters(limit=2))).run
    assert taken_back(shop, first).exit_code == 0
    taken_back(shop, third)
    with pytest.raises(LeadlightError, match="taken back already"):
        taken_back(shop, first)
    assert states(shop)[first] == "undone"
    assert held_by(memory) == {}


@pytest.mark.parametrize("arrives", [True, False])
def test_a_cut_undoing_hands_back_what_it_restored(shop, memory, arrives):
    """The run below can be taken back whole, though nobody heard of a batch of the undoing above."""
    runs = three_nights(shop, memory)
    for run, before in reversed(runs):
        cut_after(memory, 2, arrives=arrives)
        assert taken_back(shop, run, 40).exit_code == 3
        mended(memory)
        # Another run comes and goes between.
        other = published(shop, replace(RESEND, filters=Filters(limit=5)), 40).run
        taken_back(shop, other, 40)
        taken_back(shop, run, 40)
        assert held_by(memory) == before
        assert agrees(shop)


@pytest.mark.parametrize("arrives", [True, False])
def test_what_people_change_while_an_undoing_waits_is_left_alone(shop, memory, arrives):
    """It is asked for again later, and looks at the CRM as it is by then; no undoing stays open."""
    first = published(shop).run
    cut_after(memory, 1, arrives=arrives)
    assert taken_back(shop, first).exit_code == 3
    mended(memory)
    for record in memory.records.values():
        record["leadlight_action"] = "call mum"
    report = taken_back(shop, first)
    assert (report.exit_code, report.changed_since) == (0, report.tally.written)
    theirs = {**dict.fromkeys(FIELDS), "leadlight_action": "call mum"}
    assert all(record == theirs for record in memory.records.values())
    assert list(states(shop).values()) == ["finished", "superseded", "undone"]


def test_an_undoing_that_finds_nothing_left_ends_the_one_that_was_cut_short(shop, memory):
    """Records that went meanwhile leave no run open."""
    first = published(shop).run
    cut_after(memory, 1, arrives=False)
    taken_back(shop, first)
    mended(memory)
    memory.records.clear()
    assert taken_back(shop, first).tally.written == 0
    assert "open" not in states(shop).values()
