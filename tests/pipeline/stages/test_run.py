"""The nightly job: one lock, one summary, nothing published from bad data, and every step safe to do again."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import yaml

from features.errors import LeadlightError, NotFinishedError
from pipeline.cli.output import as_json_text
from pipeline.crm.patience import Patience
from pipeline.crm.session import Outside
from pipeline.crm.trouble import StopError, StopReason
from pipeline.exit_codes import worst
from pipeline.stages import run as run_module
from pipeline.stages import run_steps
from pipeline.stages.ingest import ingest
from pipeline.stages.run import run
from pipeline.stages.run_report import Outcome
from pipeline.stages.run_steps import NightWish
from pipeline.stages.score import score
from pipeline.workspace import Workspace
from support.little_shop import FIELDS
from support.memory import Memory, kind_for
from support.night_shop import FIRST_DAY, HISTORY, LEADS, NightShop, before_dawn
from support.told import Telling

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

LAST = HISTORY - 1
"""The newest day of the exports that are there at first."""
YES = NightWish(may=lambda _: True)
NAMES = [step.name for step in run_steps.STEPS]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def memory(monkeypatch) -> Memory:
    """Return a CRM in memory that the target `crm` leads to."""
    made = Memory()
    monkeypatch.setattr("pipeline.crm.targets.kind_of", lambda _: kind_for(made))
    return made


@pytest.fixture
def shop(tmp_path, memory) -> NightShop:
    """Return a shop with five weeks of exports, and no night run yet."""
    return NightShop(tmp_path / "shop")


def night(shop, number=LAST, wish=YES, *, hours=0.0):
    """Run the night after a day, and return its report."""
    now = before_dawn(number) + timedelta(hours=hours)
    outside = Outside(environment={}, patience=Patience(most_s=1, sleep=lambda _: None), clock=lambda: now)
    return run(shop.settings, wish, outside=outside)


def steps(report):
    """Return the steps by name."""
    return {step.name: step for step in report.steps}


def outcomes(report):
    """Return the outcome of each step by name."""
    return {step.name: step.outcome for step in report.steps}


def end_of(number):
    """Return the last moment of a day of the shop, as a report tells it."""
    day = datetime.combine(FIRST_DAY + timedelta(days=number), datetime.min.time(), UTC)
    return (day + timedelta(days=1, microseconds=-1)).isoformat()


def kill_after(monkeypatch, name):
    """Let the process be gone once the step *name* is done."""

    def deadly(act):
        def do(night):
            act(night)
            raise Killed

        return do

    steps = [replace(step, act=deadly(step.act)) if step.name == name else step for step in run_steps.STEPS]
    monkeypatch.setattr(run_module, "STEPS", tuple(steps))


def test_a_night_reads_scores_publishes_and_reports(shop, memory):
    """From files to records in the CRM and a page, as of the end of the data, in one go."""
    report = night(shop)
    assert outcomes(report) == {"listen": Outcome.SKIPPED, **dict.fromkeys(NAMES[1:], Outcome.DONE)}
    assert (report.exit_code, report.as_of) == (0, end_of(LAST))
    assert len(memory.records) == LEADS
    assert steps(report)["publish"].targets["crm"].written == LEADS
    assert (shop.folder / "workspace" / "reports" / "report.html").is_file()


def test_twice_is_once(shop, memory):
    """The same night again changes nothing anywhere, and says so."""
    night(shop)
    sent, stored = list(memory.sent), shop.stored()
    again = night(shop, hours=2)
    assert (again.exit_code, again.is_nothing_new) == (0, True)
    assert (outcomes(again)["ingest"], outcomes(again)["score"]) == (Outcome.NOTHING_NEW, Outcome.NOTHING_NEW)
    assert steps(again)["publish"].targets["crm"].unchanged == LEADS
    assert (memory.sent, shop.stored()) == (sent, stored)


def test_a_stale_table_publishes_nothing(shop, memory):
    """Orders that ended five days ago stop the night before the scores, and people keep those of before."""
    night(shop)
    published, records = shop.store.published(), dict(memory.records)
    shop.write_days(range(HISTORY, HISTORY + 5), orders=0)
    report = night(shop, HISTORY + 4)
    assert report.exit_code == 1
    assert outcomes(report) == {
        "listen": Outcome.SKIPPED, "ingest": Outcome.DONE, "data": Outcome.FAILED, "score": Outcome.SKIPPED,
        "publish": Outcome.SKIPPED, "report": Outcome.SKIPPED,
    }  # fmt: skip
    assert "orders: ends 2024-04-05" in steps(report)["data"].words
    assert {table.table: table.is_fit for table in report.tables} == {"events": True, "orders": False}
    assert (shop.store.published(), memory.records) == (published, records)


def test_a_table_may_be_allowed_to_be_older(shop, memory):
    """A table that comes once a week is named, and stops no night."""
    shop.configure(run={"max_age_days_of": {"orders": 10}})
    shop.write_days(range(HISTORY, HISTORY + 5), orders=0)
    assert night(shop, HISTORY + 4).exit_code == 0


def test_a_table_at_a_tenth_of_its_usual_volume_publishes_nothing(shop, memory):
    """An export that lost most of its rows is fresh all the same, and stops the night."""
    night(shop)
    records = json.dumps(memory.records, sort_keys=True)
    shop.write_days([HISTORY], events=6)
    report = night(shop, HISTORY)
    assert report.exit_code == 1
    assert "events: 6 rows on its newest day, usually 60; at least 30% are expected" in steps(report)["data"].words
    assert json.dumps(memory.records, sort_keys=True) == records
    assert len(shop.stored()) == 1


def test_once_the_rest_has_come_the_night_goes_on(shop, memory):
    """An export that is mended in the morning needs no setting and no other night."""
    shop.write_days([HISTORY], events=6)
    assert night(shop, HISTORY).exit_code == 1
    shop.write_days([HISTORY], name="rest", events=54, orders=0)
    assert night(shop, HISTORY, hours=6).exit_code == 0
    assert len(memory.records) == LEADS


def test_a_table_with_few_rows_is_not_judged_by_one_day(shop, memory):
    """Three orders a day are chance: none for a day stops nothing."""
    shop.configure(run={"max_age_days_of": {"orders": 10}})
    shop.write_days([HISTORY], orders=1)
    assert night(shop, HISTORY).exit_code == 0


def test_ages_count_from_the_moment_that_was_asked_for(shop, memory):
    """A night of long ago can be scored by name: its data were fresh then."""
    wish = replace(YES, as_of=datetime(2024, 4, 4))
    report = night(shop, HISTORY + 100, wish)
    assert (report.exit_code, report.as_of) == (0, "2024-04-04T00:00:00+00:00")


def test_a_moment_before_what_readers_see_is_stored_and_not_written(shop, memory):
    """Nobody's CRM goes back in time because somebody looked at a night of the past."""
    night(shop)
    sent = list(memory.sent)
    report = night(shop, wish=replace(YES, as_of=datetime(2024, 4, 1)))
    assert (report.exit_code, outcomes(report)["publish"]) == (0, Outcome.SKIPPED)
    assert (len(shop.stored()), memory.sent) == (2, sent)


