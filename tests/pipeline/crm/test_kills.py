"""Processes killed in the midst of publishing: no lead is missed, and none is written with two values.

Each kill has a target and a ledger of its own. Its moment is drawn uniformly over the time that an unkilled run takes
from its lock to its end. ``LEADLIGHT_KILLS=100`` (`make crm-kills`) kills a hundred runs in each place.
"""

import os
import random
from collections import Counter
from functools import cache
from statistics import median

import pytest

from support.desk import Desk
from support.killing import Killer

KILLS = int(os.environ.get("LEADLIGHT_KILLS", "5"))
LEADS = 2_500
"""Four in five of them are free to be written."""
MANY = 100
"""From so many kills on, chance does not decide how many of them met a batch on its way."""
AGAIN = 0.3
"""Share of runs whose second start is killed too."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unkilled(forks, tmp_path_factory):
    """Return what a place holds after a night alone that nobody killed, and how long that took at the median."""

    def once(place, night):
        with Desk(tmp_path_factory.mktemp("unkilled"), place, leads=LEADS) as desk:
            desk.score(night)
            desk.place.slow_down()
            killer = Killer(forks, desk)
            killer.finished()
            return desk.place.state(), killer.seconds()

    @cache
    def some(place, night):
        states, seconds = zip(*(once(place, night) for _ in range(3 if KILLS >= MANY else 1)), strict=True)
        assert all(state == states[0] for state in states)
        return states[0], median(seconds)

    return some


def moments(place, number, seconds):
    """Yield when a run is killed, and now and then when its second start is."""
    drawn = random.Random(f"{place} {number}")
    yield drawn.uniform(0, seconds)
    if drawn.random() < AGAIN:
        yield drawn.uniform(0, seconds)


def test_a_killed_run_ends_as_if_nobody_had_killed_it(place, forks, unkilled, tmp_path, record_property):
    """Started again it finishes, the place holds what an unkilled run leaves, and each lead was given one value."""
    expected, seconds = unkilled(place, 0)
    assert len(expected) >= 2_000
    in_flight, faults = 0, []
    for number in range(KILLS):
        with Desk(tmp_path / str(number), place, leads=LEADS) as desk:
            desk.score(0)
            desk.place.slow_down()
            killer = Killer(forks, desk)
            had_batches = [killer.killed(moment) for moment in moments(place, number, seconds)]
            in_flight += had_batches[0]
            killer.finished()
            desk.place.speed_up()
            faults += [f"run {number}: {fault}" for fault in faults_of(desk, expected)]
    wrong = len({fault.partition(":")[0] for fault in faults})
    record_property("kills", [place, KILLS, in_flight, KILLS - wrong, round(seconds, 1)])
    assert faults == []
    assert KILLS < MANY or in_flight >= 0.3 * KILLS


def faults_of(desk, expected):
    """Return what is not as an unkilled run leaves it."""
    state = desk.place.state()
    values = Counter(lead for lead, _ in set(desk.place.written))
    assert set(values) == (set(expected) if desk.place.keeps_writes else set())
    found = {
        "leads differ": [lead for lead in {*expected, *state} if expected.get(lead) != state.get(lead)],
        "leads were given several values": [lead for lead, times in values.items() if times > 1],
        "leads are not as the ledger says": [one.lead_id for one in desk.disagree()],
    }
    return [f"{len(leads)} {what}, such as {leads[0]}" for what, leads in found.items() if leads]


def test_newer_scores_are_not_overwritten_by_a_killed_run(place, forks, unkilled, tmp_path):
    """What a killed run had on its way ends before newer scores are written; each lead holds what the ledger says."""
    first, seconds = unkilled(place, 0)
    second, _ = unkilled(place, 1)
    for number in range(max(1, KILLS // 4)):
        with Desk(tmp_path / str(number), place, leads=LEADS) as desk:
            desk.score(0)
            desk.place.slow_down()
            killer = Killer(forks, desk)
            for moment in moments(f"{place}, then another night", number, seconds):
                killer.killed(moment)
            desk.score(1)
            report = killer.finished()
            assert not report["is_resumed"]
            desk.place.speed_up()
            state, before, now = desk.place.state(), desk.scores(0), desk.scores(1)
            assert desk.disagree() == ()
            assert set(second) <= set(state)
            for lead, held in state.items():
                # What the first night wrote may stand only where the second has nothing new to say.
                assert held in {0: [first.get(lead)], 1: [second.get(lead)]}[lead in now] or (
                    held == first[lead] and is_much_the_same(before[lead], now[lead])
                )


def is_much_the_same(before, now):
    """Return whether a lead is not worth another write."""
    is_near = abs(before["score"] - now["score"]) < 3
    return is_near and all(before[name] == now[name] for name in ("grade", "action"))
