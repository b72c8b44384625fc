"""Publishing scores: every lead accounted for, only differences sent, twice is once, trouble in its classes."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.errors import LeadlightError
from pipeline.crm.given import Filters, given_leads
from pipeline.crm.promise import Answer, Missing, Outcome
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_checks import verify
from pipeline.stages.publish_history import past_runs
from support.clock import Clock
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside
from support.publishing import published as run

LEADS = 200


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of its first night."""
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {"fields": FIELDS}})
    made.score(0)
    return made


def refused(shop, wish=YES, night=0):
    """Return why nothing was done at the one target."""
    report = publish(shop.settings, wish, outside=outside(shop, night))
    (one,) = report.failures
    return one


def test_every_free_lead_is_written_once(shop, memory):
    """The first publication writes every lead that nothing holds, and nobody else."""
    report = run(shop)
    assert sorted(memory.records) == sorted(shop.free_ids())
    assert sorted(key for batch in memory.sent for key in batch) == sorted(shop.free_ids())
    assert report.tally.written == len(shop.free_ids())
    assert report.tally.held == LEADS - len(shop.free_ids())
    assert report.exit_code == 0
    assert memory.finished == 1


def test_what_is_written_is_what_the_score_says(shop, memory):
    """A record holds the stored score, grade and probability of its lead."""
    run(shop)
    scores = shop.leads.scores(0).to_pylist()
    for row in scores:
        if row["lead_id"] in memory.records:
            held = memory.records[row["lead_id"]]
            assert held["leadlight_score"] == row["score"]
            assert held["leadlight_grade"] == row["grade"]
            assert held["leadlight_probability"] == round(row["probability"], 4)
            assert held["leadlight_as_of"] == "2024-11-01T00:00:00Z"


def test_twice_is_once(shop, memory):
    """The same scores published again send nothing."""
    first = run(shop)
    memory.sent.clear()
    second = run(shop)
    assert memory.sent == []
    assert second.tally.unchanged == first.tally.written
    assert second.tally.written == 0


def test_only_what_moved_is_sent(shop, memory):
    """A lead is sent again when its score moved by `min_change`, or its grade or action changed, and else not."""
    run(shop)
    shop.score(1)
    memory.sent.clear()
    report = run(shop, night=1)
    before, now = ({row["lead_id"]: row for row in shop.leads.scores(night).to_pylist()} for night in (0, 1))
    was_free, is_free = set(shop.free_ids(0)), set(shop.free_ids(1))
    expected = {
        lead
        for lead in is_free
        if lead not in was_free
        or abs(now[lead]["score"] - before[lead]["score"]) >= 3
        or any(now[lead][name] != before[lead][name] for name in ("grade", "action"))
    }
    assert {key for batch in memory.sent for key in batch} == expected
    assert report.tally.written == len(expected)
    assert 0 < len(expected) < len(is_free)


def test_what_was_written_long_ago_is_written_again(shop, memory):
    """After `max_age_days` an unchanged lead is sent again, so that nobody takes it for forgotten."""
    run(shop)
    memory.sent.clear()
    report = run(shop, hours=31 * 24)
    assert report.tally.unchanged == 0
    assert report.tally.written == len(shop.free_ids())


def test_a_changed_mapping_sends_all(shop, memory):
    """Where a property is filled in another way, what stands is no longer right."""
    run(shop)
    shop.configure({"crm": {"fields": {**FIELDS, "leadlight_rank": "rank"}}})
    assert run(shop).tally.written == len(shop.free_ids())
    assert all("leadlight_rank" in record for record in memory.records.values())


def test_a_dry_run_changes_nothing(shop, memory):
    """A dry run tells what would be sent, sends nothing and leaves no trace in the ledger."""
    report = run(shop, replace(YES, is_dry=True))
    assert report.run is None
    assert report.tally.pending == len(shop.free_ids())
    assert memory.sent == []
    assert past_runs(shop.settings, "", outside=outside(shop)) == []
    assert sum(one.leads for one in report.movements) == report.tally.pending
    assert report.examples[0].lead_id == _best_first(shop)[0]