def test_missed_nights_are_skipped_unless_they_are_caught_up(shop, memory):
    """Without the wish only the newest moment is scored, and the report says what was missed."""
    night(shop)
    shop.write_days(range(HISTORY, HISTORY + 3))
    report = night(shop, HISTORY + 2)
    assert report.missed == (end_of(HISTORY), end_of(HISTORY + 1))
    assert (report.caught_up, len(shop.stored())) == ((), 2)
    assert "--catch-up" in steps(report)["score"].words


def test_caught_up_history_is_that_of_nights_that_were_run(tmp_path, memory):
    """Three nights at once leave the scores, and the history, of three nights one by one; the newest is written."""
    crm = {"crm": {"fields": FIELDS, "min_change": 1}}
    nightly, late = NightShop(tmp_path / "nightly", crm=crm), NightShop(tmp_path / "late", crm=crm)
    for number in range(LAST, LAST + 4):
        nightly.write_days([number])
        night(nightly, number)
    one_by_one = {key: record["leadlight_score"] for key, record in memory.records.items()}
    memory.records.clear()
    night(late)
    late.write_days(range(HISTORY, HISTORY + 3))
    sent = len(memory.sent)
    report = night(late, HISTORY + 2, replace(YES, catch_up=True))
    assert report.caught_up == report.missed == (end_of(HISTORY), end_of(HISTORY + 1))
    assert late.stored() == nightly.stored()
    assert late.store.published() == nightly.store.published()
    histories = [
        [(run.as_of, run.model_version) for piece in shop.store.manifest().pieces for run in piece.runs]
        for shop in (nightly, late)
    ]
    assert histories[0] == histories[1]
    assert {key: record["leadlight_score"] for key, record in memory.records.items()} == one_by_one
    assert sum(map(len, memory.sent[sent:])) <= LEADS


