"""Turns: the limit of an account holds for all threads and all processes of a machine."""

import subprocess
import sys
import threading
import time

from pipeline.crm.turns import Limit, SharedTurns, _rates

_TAKER = """
import sys, time
from pathlib import Path
from pipeline.crm.turns import Limit, SharedTurns
turns = SharedTurns(Path(sys.argv[1]), "account", [Limit(6, 0.5)])
for _ in range(int(sys.argv[2])):
    turns.take()
    print(time.time(), flush=True)
turns.close()
"""


def most_within(times, seconds):
    """Return the most turns that lie within any span of so many seconds."""
    ordered = sorted(times)
    return max(sum(begin <= one < begin + seconds for one in ordered) for begin in ordered)


def test_threads_take_turns_together(tmp_path):
    """However many threads ask, a span holds no more turns than the limit."""
    turns, taken, lock = SharedTurns(tmp_path, "account", [Limit(6, 0.5)]), [], threading.Lock()

    def take():
        for _ in range(5):
            turns.take()
            with lock:
                taken.append(time.time())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns.close()
    assert len(taken) == 20
    assert max(taken) - min(taken) >= 1.4  # twenty turns, six in half a second: the last begins the fourth span


def test_processes_take_turns_together(tmp_path):
    """Two processes of one account share its limit."""
    command = [sys.executable, "-c", _TAKER, str(tmp_path), "9"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    taken = [float(line) for one in both for line in one.communicate()[0].splitlines()]
    assert [one.returncode for one in both] == [0, 0]
    assert len(taken) == 18
    assert max(taken) - min(taken) >= 0.9


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
