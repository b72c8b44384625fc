"""Turns: the limit of an account holds for all threads and all processes of a workspace."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
from pyrate_limiter import SQLiteBucket

from pipeline.crm.turns import Limit, SharedTurns, _rates
from support.file_clock import FileClock, moments_of_turns

OF_HUBSPOT, OF_MARKETO = Limit(180, 10), Limit(50, 20)


def most_within(times, seconds):
    """Return the most turns that lie within any span of so many seconds."""
    ordered = sorted(times)
    return max(sum(begin <= one < begin + seconds for one in ordered) for begin in ordered)


@pytest.fixture
def clock(tmp_path, monkeypatch):
    """Return a clock that only sleeping moves, and that all turns go by."""
    with FileClock(tmp_path / "clock") as made:
        monkeypatch.setattr(SQLiteBucket, "now", lambda _: made.now_ns() // 1_000_000)
        yield made


@pytest.mark.parametrize(
    ("limits", "turns"),
    [
        ([OF_HUBSPOT], 400),
        ([OF_MARKETO], 120),
        ([Limit(6, 2)], 40),
        ([Limit(1, 3)], 6),
        ([Limit(4, 1), Limit(10, 5)], 40),
    ],
)
def test_no_span_holds_more_turns_than_the_limit(limits, turns, clock, tmp_path):
    """However many take turns, a limit's span holds no more than it says, and each second no more than its share."""
    takers = 4

    def take(_):
        return moments_of_turns(clock, tmp_path, limits, turns // takers)

    with ThreadPoolExecutor(takers) as pool:
        moments = list(chain.from_iterable(pool.map(take, range(takers))))
    assert len(moments) == turns // takers * takers
    for limit in limits:
        assert most_within(moments, limit.seconds) <= limit.calls
        assert most_within(moments, 1) <= max(1, -(-limit.calls // limit.seconds))


def test_threads_take_turns_together(clock, tmp_path):
    """Threads that share turns, as those of one run do, are given no more than the limit either."""
    turns = SharedTurns(tmp_path, "account", [Limit(6, 2)], sleep=clock.sleep)

    def take(_):
        turns.take()
        return clock.last_seen_ns / 1e9

    with ThreadPoolExecutor(4) as pool:
        moments = list(pool.map(take, range(30)))
    turns.close()
    assert most_within(moments, 2) == 6


def test_processes_take_turns_together(tmp_path):
    """Processes of one account share its limit."""
    command = [sys.executable, "-m", "support.file_clock", str(tmp_path), "6", "2", "15"]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [subprocess.Popen(command, text=True, env=found, **pipes) for _ in range(2)]
    assert [one.stdout.readline() for one in both] == ["ready\n", "ready\n"]
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    moments = [float(line) for one in both for line in one.communicate()[0].splitlines()]
    assert [one.returncode for one in both] == [0, 0]
    assert len(moments) == 30
    assert most_within(moments, 2) <= 6


def test_accounts_have_limits_of_their_own(tmp_path):
    """Turns of one account do not count for another."""
    first, second = (SharedTurns(tmp_path, name, [Limit(1, 60)]) for name in ("a", "b"))
    first.take()
    second.take()
    first.close()
    second.close()
    assert len(list(tmp_path.glob("turns-*.db"))) == 2


def test_no_file_is_named_after_a_secret(tmp_path):
    """The account may be a token; only its hash is kept."""
    turns = SharedTurns(tmp_path, "pat-secret", [Limit(1, 60)])
    turns.take()
    turns.close()
    assert not any("pat-secret" in path.name or b"pat-secret" in path.read_bytes() for path in tmp_path.iterdir())


def test_calls_are_spread_within_a_span():
    """A limit of ten seconds is also kept second by second, and of two limits of one span the lower holds."""
    assert [(rate.limit, rate.interval) for rate in _rates([Limit(180, 10)])] == [(18, 1_000), (180, 10_000)]
    assert [(rate.limit, rate.interval) for rate in _rates([Limit(5, 1), Limit(3, 1)])] == [(3, 1_000)]
    assert [(rate.limit, rate.interval) for rate in _rates([Limit(1, 60)])] == [(1, 60_000)]
    assert [(rate.limit, rate.interval) for rate in _rates([Limit(2, 1), Limit(900, 60)])] == [(2, 1_000)]
