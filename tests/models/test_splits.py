"""Splits go forward in time, and no fold has one person on both sides."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_snapshots import DAY, moments

from models.splits import Moments, forward_folds, forward_split, lead_folds, lead_groups, sample_of_whole_leads

some_moments = st.builds(
    moments,
    n=st.integers(50, 400),
    leads=st.integers(20, 100),
    as_ofs=st.integers(1, 10),
    horizon=st.integers(1, 12),
    seed=st.integers(0, 1000),
)


@given(some_moments)
def test_no_training_label_was_open_when_the_test_began(rows: Moments) -> None:
    """Every training label closes at or before the first test snapshot, or else no lead is on both sides."""
    split = forward_split(rows)
    if split.test_from is None:
        assert not set(rows.lead[split.train]) & set(rows.lead[split.test])
    else:
        assert rows.decided_at[split.train].max(initial=0) <= rows.as_of[split.test].min()
        assert rows.as_of[split.test].min() >= split.test_from


@given(some_moments)
def test_no_fold_has_one_lead_on_both_sides(rows: Moments) -> None:
    """Whoever is judged in a fold taught that fold's model nothing, in either kind of fold."""
    dealt = {"groups": 4, "judged": 4, "seed": 0}
    for fold in (*lead_folds(rows, **dealt), *forward_folds(rows, **dealt, blocks=3, least_conversions=5)):
        assert not set(rows.lead[fold.fit]) & set(rows.lead[fold.judge])


@given(some_moments)
def test_a_forward_block_learns_only_from_labels_closed_before_it(rows: Moments) -> None:
    """In a forward fold, every label learned from had closed when the first judged snapshot was taken."""
    for fold in forward_folds(rows, groups=3, judged=3, blocks=4, least_conversions=5, seed=1):
        assert rows.decided_at[fold.fit].max() <= rows.as_of[fold.judge].min()
        assert fold.block >= 1


def test_lead_folds_judge_every_row_once() -> None:
    """With all groups judged, the judged rows are all rows, each once."""
    rows = moments()
    judged = np.concatenate([fold.judge for fold in lead_folds(rows, groups=5, judged=5, seed=0)])
    assert np.array_equal(np.sort(judged), np.arange(len(rows)))


def test_the_order_of_rows_changes_no_split() -> None:
    """A row lands on the same side of the split and in the same group wherever it stands in the table."""
    rows = moments()
    shuffle = np.random.default_rng(1).permutation(len(rows))
    plain, shuffled = forward_split(rows), forward_split(rows.take(shuffle))
    assert np.array_equal(np.sort(shuffle[shuffled.test]), plain.test)
    assert np.array_equal(np.sort(shuffle[shuffled.train]), plain.train)
    groups = lead_groups(rows, count=4, seed=0)
    assert np.array_equal(lead_groups(rows.take(shuffle), count=4, seed=0), groups[shuffle])


def test_every_group_gets_its_share_of_conversions() -> None:
    """Converting leads are dealt one by one, so two groups differ by one converting lead at most."""
    rows = moments()
    groups = lead_groups(rows, count=7, seed=3)
    held = [rows.converting_leads(groups == group) for group in range(7)]
    assert max(held) - min(held) <= 1


def test_another_seed_deals_the_leads_anew() -> None:
    """Two seeds give two dealings."""
    rows = moments()
    assert not np.array_equal(lead_groups(rows, count=4, seed=0), lead_groups(rows, count=4, seed=1))


def test_the_hold_out_holds_its_share_of_converting_leads() -> None:
    """The test holds at least the share asked for, and would not if it began one as_of later."""
    rows = moments(3000, leads=2000, horizon=1)
    split = forward_split(rows, test_share=0.3)

    def share(start: int) -> float:
        test = rows.converting_leads(rows.as_of >= start)
        return test / (test + rows.converting_leads(rows.decided_at <= start))

    assert split.test_from is not None
    assert share(split.test_from) >= 0.3 > share(split.test_from + DAY)


def test_a_campaign_still_open_when_the_test_begins_is_in_neither_part() -> None:
    """Campaigns A and B had ended when D began; C had not, so it neither trains nor tests."""
    as_of = np.array([0, 0, 10, 20, 30, 30]) * DAY
    ends = np.array([9, 9, 19, 35, 40, 40]) * DAY
    rows = Moments(as_of, ends, np.arange(6, dtype=np.uint64), np.array([True, False, True, True, True, False]))
    split = forward_split(rows, test_from=30 * DAY)
    assert split.train.tolist() == [0, 1, 2]
    assert split.test.tolist() == [4, 5]


@pytest.mark.parametrize("count", [1, 3])
def test_a_number_of_as_ofs_can_be_held_out(count: int) -> None:
    """Asked for the newest n as_ofs, the test holds exactly those."""
    rows = moments(horizon=1)
    split = forward_split(rows, test_as_ofs=count)
    assert np.unique(rows.as_of[split.test]).size == count


def test_one_as_of_is_split_by_lead() -> None:
    """Where all snapshots share one as_of, about the asked share of the leads is held out."""
    rows = moments(as_ofs=1)
    split = forward_split(rows, test_share=0.25)
    assert split.test_from is None
    assert 0.15 < len(split.test) / len(rows) < 0.35
    assert len(split.test) + len(split.train) == len(rows)
    assert forward_folds(rows, groups=3, judged=3, blocks=4, least_conversions=5, seed=0) == ()


def test_rows_in_time_order_without_dates_split_like_dates() -> None:
    """With the row's number as its as_of, the newest rows are the test."""
    rows = moments(400, leads=10_000)
    numbered = replace(rows, as_of=np.arange(400), decided_at=np.arange(400))
    split = forward_split(numbered, test_share=0.25)
    assert split.train.tolist() + split.test.tolist() == sorted({*split.train, *split.test})
    assert split.test[-1] == 399
    blocks = {fold.block for fold in forward_folds(numbered, groups=2, judged=2, blocks=4, least_conversions=5, seed=0)}
    assert blocks == {1, 2, 3, 4}


def test_a_sample_takes_leads_whole() -> None:
    """Of each lead the sample holds every row or none, and about as many rows as asked for."""
    rows = moments(4000, leads=1500)
    taken = sample_of_whole_leads(rows.lead, most_rows=1000, seed=1)
    assert 800 < len(taken) < 1200
    assert not set(rows.lead[taken]) & set(np.delete(rows.lead, taken))
    assert len(sample_of_whole_leads(rows.lead, most_rows=4000, seed=1)) == 4000
