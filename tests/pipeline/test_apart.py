"""A process of its own for work that needs much memory: what it returns and how it fails is as if it had been here."""

import os
import signal
from math import sqrt
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from features.errors import LeadlightError, NotFinishedError
from pipeline.apart import apart
from pipeline.settings import load


def dies_while_it_tells() -> str:
    """Return something of which only the first bytes reach whoever waits."""

    def begin(self, buffer, write=os.write):
        write(self.fileno(), bytes(buffer)[:2])
        signal.raise_signal(signal.SIGKILL)

    Connection._send = begin
    return "much"


def test_what_it_returns_comes_back():
    """From another process than this one."""
    assert apart(sqrt, 16) == 4
    assert apart(os.getpid) != os.getpid()


def test_what_a_person_can_mend_is_told_as_if_it_had_been_here():
    """The very message."""
    with pytest.raises(LeadlightError) as here:
        load(Path("nowhere.yaml"))
    with pytest.raises(LeadlightError) as there:
        apart(load, Path("nowhere.yaml"))
    assert str(there.value) == str(here.value)


def test_a_process_that_is_killed_is_not_finished():
    """Such as by a machine without memory left: running again is safe."""
    with pytest.raises(NotFinishedError, match="signal 9"):
        apart(signal.raise_signal, signal.SIGKILL)


def test_a_process_that_is_killed_while_it_tells_is_not_finished():
    """Half of what it told came."""
    with pytest.raises(NotFinishedError, match="signal 9"):
        apart(dies_while_it_tells)


def test_ctrl_c_is_left_to_the_process_that_waits():
    """It reaches both; the other one says what it leaves."""
    assert apart(signal.raise_signal, signal.SIGINT) is None


def test_a_fault_of_ours_shows_where_it_was(capfd):
    """Its traceback is on stderr, and the caller fails as well."""
    with pytest.raises(RuntimeError, match="ended with 1"):
        apart(int, "no number")
    assert "ValueError" in capfd.readouterr().err
