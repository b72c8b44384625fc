"""What every connector keeps through the whole of publishing, whatever the place."""

import pyarrow as pa
import pytest

from pipeline.stages.publish import Wish
from pipeline.stages.publish_checks import set_up
from pipeline.stages.publish_undo import undo
from support.desk import Desk
from support.places import TURNING_AWAY
from support.waiting import is_there, let_go, pipes


@pytest.fixture
def desk(place, tmp_path):
    """Return a shop with the scores of its first night, beside a place that is set up."""
    with Desk(tmp_path, place) as made:
        made.score(0)
        yield made


def test_setting_up_twice_is_setting_up_once(desk):
    """What is missing is created, then nothing is missing any more, and nothing is created."""
    (again,) = set_up(desk.shop.settings, "", outside=desk.outside).set_up
    assert bool(desk.created) == desk.place.makes_properties
    assert (again.created, again.faults) == ((), ())
    assert desk.place.state() == {}


def test_what_lies_there_is_what_the_scores_say(desk):
    """Every free lead holds its score, grade, probability and moment, nobody else holds anything; reading agrees."""
    report = desk.publish()
    state, scores = desk.place.state(), desk.scores(0)
    assert report.exit_code == 0
    assert report.tally.written == len(scores)
    assert set(state) == set(scores)
    for lead, row in scores.items():
        held = state[lead]
        assert float(held["leadlight_score"]) == row["score"]
        assert held["leadlight_grade"] == row["grade"]
        assert float(held["leadlight_probability"]) == pytest.approx(round(row["probability"], 4), abs=1e-9)
    assert desk.disagree() == ()


def test_publishing_twice_is_publishing_once(desk):
    """The same scores again send no row, and leave everything as it lies."""
    first = desk.publish()
    state, writes = desk.place.state(), len(desk.place.written)
    second = desk.publish()
    assert (second.tally.written, second.tally.unchanged) == (0, first.tally.written)
    assert desk.place.state() == state
    assert len(desk.place.written) == writes


def test_a_second_night_writes_only_differences(desk, place, tmp_path):
    """Leads that are written hold what a place holds that was given the second night alone, all others the first."""
    desk.publish()
    first = desk.place.state()
    desk.score(1)
    report = desk.publish()
    with Desk(tmp_path / "alone", place) as alone:
        alone.score(1)
        alone.publish()
        second = alone.place.state()
    state = desk.place.state()
    assert set(state) == {*first, *second}
    written = [lead for lead in state if state[lead] != first.get(lead)]
    assert 0 < len(written) <= report.tally.written < len(second)
    assert all(state[lead] == second[lead] for lead in written)
    assert desk.disagree() == ()


@pytest.mark.parametrize("place", TURNING_AWAY, indirect=True)
def test_rows_that_are_turned_away_leave_the_others_written(desk):
    """They are told with the place's words, all others are written, the counts add up, and they are not sent again."""
    free = sorted(desk.scores(0))
    refused = free[3::40]
    desk.place.forget(refused)
    report = desk.publish()
    assert report.exit_code == 1
    assert (report.tally.rejected, report.tally.written) == (len(refused), len(free) - len(refused))
    assert set(desk.place.state()) == set(free) - set(refused)
    told = report.dead_letters.read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in told] == refused
    assert all(line.split(",", 2)[2].split(",")[0].strip('"') for line in told)
    again = desk.publish()
    assert (again.tally.rejected, again.tally.written) == (len(refused), 0)
    assert desk.disagree() == ()


def test_an_undoing_brings_back_what_lay_there(desk):
    """After the second night is taken back, the first night's values lie there and nothing else."""
    desk.publish()
    first = desk.place.state()
    desk.score(1)
    second = desk.publish()
    assert desk.place.state() != first
    back = undo(desk.shop.settings, second.run, may=lambda _: True, outside=desk.outside)
    assert (back.exit_code, back.changed_since, back.gone) == (0, 0, 0)
    assert desk.place.state() == first
    assert desk.publish().tally.written == second.tally.written


