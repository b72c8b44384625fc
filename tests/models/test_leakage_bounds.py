"""Bounds: what chance does not reach, and what is known from the literature."""

import numpy as np
import pytest

from models.leakage_bounds import highest_share, least_odds_ratio, lowest_share


def test_bounds_of_a_share_are_the_exact_binomial_ones():
    """At the bound, as many or more are seen once in a thousand times."""
    from scipy.stats import binom

    for found, of in ((1, 20), (17, 20), (20, 20)):
        assert binom.sf(found - 1, of, lowest_share(found, of)) == pytest.approx(0.001)
    for found, of in ((0, 20), (3, 20), (19, 20)):
        assert binom.cdf(found, of, highest_share(found, of)) == pytest.approx(0.001)
    assert (lowest_share(0, 20), highest_share(20, 20)) == (0.0, 1.0)


def _leads(cells):
    """Return (marked, converts, stratum) of leads counted as (a, b, c, d) per stratum."""
    parts = [
        [(mark, converts, stratum)] * count
        for stratum, (a, b, c, d) in enumerate(cells)
        for (mark, converts), count in zip([(1, 1), (0, 1), (1, 0), (0, 0)], (a, b, c, d), strict=True)
    ]
    marked, converts, stratum = np.array([one for part in parts for one in part]).T
    return marked.astype(bool), converts.astype(bool), stratum


def test_the_odds_ratio_is_that_of_mantel_and_haenszel():
    """Two tables by hand: (10·40/100 + 20·30/100) / (20·30/100 + 10·40/100) = 1; one table: a·d / b·c."""
    ratio, bound = least_odds_ratio(*_leads([(10, 20, 30, 40), (20, 10, 40, 30)]))
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert bound == 1.0
    ratio, bound = least_odds_ratio(*_leads([(800, 200, 200, 800)]))
    assert ratio == pytest.approx(16.0, rel=0.01)
    # Woolf's standard error of the logarithm: √(1/800 + 1/200 + 1/200 + 1/800) = .1118.
    assert np.log(bound) == pytest.approx(np.log(16) - 3.09 * 0.1118, abs=0.02)


def test_a_ratio_below_one_is_bounded_from_above():
    """Marked and unmarked exchanged turn the ratio and its bound upside down."""
    marked, converts, stratum = _leads([(300, 100, 100, 300), (50, 20, 30, 60)])
    up, bound = least_odds_ratio(marked, converts, stratum)
    down, below = least_odds_ratio(~marked, converts, stratum)
    assert (1 / down, 1 / below) == (pytest.approx(up), pytest.approx(bound))


def test_what_a_stratum_explains_is_no_ratio():
    """Within strata nobody differs, so the ratio is 1, though over all leads it is 5.4."""
    marked, converts, stratum = _leads([(640, 160, 160, 40), (40, 160, 160, 640)])
    assert least_odds_ratio(marked, converts, np.zeros_like(stratum))[0] > 4
    ratio, bound = least_odds_ratio(marked, converts, stratum)
    assert ratio == pytest.approx(1.0, abs=0.01)
    assert bound == 1.0


def test_leads_of_one_kind_say_nothing():
    """Without converting leads, or without others, there is no ratio."""
    assert least_odds_ratio(*_leads([(5, 5, 0, 0)])) == (1.0, 1.0)


def test_chance_hardly_ever_passes():
    """Of 500 marks by chance, the bound leaves 1 in at most a handful."""
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(500):
        converts, stratum = rng.random(400) < 0.3, rng.integers(0, 5, 400)
        passed += least_odds_ratio(rng.random(400) < 0.2, converts, stratum)[1] != 1.0
    assert passed <= 4
