"""A sample of a training table beside the timelines it was computed from, so that it can be computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.deleting import asked_at, cuts, only_leads, without_future
from features.matrix import FeatureTable
from features.snapshots import Snapshots
from features.timeline import Int64Array, Timelines, microseconds
from features.training_table import Question, ripe_snapshots

Recount: TypeAlias = Callable[[Timelines, Snapshots], FeatureTable]
"""Computes features anew: whatever the training table was computed by."""
Membership: TypeAlias = Callable[[Timelines, Snapshots], npt.NDArray[np.bool_]]
"""Decides anew which snapshots belong to the cohort."""

ROUNDS = ("first", "early", "middle", "late", "last")
"""Where the future of each lead begins, round by round: at its first as_of, its last, or in a third of the others."""


@dataclass(frozen=True)
class Sampled:
    """Some leads of a bucket.

    Attributes:
        timelines: The bucket with the rows of these leads only.
        asked: Their ripe snapshots, members of the cohort or not.
        place: Position of each snapshot of *asked* in the training table, -1 where it is not in it, shape ``(n,)``.
        strangers: Rows of these leads in the training table that nobody would ask about.
    """

    timelines: Timelines
    asked: Snapshots
    place: Int64Array
    strangers: int

    @property
    def in_table(self) -> npt.NDArray[np.bool_]:
        """Which snapshots are in the training table, shape ``(n,)``."""
        return self.place != -1


def sampled(timelines: Timelines, question: Question, table: FeatureTable, wanted: npt.NDArray[np.bool_]) -> Sampled:
    """Return the sample of *wanted* leads.

    Args:
        timelines: A bucket.
        question: What the table answers.
        table: The training table.
        wanted: Which leads of the bucket, shape ``(n_leads,)``.
    """
    few = only_leads(timelines, wanted)
    everyone, _ = ripe_snapshots(few, question)
    asked = everyone.take(wanted[everyone.lead_no - few.first_lead_no])
    ids = few.leads["lead_id"].cast(pa.string()).filter(pa.array(wanted))
    rows = np.flatnonzero(pc.is_in(table.keys["lead_id"].cast(pa.string()), value_set=pc.unique(ids)).to_numpy())
    known = {key: int(row) for key, row in zip(_keys_of_table(table, rows), rows, strict=True)}
    # Each is taken out, so that what is left at the end is what nobody would ask about.
    place = np.asarray([known.pop(key, -1) for key in _keys_of_snapshots(few, asked)], dtype=np.int64)
    return Sampled(few, asked, place, strangers=len(known))


@dataclass(frozen=True)
class CutSample:
    """A sample whose leads each lost their future.

    Attributes:
        sample: The sample.
        past: Its timelines without what was known of each lead at its cut or later.
        at_cut: Which of its snapshots lie exactly at their lead's cut, shape ``(n,)``.
    """

    sample: Sampled
    past: Timelines
    at_cut: npt.NDArray[np.bool_]


def cut_round_by_round(samples: Sequence[Sampled], draws: Sequence[npt.NDArray[np.float64]]) -> Iterator[CutSample]:
    """Yield every sample once per round of `ROUNDS`, each lead cut at one of its as-ofs.

    Args:
        samples: Leads of some buckets.
        draws: Per sample and lead of its bucket a number in [0, 1) that chooses the cuts in between.
    """
    for one, draw in zip(samples, draws, strict=True):
        first, n_leads = one.timelines.first_lead_no, len(one.timelines.leads)
        for round_ in ROUNDS:
            cut = cuts(one.asked, n_leads=n_leads, first_lead_no=first, chosen=_chosen(round_, draw))
            yield CutSample(one, without_future(one.timelines, cut), asked_at(one.asked, cut, first_lead_no=first))


def edges(samples: Sequence[Sampled]) -> Int64Array:
    """Return every as_of that the samples ask about."""
    return np.concatenate([np.empty(0, dtype=np.int64), *(one.asked.as_of for one in samples)])


_Key: TypeAlias = tuple[str, int, str | None]


def _keys_of_table(table: FeatureTable, rows: Int64Array) -> list[_Key]:
    keys = table.keys.take(pa.array(rows))
    return _keys(keys["lead_id"], microseconds(keys["as_of"]), keys["trigger_id"])


def _keys_of_snapshots(timelines: Timelines, asked: Snapshots) -> list[_Key]:
    leads = timelines.leads["lead_id"].take(pa.array(asked.lead_no - timelines.first_lead_no))
    trigger = pa.nulls(len(asked), pa.string()) if asked.trigger is None else asked.trigger["row_id"]
    return _keys(leads, asked.as_of, trigger)


def _keys(leads: pa.ChunkedArray, as_of: Int64Array, trigger: pa.Array) -> list[_Key]:
    texts = [column.cast(pa.string()).to_pylist() for column in (leads, trigger)]
    return list(zip(texts[0], as_of.tolist(), texts[1], strict=True))


def _chosen(round_: str, draw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return which as_of of each lead is its cut in a round, 0 = first … 1 = last; *draw* is in [0, 1) per lead."""
    if round_ in ("first", "last"):
        return np.full_like(draw, 0.0 if round_ == "first" else 1.0)
    return (("early", "middle", "late").index(round_) + draw) / 3