def test_no_more_nights_are_caught_up_than_the_config_says(shop, memory):
    """After a long pause the newest nights are scored, and the report says how many stay missed."""
    night(shop)
    shop.configure(run={"catch_up_nights": 1})
    shop.write_days(range(HISTORY, HISTORY + 4))
    report = night(shop, HISTORY + 3, replace(YES, catch_up=True))
    assert (len(report.missed), report.caught_up) == (3, (end_of(HISTORY + 2),))
    assert "2 older nights stay missed" in steps(report)["score"].words


def test_a_catch_up_that_was_killed_goes_on(shop, memory, monkeypatch):
    """Killed after one of the missed nights was stored, and not shown: the next run leaves no hole."""
    night(shop)
    shop.write_days(range(HISTORY, HISTORY + 3))
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.stages.points_score.published_if", _die)
        with pytest.raises(Killed):
            night(shop, HISTORY + 2, replace(YES, catch_up=True))
    report = night(shop, HISTORY + 2, replace(YES, catch_up=True))
    assert len(report.caught_up) == 2
    assert len(shop.stored()) == 4
    shown = [run.as_of for piece in shop.store.manifest().pieces for run in piece.runs]
    assert shown == sorted(shop.stored())


@pytest.mark.parametrize("name", NAMES)
def test_killed_after_any_step_and_started_again_it_ends_the_same(tmp_path, memory, monkeypatch, name):
    """Scores, records and what was sent are those of a night that nobody killed."""
    whole, killed = NightShop(tmp_path / "whole"), NightShop(tmp_path / "killed")
    night(whole)
    records, sent = dict(memory.records), sorted(map(sorted, memory.sent))
    memory.records, memory.sent = {}, []
    with monkeypatch.context() as patched:
        kill_after(patched, name)
        with pytest.raises(Killed):
            night(killed)
    report = night(killed, hours=1)
    assert report.exit_code == 0
    assert killed.stored() == whole.stored()
    assert (memory.records, sorted(map(sorted, memory.sent))) == (records, sent)


def test_killed_while_it_writes_it_goes_on_where_it_stood(shop, memory):
    """No lead is missed and none is written twice with other values."""
    arrived = 0

    def die_at_the_second(_rows):
        nonlocal arrived
        arrived += 1
        if arrived == 2:
            raise Killed

    memory.on_send, memory.at_once = die_at_the_second, 1
    with pytest.raises(Killed):
        night(shop)
    memory.on_send = lambda _: None
    report = night(shop, hours=1)
    assert (report.exit_code, len(memory.records)) == (0, LEADS)
    assert steps(report)["publish"].targets["crm"].pending == 0


def test_a_second_night_at_once_is_refused(shop, memory):
    """One lock for all: the second says so and has done nothing."""
    with Workspace(shop.settings.shop.workspace).running(), pytest.raises(NotFinishedError, match="leadlight run"):
        night(shop)
    assert Workspace(shop.settings.shop.workspace).current() is None


def test_a_night_does_not_go_beside_a_persons_ingest(shop, memory):
    """Who reads the sources by hand keeps the night out while they do, and it can be run again."""
    with Workspace(shop.settings.shop.workspace).locked():
        report = night(shop)
    assert (report.exit_code, outcomes(report)["ingest"]) == (3, Outcome.FAILED)
    assert night(shop).exit_code == 0


def test_without_a_target_nothing_is_written_and_that_is_said(shop, memory):
    """A shop that only looks at its list runs the same night."""
    shop.configure(crm={})
    report = night(shop)
    assert (report.exit_code, outcomes(report)["publish"]) == (0, Outcome.SKIPPED)
    assert "crm" in steps(report)["publish"].words
    assert outcomes(report)["report"] == Outcome.DONE


def test_above_the_share_that_may_change_nobody_is_written_without_yes(shop, memory):
    """A job that nobody watches refuses, says how to go on, and the rest of the night stands."""
    report = night(shop, wish=NightWish())
    assert (report.exit_code, outcomes(report)["publish"]) == (1, Outcome.FAILED)
    assert "--yes" in steps(report)["publish"].words
    assert (memory.records, outcomes(report)["report"]) == ({}, Outcome.DONE)
    assert night(shop, hours=1).exit_code == 0
    assert len(memory.records) == LEADS


