"""Laws of the backtest: forward in time, purged, and blind to what comes after."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from features.matrix import FeatureTable
from models.backtest import Backtest, backtest
from models.backtest_folds import LEAST_SHARE, Needs, random_rows, walk_back
from models.baselines import Rival, rivals
from models.contest import OURS
from models.recipe import Recipe
from models.splits import Moments
from models.training import ripe_rows

FEW = Needs(train_leads=5, test_leads=3)
QUICK = Recipe(max_trees=10, bags=1, blocks=1)


def one_rival(table: FeatureTable) -> dict[str, Rival]:
    """Return the plain logistic regression alone: it is the quickest."""
    return {"logistic": rivals(table)["logistic"]}


@st.composite
def some_moments(draw):
    """Return rows of a few leads at a few moments, horizons of 0 to 3."""
    n = draw(st.integers(40, 160))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    as_of = rng.integers(0, draw(st.integers(1, 12)), n)
    lead = rng.integers(0, 40, n).astype(np.uint64)
    return Moments(as_of, as_of + draw(st.integers(0, 3)), lead, rng.random(n) < draw(st.sampled_from([0.2, 0.6])))


@given(moments=some_moments(), most=st.sampled_from([None, 1, 2]))
def test_every_fold_learns_from_labels_that_had_closed_before_it_began(moments, most):
    """Folds follow each other without overlap, hold enough of both kinds, and end with the newest as_of."""
    folds = walk_back(moments, FEW, most=most)
    assert most is None or len(folds) <= most
    least = max(FEW.test_leads, LEAST_SHARE * moments.converting_leads(moments.converted))
    for fold in folds:
        assert moments.converting_leads(fold.train) >= FEW.train_leads
        assert moments.other_leads(fold.train) >= FEW.train_leads
        if fold.test_from is None:
            assert not set(moments.lead[fold.train]) & set(moments.lead[fold.test])
            continue
        assert moments.decided_at[fold.train].max() <= fold.test_from == moments.as_of[fold.test].min()
        assert moments.as_of[fold.train].max() < fold.test_from
        assert moments.converting_leads(fold.test) >= least
    forward = [fold for fold in folds if fold.test_from is not None]
    if forward:
        assert moments.as_of[forward[-1].test].max() == moments.as_of.max()
        for one, after in pairwise(forward):
            assert moments.as_of[one.test].max() < after.test_from
        judged = np.concatenate([fold.test for fold in forward])
        assert sorted(judged) == np.flatnonzero(moments.as_of >= forward[0].test_from).tolist()


@given(moments=some_moments())
def test_a_fold_more_changes_none_of_the_newer_ones(moments):
    """The newest folds are the same, however many older ones are asked for."""
    every = walk_back(moments, FEW)
    for most in (1, 2):
        few = walk_back(moments, FEW, most=most)
        expected = every[-most:] if any(fold.test_from is not None for fold in every) else every[:most]
        for one, other in zip(few, expected, strict=True):
            assert np.array_equal(one.train, other.train)
            assert np.array_equal(one.test, other.test)


def test_random_rows_mix_people_and_times_whatever_the_order():
    """About a quarter is judged, leads and moments are on both sides, and a row's side is its own."""
    lead = np.repeat(np.arange(300), 6).astype(np.uint64) * np.uint64(2**40 + 7)
    as_of = np.tile(np.arange(6), 300)
    moments = Moments(as_of, as_of + 1, lead, np.zeros(1800, bool))
    split = random_rows(moments)
    assert len(split.test) == pytest.approx(450, rel=0.15)
    assert set(as_of[split.test]) == set(as_of[split.train]) == set(range(6))
    assert set(lead[split.test]) & set(lead[split.train])
    shuffle = np.random.default_rng(0).permutation(1800)
    again = random_rows(moments.take(shuffle))
    assert sorted(shuffle[again.test]) == split.test.tolist()


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., FeatureTable]) -> FeatureTable:
    """Return 200 leads at four as_ofs."""
    return make_shop(200, as_ofs=4)


@pytest.fixture(scope="module")
def tested(shop: FeatureTable) -> Backtest:
    """Return the backtest of the shop."""
    return backtest(shop, recipe=QUICK, rivals=one_rival)


