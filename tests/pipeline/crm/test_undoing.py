"""Taking a run back: what stood is restored, what changed since is left alone, and nobody who is held is written to."""

import pytest

from features.errors import GateFailedError, LeadlightError
from pipeline.crm.promise import Answer, Outcome
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish_history import past_runs
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import outside
from support.publishing import published as run


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of its first night."""
    made = LittleShop(tmp_path / "shop", leads=200, crm={"crm": {"fields": FIELDS}})
    made.score(0)
    return made


def test_an_undoing_restores_what_stood(shop, memory):
    """What a run wrote is taken back to what the run before had written."""
    run(shop)
    stood = {key: dict(record) for key, record in memory.records.items()}
    shop.score(1)
    second = run(shop, night=1)
    new = set(memory.records) - set(stood)
    report = undo(shop.settings, second.run, may=lambda _: True, outside=outside(shop, 1))
    assert report.exit_code == 0
    assert {key: record for key, record in memory.records.items() if key in stood} == stood
    assert all(value is None for key in new for value in memory.records[key].values())
    assert run(shop, night=1).tally.written == second.tally.written


def test_an_undoing_leaves_alone_what_changed_since(shop, memory):
    """A value that somebody changed after the run, and a lead that a later run wrote, keep what they hold."""
    first = run(shop)
    shop.score(1)
    memory.sent.clear()
    run(shop, night=1)
    rewritten = {key for batch in memory.sent for key in batch}
    held = {key: dict(memory.records[key]) for key in rewritten}
    changed = min(set(memory.records) - rewritten)
    memory.records[changed]["leadlight_score"] = 7
    report = undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop, 1))
    assert (report.exit_code, report.changed_since) == (0, 1)
    assert {key: memory.records[key] for key in rewritten} == held
    assert memory.records[changed] == {**dict.fromkeys(FIELDS), "leadlight_score": 7}


def test_an_undoing_takes_back_what_was_on_its_way(shop, memory):
    """Rows that arrived though nobody heard so are taken back with the others."""
    memory.on_send = memory.takes_and_is_cut
    unfinished = run(shop)
    assert memory.records
    memory.on_send = lambda _: None
    report = undo(shop.settings, unfinished.run, may=lambda _: True, outside=outside(shop))
    assert report.exit_code == 0
    assert all(value is None for record in memory.records.values() for value in record.values())
    states = {one.run: one.state for one in past_runs(shop.settings, "", outside=outside(shop))}
    assert states[unfinished.run] == "undone"


def test_a_dry_undoing_changes_nothing(shop, memory):
    """A dry undoing counts what would be restored, and leaves no trace."""
    first = run(shop)
    held = {key: dict(record) for key, record in memory.records.items()}
    report = undo(shop.settings, first.run, is_dry=True, outside=outside(shop))
    assert report.tally.pending == first.tally.written
    assert memory.records == held
    assert len(past_runs(shop.settings, "", outside=outside(shop))) == 1


@pytest.mark.parametrize("is_dry", [True, False])
def test_an_undoing_leaves_alone_whom_people_hold(shop, memory, is_dry):
    """A lead that is held since the run keeps what it holds, and both dry and done it is counted as held."""
    from pipeline.marks import marks_of

    first = run(shop)
    lead = shop.free_ids()[2]
    marks_of(shop.settings, {}).hold(lead, by="ana", at=shop.morning(0))
    stood = dict(memory.records[lead])
    report = undo(shop.settings, first.run, is_dry=is_dry, may=lambda _: True, outside=outside(shop, hours=1))
    tally = report.tally
    assert (tally.held, tally.pending + tally.written) == (1, first.tally.written - 1)
    assert tally.given == first.tally.written
    assert memory.records[lead] == stood


def test_an_undoing_that_the_crm_has_no_room_for_sends_nothing(shop, memory):
    """A property that was archived since is told once, not turned away lead by lead."""
    first = run(shop)
    stood, memory.faults = {key: dict(record) for key, record in memory.records.items()}, ["'leadlight_score' is gone."]
    with pytest.raises(
        LeadlightError, match=r"(?s)'leadlight_score' is gone.*change it there, as it was when that run"
    ):
        undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop))
    assert memory.records == stood
    assert len(past_runs(shop.settings, "", outside=outside(shop))) == 1


def test_an_undoing_of_a_given_up_run_leaves_a_later_run_alone(shop, memory):
    """What a later run wrote stays, though an earlier one never heard what became of its batch."""
    memory.on_send = memory.takes_and_is_cut
    cut = run(shop)
    memory.on_send = lambda _: None
    shop.score_all_free(1)
    run(shop, night=1)
    held = {key: dict(record) for key, record in memory.records.items()}
    undo(shop.settings, cut.run, may=lambda _: True, outside=outside(shop, 1))
    assert memory.records == held


def test_an_undoing_ends_jobs_before_it_looks(shop, memory):
    """A job of the run that is taken back writes nothing after the CRM was read."""
    order = []

    def send(rows, ticket):
        ticket.keep("job")
        raise StopError("killed", reason=StopReason.NETWORK)

    usual, memory.send = memory.send, send
    cut = run(shop)
    memory.send = usual
    read = memory.read
    memory.read = lambda keys, names: order.append("read") or read(keys, names)
    memory.abandon = lambda job: order.append("abandoned")
    undo(shop.settings, cut.run, may=lambda _: True, outside=outside(shop))
    assert order[0] == "abandoned"
    assert "read" in order


def test_an_undoing_that_is_refused_keeps_other_runs(shop, memory):
    """Without a yes nothing is sent, and a run that can go on still can."""
    first = run(shop)
    shop.score_all_free(1)

    def stop(rows):
        raise StopError("gone", reason=StopReason.NETWORK)

    memory.on_send = stop
    second = run(shop, night=1)
    memory.on_send = lambda _: None
    with pytest.raises(GateFailedError, match="not taken back"):
        undo(shop.settings, first.run, outside=outside(shop, 1))
    again = run(shop, night=1)
    assert (again.run, again.is_resumed) == (second.run, True)


def test_a_run_is_taken_back_once(shop, memory):
    """The second time it is said that there is nothing to do."""
    first = run(shop)
    undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop))
    with pytest.raises(LeadlightError, match="taken back already"):
        undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop))


@pytest.mark.parametrize(("reason", "code"), [(StopReason.NETWORK, 3), (StopReason.PERMISSION, 2)])
def test_an_undoing_that_was_stopped_goes_on(shop, memory, reason, code):
    """What is pending is kept, also where a person must mend something first."""

    def stop(_rows):
        raise StopError("no", reason=reason)

    done = run(shop)
    memory.on_send = stop
    report = undo(shop.settings, done.run, may=lambda _: True, outside=outside(shop))
    assert (report.exit_code, report.tally.pending) == (code, done.tally.written)
    memory.on_send = lambda _: None
    report = undo(shop.settings, done.run, may=lambda _: True, outside=outside(shop))
    assert (report.exit_code, report.tally.written) == (0, done.tally.written)


def test_a_restoring_that_is_turned_away_keeps_nobody_from_being_written_to(shop, memory):
    """The undoing tells whom the CRM turned away; the next publication writes to them as to all."""
    first = run(shop)
    lead = shop.free_ids()[3]
    memory.on_send = lambda rows: [Answer(row.key, Outcome.REJECTED, "no", "X") for row in rows if row.key == lead]
    report = undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop))
    assert [(one.lead_id, one.code) for one in report.turned_away] == [(lead, "X")]
    assert report.exit_code == 1
    memory.on_send = lambda _: None
    assert run(shop).tally.rejected == 0
