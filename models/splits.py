"""Splits that go forward in time and never put one person on both sides of a fold.

The running example: campaigns A (starts 1 Mar, ends 10 Apr), B (15 Apr – 31 May) and C (1 Jun – 15 Jul). Tested on
C, a model may learn from A and B, because both had ended by 1 June. Tested on B and C it may learn from A alone. A
campaign that began before June and ended after would teach nothing: its label was still open when C began.

Everything is decided by lead id, as_of and label, never by a row's place, so the order of rows changes nothing.
All times are int64 microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.mixing import GOLDEN, mixed

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FIRST_BLOCK_SHARE: Final = 0.4
"""Share of the converting rows that only ever train: the first forward block begins after them."""
LEAST_SHARE_BEFORE: Final = 0.2
"""A forward block with less than this share of the converting leads before it says little about the full model."""


@dataclass(frozen=True)
class Moments:
    """What the splits need to know of each row; every array has shape ``(n_rows,)``.

    Attributes:
        as_of: When the lead was looked at.
        decided_at: When its label closed (as_of + horizon + settle).
        lead: Hash of the lead id (`models.lead_hash`).
        converted: The label.
    """

    as_of: Ints
    decided_at: Ints
    lead: npt.NDArray[np.uint64]
    converted: Bools

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.as_of)

    def take(self, rows: Ints) -> Moments:
        """Return the rows at positions *rows*."""
        return Moments(self.as_of[rows], self.decided_at[rows], self.lead[rows], self.converted[rows])

    def converting_leads(self, rows: Ints | Bools) -> int:
        """Return how many distinct leads convert among *rows*."""
        return int(np.unique(self.lead[rows][self.converted[rows]]).size)

    def other_leads(self, rows: Ints | Bools) -> int:
        """Return how many distinct leads have a row among *rows* in which they do not convert."""
        return int(np.unique(self.lead[rows][~self.converted[rows]]).size)


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to be judged on.

    Attributes:
        train, test: Row positions, ascending.
        test_from: The first as_of of the test rows; no training label was open then. None where no label closed
            before a later as_of: then the test is other leads instead of later ones.
    """

    train: Ints
    test: Ints
    test_from: int | None


@dataclass(frozen=True)
class Fold:
    """One model's rows: those it learns from and those it is asked about.

    Attributes:
        fit, judge: Row positions, ascending; no lead is in both.
        block: 0 = *judge* lies in the same time as *fit*; 1, 2, … = in forward blocks, oldest first.
    """

    fit: Ints
    judge: Ints
    block: int


def forward_split(
    moments: Moments,
    *,
    test_share: float = 0.25,
    test_from: int | None = None,
    test_as_ofs: int | None = None,
    seed: int = 0,
) -> Split:
    """Return the newest as_ofs as test, and as training the rows whose labels had closed before.

    Args:
        moments: Ripe rows only.
        test_share: The test begins at the latest as_of from which it holds at least this share of the conversions
            (distinct converting leads) of training and test together.
        test_from: Begin the test exactly here instead.
        test_as_ofs: Or: test this many of the newest as_ofs.
        seed: Chooses the leads of the test where no label closed before a later as_of.

    Returns:
        The split. Rows before the test whose labels closed inside it are in neither part.
    """
    starts = np.unique(moments.as_of)
    if test_from is None and moments.decided_at.min() > starts[-1]:
        groups = lead_groups(moments, count=max(2, round(1 / test_share)), seed=seed)
        return Split(np.flatnonzero(groups != 0), np.flatnonzero(groups == 0), None)
    if test_from is None and test_as_ofs is not None:
        test_from = int(starts[-min(test_as_ofs, len(starts))])
    if test_from is None:
        test_from = _start_for_share(moments, starts, test_share)
    return Split(
        np.flatnonzero((moments.decided_at <= test_from) & (moments.as_of < test_from)),
        np.flatnonzero(moments.as_of >= test_from),
        test_from,
    )


def lead_folds(moments: Moments, *, groups: int, judged: int, seed: int) -> tuple[Fold, ...]:
    """Return folds by lead alone: each judges one group of leads and learns from all the others.

    Args:
        moments: The training rows.
        groups: Into how many groups the leads are dealt.
        judged: How many of the groups are judged.
        seed: Deals the leads.
    """
    group = lead_groups(moments, count=groups, seed=seed)
    return tuple(Fold(np.flatnonzero(group != one), np.flatnonzero(group == one), 0) for one in range(judged))


