"""Clocks that run ahead: echoes and foretelling rows are found, habits are not."""

import numpy as np
import pytest

from features.certified import FAILED, NOT_APPLICABLE, PASSED
from features.lags import Lags, Signal
from models.leakage_clock import clocks_ahead, echo, foretelling, leads_by_distance

N = 400


@pytest.fixture
def rng():
    """Draws of the test alone: whichever ran before changes none of them."""
    return np.random.default_rng(7)


def rows(to_next, *, since_last=None, lead=None, name="events with type = x"):
    """Return a signal's rows, one per lead, watched for long before and after."""
    n = len(to_next)
    far = np.full(n, 500.0)
    return Lags(
        Signal(name, "events", features=("x_count_7d",)),
        np.arange(n) if lead is None else lead,
        np.asarray(to_next, dtype=float),
        np.full(n, np.inf) if since_last is None else since_last,
        far,
        far,
    )


def check(*signals, converting=N, **options):
    """Return the result over *signals*."""
    return clocks_ahead(signals, converting_leads=converting, horizon=28.0, as_ofs=np.array([0]), **options)


@pytest.mark.parametrize("days", [5 / 24, 3.0, 14.0, 41.0])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_rows_at_one_distance_are_an_echo(days, share, rng):
    """A quarter of the rows dated so early, to some minutes, are found among habits, at any distance."""
    habit = rng.exponential(3.0, N)
    early = rng.random(N) < share
    found = echo(rows(np.where(early, days + rng.uniform(0, 0.02, N), habit)), N)
    assert "hardly any at another distance" in found.said
    assert found.share == pytest.approx(early.mean(), abs=0.1)


def test_a_wrong_clock_among_right_ones_is_an_echo(rng):
    """A third of the checkouts come from a server two weeks behind; the others lie at their orders."""
    behind = rng.random(N) < 0.33
    found = echo(rows(np.where(behind, 14.0, 0.0) + rng.uniform(0, 0.01, N)), N)
    assert "before" in found.said
    assert found.share == pytest.approx(behind.mean())


@pytest.mark.parametrize(
    "drawn",
    [
        lambda rng: rng.exponential(0.01, N),
        lambda rng: rng.exponential(0.5, N),
        lambda rng: rng.exponential(7.0, N),
        lambda rng: rng.uniform(0, 90, N),
        lambda rng: rng.gamma(3.0, 5.0, N),
        lambda rng: 7.0 * rng.integers(0, 6, N) + rng.normal(0, 0.05, N).clip(0),
        lambda rng: np.floor(rng.exponential(4.0, N)),
    ],
    ids=["at the order", "same day", "within weeks", "no relation", "after some days", "weekly", "dates only"],
)
def test_habits_are_no_echo(drawn, rng):
    """Visits that lead to orders now, soon or later, weekly customers and clocks of whole days raise nothing."""
    assert echo(rows(drawn(rng)), N) is None


def test_a_row_counts_in_both_pairs_of_bins_it_stands_in():
    """Leads are counted once per pair, however many rows they have there."""
    found = leads_by_distance(np.array([2.5, 2.6, 3.5, 99.0]), np.array([0, 0, 1, 2]), days=1.0)
    assert found[:5].tolist() == [0.0, 1.0, 2.0, 1.0, 0.0]


def test_rows_that_nearly_always_come_before_a_conversion_foretell(rng):
    """Dated some days early at random, they are followed by a conversion; before them there was none."""
    found = foretelling(rows(rng.uniform(0, 21, N)), 28.0)
    assert "convert 1 to 28 days after one" in found.said
    assert found.share == 1.0


@pytest.mark.parametrize("followed", [0.3, 0.6, 0.75])
def test_a_strong_and_honest_signal_foretells_nothing(followed, rng):
    """A cart after which three of four leads buy within weeks is no leak."""
    to_next = np.where(rng.random(N) < followed, rng.uniform(1.1, 28, N), np.inf)
    assert foretelling(rows(to_next), 28.0) is None


def test_who_converts_all_the_time_is_foretold_by_nothing(rng):
    """A grocer's regulars buy after every visit, and bought before it."""
    regular = rows(rng.uniform(1.1, 7, N), since_last=rng.uniform(0.1, 7, N))
    assert foretelling(regular, 28.0) is None


def test_what_happens_on_the_same_day_is_not_foretold(rng):
    """A checkout minutes before its order lies at the order: only what comes a day later counts."""
    assert foretelling(rows(rng.uniform(0, 0.5, N)), 28.0) is None


def test_the_check_names_the_signal_and_a_trusted_one_stops_nothing(rng):
    """It fails on the signal's name; named or one of its features named under trusted, it passes and still tells."""
    early, fair = (
        rows(np.full(N, 14.0), name="trials"),
        rows(np.where(rng.random(N) < 0.5, rng.exponential(2.0, N), np.inf), name="visits"),
    )
    found = check(early, fair)
    assert found.outcome == FAILED
    assert {finding.what for finding in found.findings} == {"trials"}
    for trusted in ("trials", "x_count_7d"):
        told = check(early, trusted=frozenset({trusted}))
        assert told.outcome == PASSED
        assert all(finding.is_trusted for finding in told.findings)


def test_too_few_conversions_say_nothing():
    """With fewer than twenty converting leads the check does not apply."""
    assert check(rows(np.full(9, 14.0)), converting=9).outcome == NOT_APPLICABLE
    assert check().outcome == NOT_APPLICABLE
