"""A nightly run gives way to whoever opens a page."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="this system knows no idle policy")

SAY = """
import os, threading
from pipeline.priority import give_way
if {is_forbidden}:
    def no(*_): raise PermissionError
    os.sched_setscheduler = no
for to in {asked}:
    give_way(to)
said = []
def say(): said.extend((os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)))
thread = threading.Thread(target=say)
thread.start()
thread.join()
print(*said)
"""


def given(*asked, is_forbidden=False):
    """Return the policy and the niceness of a thread that begins after a process gave way."""
    code = SAY.format(asked=asked, is_forbidden=is_forbidden)
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split()))


def test_a_run_gives_way_as_far_as_it_was_asked_to():
    """Threads that begin later give way as well; twice is once, and nobody takes a turn back."""
    policy, before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    assert given("normal") == (policy, before)
    assert given("low") == given("low", "low") == given("low", "normal") == (policy, max(before, 15))
    assert given("idle") == given("idle", "normal") == (os.SCHED_IDLE, before)


def test_where_the_idle_policy_is_forbidden_the_priority_is_low():
    """A container that forbids it stops no run."""
    assert given("idle", is_forbidden=True)[1] == max(os.getpriority(os.PRIO_PROCESS, 0), 15)