def _best_first(shop):
    """Return the free leads, best rank first."""
    scores = shop.leads.scores(0).sort_by("rank")
    free = set(shop.free_ids())
    return [lead for lead in scores["lead_id"].to_pylist() if lead in free]


def test_filters_choose_leads(shop, memory):
    """Limit, segment and grade choose the same leads as the stored scores say."""
    scores = shop.leads.scores(0).sort_by("rank").to_pylist()
    graded = run(shop, replace(YES, is_dry=True, filters=Filters(limit=7, only_grades=("A", "B"))))
    assert graded.tally.given == 7
    wanted = [row["lead_id"] for row in scores if row["grade"] in {"A", "B"}][:7]
    assert {one.lead_id for one in graded.examples} == set(wanted) & set(shop.free_ids())


def test_a_segment_chooses_its_leads(shop, memory):
    """Only leads of the segment are given."""
    rows = shop.leads.scores(0)
    chosen = [row["lead_id"] for row in rows.to_pylist() if "best_customers" in row["segments"]]
    blocks = given_leads(shop.store.path(shop.store.published()), Filters(segment="best_customers"), is_in_order=True)
    assert sorted(lead for block in blocks for lead in block["lead_id"].to_pylist()) == sorted(chosen)


def test_filters_that_no_lead_can_pass_are_refused(shop, memory):
    """A grade or a segment that does not exist is named, all at once."""
    wish = replace(YES, filters=Filters(limit=-1, segment="nowhere", only_grades=("A", "E")))
    with pytest.raises(LeadlightError) as caught:
        publish(shop.settings, wish, outside=outside(shop))
    assert "--only-grade E" in str(caught.value)
    assert "--limit -1" in str(caught.value)
    assert "--segment nowhere" in str(caught.value)


def test_nothing_is_sent_where_a_property_does_not_fit(shop, memory):
    """Faults of the CRM's properties are told before the first row goes out."""
    memory.faults = ["leadlight_score: is a text", "leadlight_grade: lacks the choice D"]
    told = refused(shop)
    assert told.exit_code == 2
    assert "is a text" in told.message
    assert "lacks the choice D" in told.message
    assert memory.sent == []


@pytest.mark.parametrize(
    ("faults", "is_set_up", "is_changed"),
    [
        ([Missing("score: is not there")], True, False),
        (["score: too short"], False, True),
        ([Missing("score: is not there"), "grade: too short"], True, True),
    ],
)
def test_setting_up_is_proposed_where_it_helps(shop, memory, faults, is_set_up, is_changed):
    """What is missing is created by Leadlight; a column that is too short is changed by a person."""
    memory.faults = faults
    said = refused(shop).message
    assert ("--setup" in said, "`length`" in said) == (is_set_up, is_changed)


def test_one_row_that_spoils_a_batch_is_found(shop, memory):
    """A batch that is refused whole is halved until the row at fault is alone; all others are written."""
    bad = set(shop.free_ids()[3:40:9])

    def refuse(rows):
        if bad & {row.key for row in rows}:
            raise BatchRefusedError("a property is not valid", code="VALIDATION_ERROR")

    memory.on_send = refuse
    report = run(shop)
    assert set(memory.records) == set(shop.free_ids()) - bad
    assert report.tally.rejected == len(bad)
    assert report.exit_code == 1
    letters = report.dead_letters.read_text(encoding="utf-8")
    assert letters.count("VALIDATION_ERROR") == len(bad)
    assert all(lead in letters for lead in bad)


def turned_away(shop, memory):
    """Publish to a CRM that turns one lead away, and return it; from then on the CRM takes every row."""
    lead = shop.free_ids()[0]
    memory.on_send = lambda rows: [
        Answer(row.key, Outcome.REJECTED, "no such record", "NOT_FOUND") for row in rows if row.key == lead
    ]
    run(shop)
    memory.on_send, memory.sent = lambda _: None, []
    return lead


