"""No training label window reaches into the test."""

import numpy as np
import pytest

from features.certified import FAILED, PASSED
from features.moments import DAY
from models.leakage_split import windows_closed
from models.splits import Moments, forward_split


@pytest.fixture
def rows():
    """Ten as-ofs a week apart of forty leads, labels decided four weeks later."""
    as_of = np.tile(np.arange(10) * 7 * DAY, 40)
    lead = np.repeat(np.arange(40, dtype=np.uint64), 10)
    return Moments(as_of, as_of + 28 * DAY, lead, np.arange(400) % 7 == 0)


def check(rows, train, test, test_from):
    """Return the result of one split."""
    return windows_closed(rows, train=train, test=test, test_from=test_from)


def test_a_purged_split_passes(rows):
    """What `forward_split` gives has no open window, to the microsecond."""
    split = forward_split(rows)
    found = check(rows, split.train, split.test, split.test_from)
    assert found.outcome == PASSED
    assert rows.decided_at[split.train].max() == split.test_from


@pytest.mark.parametrize("reach", [1, 7 * DAY, 21 * DAY])
def test_a_window_that_reaches_over_fails_by_name(rows, reach):
    """One microsecond is too much."""
    split = forward_split(rows)
    later = Moments(rows.as_of, rows.decided_at + reach, rows.lead, rows.converted)
    found = check(later, split.train, split.test, split.test_from)
    assert found.outcome == FAILED
    assert found.findings[0].what == "label window"


def test_a_test_that_begins_earlier_than_it_says_is_found(rows):
    """Rows at random share time with the training rows, whatever moment is named."""
    order = np.random.default_rng(0).permutation(400)
    found = check(rows, np.sort(order[100:]), np.sort(order[:100]), int(rows.as_of.max()))
    assert {finding.what for finding in found.findings} == {"label window", "split"}


def test_a_row_on_both_sides_is_found(rows):
    """Training and test share no row."""
    split = forward_split(rows)
    found = check(rows, np.append(split.train, split.test[0]), split.test, split.test_from)
    assert any("in training and test at once" in finding.said for finding in found.findings)


def test_other_leads_must_be_other_leads(rows):
    """Where no time divides them, leads must: one lead on both sides fails."""
    train, test = np.flatnonzero(rows.lead < 30), np.flatnonzero(rows.lead >= 30)
    assert check(rows, train, test, None).outcome == PASSED
    found = check(rows, train[:-1], np.append(test, train[-1]), None)
    assert found.findings[0].said == "1 leads are in training and test at once"