def test_each_row_is_judged_once_by_model_and_rivals(shop: FeatureTable, tested: Backtest) -> None:
    """Every row from the first fold on is answered for, by the model and by every rival, beside its own label."""
    answers = tested.answers
    assert tested.is_forward
    as_of = shop.keys["as_of"].cast("int64").to_numpy()
    first = tested.folds[0].test_from
    assert sorted(answers.rows) == np.flatnonzero(as_of >= first).tolist()
    assert list(answers.log_odds) == [OURS, "logistic"]
    assert np.array_equal(answers.converted, shop.labels["converted"].to_numpy()[answers.rows])
    for number, fold in enumerate(tested.folds, start=1):
        judged = as_of[answers.rows[answers.fold == number]]
        assert (judged.min(), judged.max()) == (fold.test_from, fold.test_until)
        assert fold.judgement.contest.metrics[OURS].rows == len(judged)
    assert tested.overall.contest.metrics[OURS].rows == len(answers.rows)
    assert tested.random_split.roc_auc.value > 0.5
    assert sum(cell.rows for fold in tested.folds for cell in fold.judgement.cells) == len(answers.rows)


def test_the_order_of_rows_changes_no_answer(shop: FeatureTable, tested: Backtest) -> None:
    """On shuffled rows every snapshot gets the bits it got before."""
    shuffle = np.random.default_rng(1).permutation(len(shop))
    other = backtest(shop.take(shuffle), recipe=QUICK, rivals=one_rival, with_random_split=False)
    assert other.random_split is None
    said, again = np.empty(len(shop)), np.empty(len(shop))
    said[tested.answers.rows] = tested.answers.log_odds[OURS]
    again[shuffle[other.answers.rows]] = other.answers.log_odds[OURS]
    assert np.array_equal(said[tested.answers.rows], again[tested.answers.rows])
    assert other.folds == tested.folds


def test_what_comes_after_a_fold_changes_none_of_its_answers(shop: FeatureTable, tested: Backtest) -> None:
    """With the newest as_of gone, and its features and labels with it, the folds before are answered as before."""
    as_of = shop.keys["as_of"].cast("int64").to_numpy()
    older = np.flatnonzero(as_of < as_of.max())
    other = backtest(shop.take(older), recipe=QUICK, rivals=one_rival, with_random_split=False)
    before = dict(zip(tested.answers.rows, tested.answers.log_odds[OURS], strict=True))
    again = {older[row]: said for row, said in zip(other.answers.rows, other.answers.log_odds[OURS], strict=True)}
    assert again
    assert all(before[row] == said for row, said in again.items())


def test_without_later_as_ofs_groups_of_leads_are_judged(make_shop: Callable[..., FeatureTable]) -> None:
    """Where all snapshots share one moment, every lead is judged once, by a model of other leads."""
    found = backtest(make_shop(400, as_ofs=1), recipe=QUICK, rivals=one_rival, with_random_split=False)
    assert not found.is_forward
    assert sorted(found.answers.rows) == list(range(400))


def test_data_without_a_fold_are_refused_with_what_is_needed(make_shop: Callable[..., FeatureTable]) -> None:
    """The message says how many leads convert and how many each side of a fold needs."""
    with pytest.raises(LeadlightError, match=r"hold no fold to test back on: \d+ distinct leads convert") as caught:
        backtest(make_shop(30, as_ofs=2), recipe=QUICK, rivals=one_rival)
    assert "30 leads that convert" in str(caught.value)
    assert "Hint: " in str(caught.value)


def test_a_leak_shows_as_optimism(make_shop: Callable[..., FeatureTable]) -> None:
    """A column that tells people apart, where each always does the same, looks better on random rows than forward."""
    table = make_shop(120, as_ofs=6, base=-1.0)
    rng = np.random.default_rng(0)
    fate = rng.random(120) < 0.3
    number = np.array([int(one[5:]) for one in table.keys["lead_id"].to_pylist()])
    as_of = np.unique(table.keys["as_of"].cast("int64").to_numpy(), return_inverse=True)[1]
    # Early snapshots follow a person's fate; the newest two follow nothing.
    converted = np.where(as_of < 4, fate[number], rng.random(len(table)) < 0.3)
    who = rng.permutation(120).astype(float)[number]
    labels = table.labels.set_column(0, "converted", pa.array(converted))
    place = table.columns.column_names.index("days_since_last_order")
    told = replace(
        table, labels=labels, columns=table.columns.set_column(place, "days_since_last_order", pa.array(who))
    )
    assert ripe_rows(told)[1].converted.any()
    found = backtest(told, recipe=Recipe(max_trees=60, bags=1), rivals=one_rival, folds=1)
    honest = found.overall.contest.metrics[OURS].roc_auc.value
    assert found.random_split.roc_auc.value > honest + 0.05