def test_who_was_turned_away_is_sent_again_only_on_demand(shop, memory):
    """A rejected lead counts as rejected in every later run, and is sent when a person asks for it."""
    lead = turned_away(shop, memory)
    assert run(shop).tally.rejected == 1
    assert memory.sent == []
    report = run(shop, replace(YES, retry_rejected=True))
    assert memory.sent == [[lead]]
    assert report.tally.rejected == 0
    assert report.dead_letters is None


def test_who_was_turned_away_is_sent_again_once_the_mapping_changed(shop, memory):
    """Another row than the one that was turned away may be taken; what else is changed in a target sends nobody."""
    lead = turned_away(shop, memory)
    shop.configure({"crm": {"fields": FIELDS, "create": True, "min_change": 1}})
    assert (run(shop).tally.rejected, memory.sent) == (1, [])
    shop.configure({"crm": {"fields": {**FIELDS, "leadlight_reasons": {"from": "reasons", "length": 100}}}})
    report = run(shop)
    assert lead in {key for batch in memory.sent for key in batch}
    assert (report.tally.rejected, report.dead_letters) == (0, None)


def test_rows_that_may_go_later_go_later(shop, memory):
    """A locked record is sent again by itself, alone, within the same run."""
    lead, tries = shop.free_ids()[5], []

    def lock(rows):
        if any(row.key == lead for row in rows):
            tries.append(len(rows))
            if len(tries) < 3:
                return [Answer(lead, Outcome.RETRY, "locked")]
        return None

    memory.on_send = lock
    assert run(shop).exit_code == 0
    assert tries == [10, 1, 1]


def test_rows_without_an_answer_stay_pending(shop, memory):
    """A row that is never answered is pending, the run unfinished, and the next run sends it alone."""
    lead = shop.free_ids()[5]
    memory.on_send = lambda rows: [Answer(row.key, Outcome.RETRY, "locked by Eve") for row in rows if row.key == lead]
    report = run(shop)
    assert (report.tally.pending, report.exit_code) == (1, 3)
    assert report.stopped == (
        "'crm' did not take every lead: 1 put off 6 times; it said: locked by Eve\n\n"
        "Hint: what is pending is kept; run the same command again later."
    )
    memory.on_send, memory.sent = lambda _: None, []
    again = run(shop)
    assert again.is_resumed
    assert again.run == report.run
    assert memory.sent == [[lead]]
    assert again.exit_code == 0


def test_a_crm_that_talks_no_sense_is_given_up(shop, memory):
    """Where no batch is answered, the run ends when patience does, not batch by batch; everything is kept."""
    clock = Clock()
    memory.on_send = lambda rows: [Answer(row.key, Outcome.RETRY, "a page to log in") for row in rows]
    report = run(shop, clock=clock)
    assert report.exit_code == 3
    assert report.stopped.startswith(
        "'crm' does not answer: for 100 s nothing that it said was an answer; the last was: a page to log in"
    )
    assert 100 <= clock.now < 200
    assert report.tally.pending == len(shop.free_ids())
    memory.on_send = lambda _: None
    assert run(shop).tally.written == len(shop.free_ids())


def test_what_was_answered_before_a_standstill_counts(shop, memory):
    """Rows that were taken stay taken, though the rest of their batch ended the run."""
    lead = shop.free_ids()[0]
    memory.size = len(shop.free_ids())
    memory.on_send = lambda rows: [Answer(row.key, Outcome.RETRY) for row in rows if row.key == lead]
    report = run(shop, clock=(clock := Clock()), most_s=1)
    assert (report.tally.pending, report.exit_code) == (1, 3)
    assert "does not answer" in report.stopped
    assert clock.now < 10