def forward_folds(
    moments: Moments, *, groups: int, judged: int, blocks: int, least_conversions: int, seed: int
) -> tuple[Fold, ...]:
    """Return forward blocks crossed with groups of leads.

    A block is judged by models of rows whose labels had closed before it began, of other leads.

    Args:
        moments: The training rows.
        groups: Into how many groups the leads are dealt.
        judged: How many of the groups are judged in each block; other groups in other blocks.
        blocks: At most so many blocks.
        least_conversions: Distinct converting leads that a block needs before it, and at or after it; and as many
            others before it.
        seed: Deals the leads.

    Returns:
        The folds, blocks counted from 1; none where all rows share one as_of or horizons overlap throughout.
    """
    starts = _block_starts(moments, blocks, least_conversions)
    group = lead_groups(moments, count=groups, seed=seed)
    ends = [*starts[1:], np.iinfo(np.int64).max]
    made = []
    for block, (start, end) in enumerate(zip(starts, ends, strict=bool(starts)), start=1):
        before = (moments.decided_at <= start) & (moments.as_of < start)
        inside = (moments.as_of >= start) & (moments.as_of < end)
        chosen = [(block * judged + place) % groups for place in range(judged)]
        made += [
            Fold(np.flatnonzero(before & (group != one)), np.flatnonzero(inside & (group == one)), block)
            for one in chosen
        ]
    return tuple(fold for fold in made if len(fold.judge))


def lead_groups(moments: Moments, *, count: int, seed: int) -> Ints:
    """Return each row's group, 0 … count-1: leads are dealt like cards, the converting ones first.

    Dealing both kinds apart gives every group its share of conversions, however few there are.
    """
    order = scramble(moments.lead, seed)
    leads, row_lead = np.unique(order, return_inverse=True)
    converts = np.zeros(len(leads), dtype=bool)
    converts[row_lead[moments.converted]] = True
    dealt = np.empty(len(leads), dtype=np.int64)
    dealt[converts] = np.arange(int(converts.sum())) % count
    dealt[~converts] = np.arange(int((~converts).sum())) % count
    return dealt[row_lead]


def scramble(hashes: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """Return *hashes* mixed with *seed*, one to one."""
    return mixed(hashes + np.uint64((GOLDEN * (seed + 1)) % 2**64))


def sample_of_whole_leads(lead: npt.NDArray[np.uint64], *, most_rows: int, seed: int) -> Ints:
    """Return about *most_rows* row positions, every row of a random share of the leads; all where there are fewer.

    Args:
        lead: Hash of each row's lead, shape ``(n_rows,)``.
        most_rows: Rows wanted.
        seed: Chooses the leads; who is chosen depends on the hash alone, so the order of rows changes nothing.
    """
    if len(lead) <= most_rows:
        return np.arange(len(lead))
    edge = np.uint64(most_rows / len(lead) * 2.0**63) * np.uint64(2)
    return np.flatnonzero(scramble(lead, seed) < edge)


def _start_for_share(moments: Moments, starts: Ints, share: float) -> int:
    """Return the latest start whose test holds *share* of the conversions, or else the earliest that leaves any."""
    converted = moments.converted
    leads, of_lead = np.unique(moments.lead[converted], return_inverse=True)
    last_seen = np.full(len(leads), np.iinfo(np.int64).min)
    np.maximum.at(last_seen, of_lead, moments.as_of[converted])
    first_closed = np.full(len(leads), np.iinfo(np.int64).max)
    np.minimum.at(first_closed, of_lead, moments.decided_at[converted])
    test = len(leads) - np.searchsorted(np.sort(last_seen), starts, side="left")
    train = np.searchsorted(np.sort(first_closed), starts, side="right")
    enough = np.flatnonzero((train > 0) & (test >= share * (test + train)))
    return int(starts[enough[-1]] if len(enough) else starts[-1])


def _block_starts(moments: Moments, blocks: int, least: int) -> list[int]:
    """Return the as_ofs at which forward blocks begin, ascending; none where no block is fair."""
    converted_at = np.sort(moments.as_of[moments.converted])
    if not len(converted_at):
        return []
    shares = FIRST_BLOCK_SHARE + (1 - FIRST_BLOCK_SHARE) * np.arange(blocks) / blocks
    starts = np.unique(converted_at[(shares * len(converted_at)).astype(np.int64)])
    enough = max(least, int(LEAST_SHARE_BEFORE * moments.converting_leads(moments.converted)))
    fair = [int(start) for start in starts if _can_teach(moments, moments.decided_at <= start, enough, least)]
    while fair and moments.converting_leads(moments.as_of >= fair[-1]) < least:
        fair.pop()
    return fair


def _can_teach(moments: Moments, rows: Bools, converting: int, others: int) -> bool:
    """Return whether *rows* hold so many leads that convert and so many that do not."""
    return moments.converting_leads(rows) >= converting and moments.other_leads(rows) >= others