def test_a_dry_run_writes_nothing(desk):
    """What would be sent is told; the place is as before."""
    report = desk.publish(Wish(is_dry=True))
    assert (report.tally.written, report.tally.pending) == (0, len(desk.scores(0)))
    assert desk.place.state() == {}
    assert desk.place.written == []


def test_of_two_runs_at_once_one_refuses(desk, forks, tmp_path):
    """While a process publishes, a second one ends at once with exit code 3 and says why; the first one finishes."""
    command = ["publish", "--config", str(desk.shop.path), "--yes"]
    waits = pipes(tmp_path / "pipes")
    first = forks.start(
        command, {**desk.place.environment, **waits}, tmp_path / "first", patched="support.waiting:at_the_first_step"
    )
    is_there(tmp_path / "pipes")
    second = forks.run(command, desk.place.environment, tmp_path / "second")
    let_go(tmp_path / "pipes")
    assert second.code == 3
    assert f"Another run writes to the target '{desk.place.name}'" in second.out + second.err
    assert first.ended().code == 0
    assert set(desk.place.state()) == set(desk.scores(0))
    assert desk.disagree() == ()


HOSTILE = (
    "O'Brien \"the\" second", "two\nlines", "a\r\nb", "=SUM(1)", "+1", "-1", "@cmd", "#N/A", "NULL", "null", "None",
    "\N{PILE OF POO} \N{GREEK SMALL LETTER ALPHA}", "x" * 900, "'; DROP TABLE leads; --", "%s {0} %(a)s",
    "<b>&amp;</b>", "a,b;c\td", "\\n \\' \\\\", "' OR Name != '", "a%20b/c?d=e#f", "\u202eright to left",
    "e\u0301 not \u00e9",
    "0012", "1e5", "true", "2024-01-01", "C:\\temp\\",
)  # fmt: skip


def test_hostile_texts_survive_unharmed(place, tmp_path):
    """Quotes, line breaks, formulas, markers of emptiness, any script: what is written is what is read."""
    note = {"leadlight_note": {"from": "cell", "length": 1000}}
    with Desk(tmp_path, place, more=note) as desk:
        scores = desk.shop.leads.scores(0)
        texts = pa.array([HOSTILE[number % len(HOSTILE)] for number in range(len(scores))])
        desk.score(0, scores.set_column(scores.schema.get_field_index("cell"), "cell", texts))
        report = desk.publish()
        assert report.tally.rejected == 0
        expected = dict(zip(scores["lead_id"].to_pylist(), texts.to_pylist(), strict=True))
        assert {lead: held["leadlight_note"] for lead, held in desk.place.state().items()} == {
            lead: expected[lead] for lead in desk.scores(0)
        }
        assert desk.disagree() == ()


HOSTILE_IDS = (
    "O'Brien", 'say "hi"', "=SUM(1)", "+1", "@cmd", "#N/A", "NULL", "a,b", "a;b", "back\\slash", "' OR '1'='1", "%s",
    "x" * 200, "\N{PILE OF POO}", "łódź", "a/b?c=d&e#f", "two words", "<b>", "0012", "a\tb",
)  # fmt: skip


def test_hostile_ids_find_their_leads(place, tmp_path):
    """A lead whose id looks like a command, a formula or a path is written like any other, or turned away by name."""
    ids = [*HOSTILE_IDS, *(f"lead-{number}" for number in range(320))]
    with Desk(tmp_path, place, leads=ids) as desk:
        scores = desk.shop.leads.scores(0)
        free = pa.array([[] for _ in ids], scores["held"].type)
        for name, values in (("lead_id", pa.array(ids)), ("held", free)):
            scores = scores.set_column(scores.schema.get_field_index(name), name, values)
        desk.score(0, scores)
        report = desk.publish()
        state = desk.place.state()
        assert len(state) == report.tally.written == len(ids) - report.tally.rejected
        by_lead = {row["lead_id"]: row["score"] for row in scores.to_pylist()}
        assert {lead: float(held["leadlight_score"]) for lead, held in state.items()} == {
            lead: by_lead[lead] for lead in state
        }
        assert set(ids) - set(state) <= desk.place.cannot_hold
        assert {one.lead_id for one in desk.disagree()} <= desk.place.cannot_read