@pytest.mark.parametrize(
    ("trouble", "said", "code"),
    [
        (StopError("DAILY limit", reason=StopReason.QUOTA, hint="until midnight"), "quota", 3),
        (StopError("401", reason=StopReason.CREDENTIALS), "credentials", 2),
        (StopError("403", reason=StopReason.PERMISSION), "permit", 2),
        (StopError("no such field", reason=StopReason.SETUP), "not set up", 2),
        (StopError("edited", reason=StopReason.CHANGED), "Somebody else wrote", 3),
        (RetryError("502"), "does not answer", 3),
    ],
)
def test_a_stop_keeps_what_is_pending(shop, memory, trouble, said, code):
    """What is pending is sent by the next run; only trouble that passes by itself is worth an automatic retry."""
    sent = []

    def stop(rows):
        sent.append(len(rows))
        if len(sent) > 4:
            raise trouble

    memory.on_send = stop
    report = run(shop)
    assert report.exit_code == code
    assert said in report.stopped
    assert 0 < report.tally.pending < len(shop.free_ids())
    memory.on_send = lambda _: None
    again = run(shop)
    assert again.is_resumed
    assert again.tally.written == len(shop.free_ids())
    assert set(memory.records) == set(shop.free_ids())


def test_newer_scores_take_the_place_of_an_unfinished_run(shop, memory):
    """A run whose scores are no longer the newest is given up, and who was on its way is sent whatever stands."""
    calls = []

    def stop(rows):
        calls.append([row.key for row in rows])
        raise StopError("gone", reason=StopReason.NETWORK)

    memory.on_send = stop
    run(shop)
    shop.score(1)
    memory.on_send, memory.sent = lambda _: None, []
    report = run(shop, night=1)
    assert not report.is_resumed
    assert set(memory.records) == set(shop.free_ids(1))
    assert {key for one in calls for key in one}
    states = {one.run: one.state for one in past_runs(shop.settings, "", outside=outside(shop))}
    assert sorted(states.values()) == ["finished", "superseded"]


def test_too_many_changes_are_asked_about(shop, memory):
    """Where more than the configured share of leads would change, nothing is sent without a yes."""
    asked = []
    told = refused(shop, Wish(may=lambda question: asked.append(question) or False))
    assert told.exit_code == 1
    assert "would change" in asked[0]
    assert memory.sent == []
    assert past_runs(shop.settings, "", outside=outside(shop)) == []


def test_a_few_changes_are_not_asked_about(shop, memory):
    """Below that share nobody is asked."""
    run(shop)
    scores = shop.leads.scores(0)
    moved = pc.if_else(pc.equal(scores["lead_id"], shop.free_ids()[0]), 99, scores["score"])
    shop.score(1, scores.set_column(scores.schema.get_field_index("score"), "score", moved))
    report = run(shop, Wish(may=lambda _: pytest.fail("nobody is to be asked")), night=1)
    assert report.tally.written == 1


def test_a_lead_held_by_a_colleague_is_left_alone(shop, memory):
    """A hold that somebody makes after the scores were made counts at the moment of writing."""
    from pipeline.marks import marks_of

    lead = shop.free_ids()[2]
    marks_of(shop.settings, {}).hold(lead, by="ana", at=shop.morning(0) - timedelta(minutes=5))
    report = run(shop)
    assert lead not in memory.records
    assert report.tally.held == LEADS - len(shop.free_ids()) + 1


def test_a_hold_counts_between_freezing_and_sending(shop, memory):
    """A lead that is held while a run is cut short is not sent when the run goes on."""
    from pipeline.marks import marks_of

    def stop(rows):
        raise StopError("gone", reason=StopReason.NETWORK)

    memory.on_send = stop
    run(shop)
    lead = shop.free_ids()[2]
    marks_of(shop.settings, {}).hold(lead, by="ana", at=shop.morning(0))
    memory.on_send = lambda _: None
    report = run(shop, hours=1)
    assert report.is_resumed
    assert lead not in memory.records
    assert report.tally.held == LEADS - len(shop.free_ids()) + 1


