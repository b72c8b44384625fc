"""The folds of tuning: later times, other leads, and nothing chosen on the rows that judge."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from random_snapshots import DAY, moments

from models.recipe import Recipe
from models.splits import Moments
from models.tuning_folds import closed_before, tuning_folds

some_moments = st.builds(
    moments,
    n=st.integers(60, 400),
    leads=st.integers(30, 100),
    as_ofs=st.integers(1, 10),
    horizon=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
RECIPE = Recipe(least_conversions=5)


@given(some_moments)
def test_no_lead_is_in_two_parts_of_a_fold(rows: Moments) -> None:
    """Who judges neither taught the model nor stopped its trees nor weighed its parts."""
    for fold in (fold for folds in tuning_folds(rows, RECIPE).rounds for fold in folds):
        fit, watch, judge = (set(rows.lead[part]) for part in (fold.fit, fold.watch, fold.judge))
        assert not fit & judge
        assert not watch & judge
        assert not fit & watch


@given(some_moments)
def test_every_label_had_closed_before_the_judged_block_began(rows: Moments) -> None:
    """In a forward round, no label that was learned from or watched was open when judging began."""
    folds = tuning_folds(rows, RECIPE)
    for fold in (fold for folds in folds.rounds for fold in folds if folds and fold.block):
        before = np.concatenate([fold.fit, fold.watch])
        assert rows.decided_at[before].max() <= rows.as_of[fold.judge].min()
        assert closed_before(rows, before, fold.judge).all()
    assert folds.is_forward == any(fold.block for folds in folds.rounds for fold in folds)


@given(some_moments)
def test_rounds_go_forward_and_hold_both_kinds(rows: Moments) -> None:
    """Rounds are ordered in time, and each judges leads that convert and leads that do not."""
    folds = tuning_folds(rows, RECIPE)
    starts = [rows.as_of[folds.judged(place)].min() for place in range(len(folds.rounds))]
    assert not folds.is_forward or starts == sorted(starts)
    for place in range(len(folds.rounds)):
        converted = rows.converted[folds.judged(place)]
        assert converted.any()
        assert not converted.all()


def test_one_moment_gives_rounds_of_other_leads() -> None:
    """Where all rows share one as_of, rounds are groups of leads, and the folds say so."""
    folds = tuning_folds(moments(as_ofs=1), RECIPE)
    assert not folds.is_forward
    assert len(folds.rounds) == 5
    assert sorted(np.concatenate([folds.judged(place) for place in range(5)])) == list(range(600))


def test_the_order_of_rows_changes_no_fold() -> None:
    """Folds are decided by lead and time, never by a row's place."""
    rows = moments()
    shuffled = np.random.default_rng(1).permutation(len(rows))
    mixed = rows.take(shuffled)
    for plain, other in zip(tuning_folds(rows, RECIPE).rounds, tuning_folds(mixed, RECIPE).rounds, strict=True):
        for fold, again in zip(plain, other, strict=True):
            for part in ("fit", "watch", "judge"):
                assert set(getattr(fold, part)) == set(shuffled[getattr(again, part)])


def test_a_recipe_of_two_groups_still_keeps_three_apart() -> None:
    """Learning, watching and judging need a group of leads each."""
    folds = tuning_folds(moments(), replace(RECIPE, groups=2))
    assert folds.rounds
    assert all(len(fold.fit) and len(fold.watch) for found in folds.rounds for fold in found)


def test_a_label_that_closes_inside_the_block_was_not_known_before_it() -> None:
    """Of three rows asked on days 0, 1 and 2, decided two days later, the first two were known on day 3."""
    days = np.arange(4) * DAY
    rows = Moments(days, days + 2 * DAY, np.arange(4, dtype=np.uint64), np.ones(4, dtype=bool))
    assert closed_before(rows, np.arange(3), np.array([3])).tolist() == [True, True, False]