@pytest.mark.parametrize(("reason", "code"), [(StopReason.QUOTA, 3), (StopReason.CREDENTIALS, 2)])
def test_a_crm_that_stops_leaves_the_night_unfinished(shop, memory, reason, code):
    """A quota that is used up is 3, what a person must mend is 2; the page is written, the next run sends the rest."""

    def refuse(_rows):
        raise StopError("no more", reason=reason)

    memory.on_send = refuse
    report = night(shop)
    assert (report.exit_code, outcomes(report)["publish"]) == (code, Outcome.FAILED)
    assert outcomes(report)["report"] == Outcome.DONE
    memory.on_send = lambda _: None
    assert night(shop, hours=1).exit_code == 0
    assert len(memory.records) == LEADS


def test_a_report_that_fails_undoes_nothing(shop, memory, monkeypatch):
    """Scores and records stand, and the code says that something is wrong."""

    def fail(*_, **__):
        raise LeadlightError("No page today.")

    monkeypatch.setattr(run_steps, "write_report", fail)
    report = night(shop)
    assert (report.exit_code, steps(report)["report"].words) == (2, "No page today.")
    assert len(memory.records) == LEADS


def test_data_that_change_while_they_are_scored_are_not_published(shop, memory, monkeypatch):
    """What was looked at is what is written: other data are looked at by the next run."""

    def score_other_data(settings, **rest):
        shop.write_days([HISTORY])
        ingest(settings, now=before_dawn(HISTORY))
        return score(settings, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(run_steps, "score", score_other_data)
        report = night(shop, HISTORY)
    assert (report.exit_code, outcomes(report)["score"], memory.records) == (3, Outcome.FAILED, {})
    assert night(shop, HISTORY).exit_code == 0


def test_rows_that_were_rejected_are_told_and_stop_nothing(shop, memory):
    """The night goes through and its code says: look at the rejects."""
    shop.configure(ingest={"max_rejected_share": 0.5})
    with (shop.folder / f"orders-{FIRST_DAY}-day.csv").open("a") as file:
        file.write("L01,no day,5\n")
    report = night(shop)
    assert (report.exit_code, steps(report)["ingest"].counts["rejected"]) == (1, 1)
    assert len(memory.records) == LEADS


def test_what_people_did_in_the_crm_is_scored_the_same_night(shop, memory, monkeypatch):
    """A deal that was won is heard first and taken in by the same night; what a CRM holds back is left alone."""
    told = Telling(sizes=(10,))
    told.tell("L03", before_dawn(LAST), deal="won", hands_off="yes")
    monkeypatch.setattr(memory, "changes", told.changes, raising=False)
    read = {"override": "hands_off", "outcomes": ["deal"]}
    tables = yaml.safe_load(shop.path.read_text())["tables"]
    shop.configure(tables={**tables, "outcomes": {"crm": "crm"}}, crm={"crm": {"fields": FIELDS, "read": read}})
    ticks = (before_dawn(LAST) + timedelta(minutes=number) for number in count())
    outside = Outside(environment={}, patience=Patience(most_s=1, sleep=lambda _: None), clock=lambda: next(ticks))
    report = run(shop.settings, YES, outside=outside)
    assert (report.exit_code, steps(report)["listen"].counts["changes"]) == (0, 2)
    assert "outcomes" in shop.store.workspace.tables().coverage
    assert steps(report)["publish"].targets["crm"].held == 1
    assert "L03" not in memory.records


def test_a_crm_that_cannot_be_heard_keeps_nobody_from_being_scored(shop, memory, monkeypatch):
    """The night is unfinished and the scores stand; the next run hears what there is."""

    def fail(*_):
        raise StopError("Out of office", reason=StopReason.NETWORK)

    shop.configure(crm={"crm": {"fields": FIELDS, "read": {"override": "hands_off"}}})
    with monkeypatch.context() as patched:
        patched.setattr(memory, "changes", fail, raising=False)
        report = night(shop)
    assert (report.exit_code, outcomes(report)["listen"]) == (3, Outcome.FAILED)
    assert outcomes(report)["score"] == Outcome.DONE
    assert night(shop, hours=1).exit_code == 0


def test_nothing_that_is_told_names_a_lead(shop, memory):
    """Whoever reads the job's log learns counts and no person."""
    told = as_json_text(night(shop))
    assert [lead for lead in memory.records if lead in told] == []


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([1, 0], 1), ([1, 3], 3), ([3, 2, 1], 2)], ids=str)
def test_the_code_of_a_night_is_its_worst(codes, code):
    """Wrong input comes before unfinished, and that before rejected."""
    assert worst(codes) == code


def _die(*_, **__):
    raise Killed