def test_a_lead_that_lost_its_score_is_emptied(shop, memory):
    """A lead that can no longer be scored keeps no old score in the CRM; one that never had any is not given."""
    run(shop)
    scores = shop.leads.scores(0)
    gone = shop.free_ids()[1]
    lost = pa.array(
        [
            None if lead == gone else value
            for lead, value in zip(scores["lead_id"].to_pylist(), scores["score"].to_pylist(), strict=True)
        ]
    )
    grade = pa.array(
        [
            None if lead == gone else value
            for lead, value in zip(scores["lead_id"].to_pylist(), scores["grade"].to_pylist(), strict=True)
        ]
    )
    for name, values in (("score", lost), ("grade", grade)):
        scores = scores.set_column(scores.schema.get_field_index(name), name, values)
    shop.score(1, scores)
    run(shop, night=1)
    assert memory.records[gone]["leadlight_score"] is None
    assert memory.records[gone]["leadlight_grade"] is None


def test_a_target_that_lost_everything_is_noticed(shop, memory):
    """Where none of the leads that were written is there any more, nothing is called unchanged."""
    run(shop)
    memory.records.clear()
    told = refused(shop)
    assert told.exit_code == 1
    assert "--resend" in told.message
    assert run(shop, replace(YES, resend=True)).tally.written == len(shop.free_ids())


def test_what_a_run_that_was_cut_short_may_have_written_is_not_called_lost(shop, memory):
    """A dry run beside it shows what would be sent, though nothing of what stood is left at the target."""
    shop.score_all_free(0)
    run(shop)
    scores = shop.free_scores(1)
    moved = pa.array([(score + 50) % 101 for score in scores["score"].to_pylist()], pa.int64())
    shop.score(1, scores.set_column(scores.schema.get_field_index("score"), "score", moved))
    memory.on_send = memory.takes_and_is_cut
    assert run(shop, night=1).tally.pending == LEADS
    for record in memory.records.values():
        record.update(dict.fromkeys(record, "written over"))
    assert run(shop, replace(YES, is_dry=True), night=1).tally.pending == LEADS


def test_reading_back_tells_what_somebody_changed(shop, memory):
    """A sample read back agrees with the ledger, but for what somebody changed."""
    run(shop)
    (found,) = verify(shop.settings, "", sample=50, outside=outside(shop)).verified
    assert (found.read, found.agree) == (50, 50)
    for record in memory.records.values():
        record["leadlight_score"] = 1
    found = verify(shop.settings, "", sample=50, outside=outside(shop))
    assert found.exit_code == 1
    assert {one.property for lead in found.verified[0].differ for one in lead.fields} == {"leadlight_score"}


def test_order_of_rows_is_irrelevant(shop, memory, tmp_path):
    """The same scores in another order write the same records."""
    run(shop)
    here = dict(memory.records)
    memory.records.clear()
    other = LittleShop(tmp_path / "other", leads=LEADS, crm={"crm": {"fields": FIELDS}})
    scores = shop.leads.scores(0)
    other.score(0, scores.take(pa.array(np.random.default_rng(1).permutation(len(scores)))))
    run(other)
    assert memory.records == here


def test_a_moment_between_two_seconds_is_told_by_its_second(shop, memory):
    """Data of whole days end with the last microsecond of a day: that moment is published like any other."""
    scores = shop.leads.scores(1)
    end = pa.scalar(shop.morning(1).replace(hour=23, minute=59, second=59, microsecond=999_999), scores["as_of"].type)
    place = scores.column_names.index("as_of")
    scores = scores.set_column(place, "as_of", pa.repeat(end, len(scores)))
    shop.score(1, scores)
    run(shop, night=1)
    assert {record["leadlight_as_of"] for record in memory.records.values()} == {"2024-11-02T23:59:59Z"}
