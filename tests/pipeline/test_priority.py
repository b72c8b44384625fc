"""A nightly run gives way to whoever opens a page."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system knows no niceness")

SAY = """
import os, threading
from pipeline.priority import give_way
for niceness in {given}:
    give_way(niceness)
said = []
threading.Thread(target=lambda: said.append(os.getpriority(os.PRIO_PROCESS, 0))).start()
print(*said)
"""


@pytest.mark.parametrize(("given", "then"), [([0], 0), ([15], 15), ([15, 10], 15), ([3, 7], 7)])
def test_a_run_gives_way_as_far_as_was_asked_for_and_never_less_than_before(given, then):
    """Threads that begin later give way as well; twice is once."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    said = subprocess.run([sys.executable, "-c", SAY.format(given=given)], capture_output=True, text=True, check=True)
    assert int(said.stdout) == max(before, then)
