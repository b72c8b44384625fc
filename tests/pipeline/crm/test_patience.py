"""Waiting out trouble: as the CRM asks, ever longer, never for ever, and all threads together."""

import threading

import pytest

from pipeline.crm.patience import Breaker, Patience, Standstill, patiently
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError
from support.clock import Clock


def patience(clock, **rest):
    """Return how to wait by that clock."""
    return Patience(**{"most_s": 100, "clock": clock, "sleep": clock.sleep, **rest})


def failing(times, trouble):
    """Return a call that fails so often, then returns how often it was called."""
    calls = []

    def call():
        calls.append(1)
        if len(calls) <= times:
            raise trouble
        return len(calls)

    return call


def test_trouble_that_passes_is_waited_out():
    """A call that fails three times is made a fourth time."""
    clock = Clock()
    assert patiently(failing(3, RetryError("502")), patience(clock), Breaker(patience(clock))) == 4
    assert len(clock.slept) == 3


def test_the_crm_s_own_pause_counts():
    """Where the CRM says how long to wait, that is waited, and no less."""
    clock = Clock()
    patiently(failing(2, RetryError("429", after_s=7, is_turned_away=True)), patience(clock), Breaker(patience(clock)))
    assert clock.slept == [7, 7]


def test_waits_grow_within_their_bound():
    """Waits of ours lie within the doubling bound, and never above the longest."""
    clock = Clock()
    waits = patience(clock, first_s=1, longest_s=4, most_s=10_000, breaker_after=1_000)
    patiently(failing(30, RetryError("503")), waits, Breaker(waits))
    assert all(0 <= slept <= min(4, 2**number) for number, slept in enumerate(clock.slept))
    assert max(clock.slept) > 1


def test_patience_ends():
    """Trouble that never passes stops the run, with the CRM's last words, before the wait would be too long."""
    clock = Clock()
    with pytest.raises(StopError) as caught:
        patiently(failing(10_000, RetryError("gone")), patience(clock), Breaker(patience(clock)))
    assert caught.value.words == "gone"
    assert clock.now <= 100 + 60


def test_a_pause_longer_than_patience_is_not_begun():
    """A CRM that asks to wait an hour is not waited for: the run goes on later."""
    clock = Clock()
    with pytest.raises(StopError):
        patiently(failing(1, RetryError("429", after_s=3_600)), patience(clock), Breaker(patience(clock)))
    assert clock.slept == []


@pytest.mark.parametrize("trouble", [BatchRefusedError("400"), ValueError("ours")])
def test_other_trouble_is_not_waited_for(trouble):
    """What no waiting mends is raised at once."""
    clock = Clock()
    with pytest.raises(type(trouble)):
        patiently(failing(1, trouble), patience(clock), Breaker(patience(clock)))
    assert clock.slept == []


def test_the_breaker_opens_after_failures_in_a_row():
    """After five failures nobody calls until the pause is over; a success closes it again."""
    clock = Clock()
    waits = patience(clock, first_s=0.001, breaker_after=5, breaker_s=20)
    breaker = Breaker(waits)
    patiently(failing(5, RetryError("503")), waits, breaker)
    assert clock.now >= 20
    slept = len(clock.slept)
    patiently(failing(0, RetryError("")), waits, breaker)
    assert len(clock.slept) == slept


def test_to_be_asked_to_go_slower_opens_no_breaker():
    """A CRM that is well and asks to wait is not taken for one that is down."""
    clock = Clock()
    waits = patience(clock, breaker_after=2, breaker_s=50)
    patiently(failing(6, RetryError("429", after_s=0.1, is_turned_away=True)), waits, Breaker(waits))
    assert clock.now < 1


def test_one_thread_tries_while_the_others_wait():
    """While the breaker is open one call goes out at a time, however many threads want to."""
    clock = Clock()
    waits = patience(clock, first_s=0.001, breaker_after=1, breaker_s=1)
    breaker, under_way, most, lock = Breaker(waits), [], [], threading.Lock()
    breaker.failed()

    def call():
        with lock:
            under_way.append(1)
            most.append(len(under_way))
        if breaker._failures:
            threading.Event().wait(0.01)
        with lock:
            under_way.pop()

    threads = [threading.Thread(target=patiently, args=(call, waits, breaker)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert len(most) == 6


def test_a_standstill_ends_when_patience_does():
    """Calls that bring no answer end a run after `most_s`, with the last words; any answer that counts begins anew."""
    clock = Clock()
    standstill = Standstill(patience(clock))
    for moved in (True, False):
        for _ in range(3):
            standstill.stayed("a page to log in")
            clock.sleep(30)
        assert standstill.stop is None
        if moved:
            standstill.moved()
    standstill.stayed("")
    assert standstill.stop is None
    clock.sleep(30)
    standstill.stayed("")
    assert standstill.stop.words == "for 100 s nothing that it said was an answer; the last was: a page to log in"
