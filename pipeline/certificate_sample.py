"""Which leads and rows the certificate looks at, read bucket by bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.attribute_changes import Changes, added, changes_after_conversion
from features.catalog import Feature
from features.cohorts import Cohort
from features.lags import ATTRIBUTES, Lags, Signal, conversions, lags, signals
from features.matrix import FeatureTable
from features.sampled import Sampled, sampled
from features.timeline import Timelines
from features.training_table import Question
from models.lead_hash import lead_hash
from models.leakage_alike import Known
from models.splits import scramble
from pipeline.ingested import Tables

Draw = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

SHARE_OUTSIDE = 0.2
"""Share of the sample that may come from leads outside the training table: the cohort left them out, rightly?"""
ENOUGH_CONVERTING = 2_000
"""Converting leads from which on no further bucket is read for the clocks: bounds are sharp by then."""
_SEED = 505


@dataclass(frozen=True)
class Material:
    """What the certificate was given to look at.

    Attributes:
        samples: Leads to be computed anew, by bucket.
        draws: Per sample and lead of its bucket a number in [0, 1), drawn by the lead's hash.
        lags: Rows of every signal beside the conversions, whole buckets.
        known: Hashes of the leads of those buckets, and of those among them that ever convert.
        changes: Versions of the attributes beside the conversions.
    """

    samples: tuple[Sampled, ...]
    draws: tuple[Draw, ...]
    lags: tuple[Lags, ...]
    known: Known
    changes: tuple[Changes, ...]

    @property
    def leads(self) -> int:
        """How many leads are computed anew."""
        return sum(len(np.unique(one.asked.lead_no)) for one in self.samples)


def gather(
    tables: Tables, question: Question, features: Sequence[Feature], table: FeatureTable, *, leads: int, seed: int
) -> Material:
    """Return what there is to look at, reading as few buckets as are needed.

    Args:
        tables: The ingested tables.
        question: What the table answers.
        features: The catalog.
        table: The training table.
        leads: How many leads to compute anew.
        seed: Chooses them.
    """
    reader = _Reader(question, features, table)
    samples: list[Sampled] = []
    draws: list[Draw] = []
    buckets: list[_Bucket] = []
    found = 0
    for number in range(tables.buckets):
        timelines = tables.timelines(number, columns=reader.columns)
        buckets.append(reader.beside_conversions(timelines))
        if found < leads:
            wanted = reader.wanted(timelines.leads["lead_id"], leads=leads - found, seed=seed)
            samples.append(sampled(timelines, question, table, wanted))
            draws.append(_draws(timelines.leads["lead_id"], seed + 1))
            found += int(wanted.sum())
        if found >= leads and sum(len(one.converting) for one in buckets) >= ENOUGH_CONVERTING:
            break
    return Material(
        samples=tuple(samples),
        draws=tuple(draws),
        lags=tuple(
            _together(signal, [one.lags[place] for one in buckets]) for place, signal in enumerate(reader.signals)
        ),
        known=Known(
            np.sort(np.concatenate([one.leads for one in buckets])),
            np.sort(np.concatenate([one.converting for one in buckets])),
        ),
        changes=added([one.changes for one in buckets]) if reader.attributes else (),
    )


@dataclass(frozen=True)
class _Bucket:
    """One bucket beside its conversions.

    Attributes:
        lags: Rows of each signal.
        changes: Versions of the attributes.
        leads: Hashes of its leads.
        converting: Hashes of those that ever convert.
    """

    lags: tuple[Lags, ...]
    changes: tuple[Changes, ...]
    leads: Hashes
    converting: Hashes


class _Reader:
    """What is read of every bucket, and who of it is sampled; the arguments are those of `gather`."""

    def __init__(self, question: Question, features: Sequence[Feature], table: FeatureTable) -> None:
        self._question = question
        self.columns = question.columns_read(features)
        self.signals = signals(features)
        self.attributes = [one.column for one in self.signals if one.table == ATTRIBUTES]
        # Everyone belongs: then who is in no row was asked at no moment, and there is nothing to decide anew.
        self._share_outside = 0.0 if question.cohort == Cohort() else SHARE_OUTSIDE
        ids = table.keys["lead_id"].cast(pa.string())
        converted = ids.filter(table.labels["converted"]) if table.labels is not None else ids.slice(0, 0)
        self._converted, self._in_table = pc.unique(converted), pc.unique(ids)

    def beside_conversions(self, timelines: Timelines) -> _Bucket:
        """Return the signals and the attributes of a bucket beside its conversions."""
        asked = self._question
        leads = lead_hash(timelines.leads["lead_id"].cast(pa.string()))
        converting = np.unique(conversions(timelines, asked.conversion)[0]) - timelines.first_lead_no
        return _Bucket(
            lags=tuple(lags(timelines, one, asked.conversion) for one in self.signals),
            changes=changes_after_conversion(
                timelines, self.attributes, asked.conversion, days=float(asked.horizon_days)
            ),
            leads=leads,
            converting=leads[converting],
        )

    def wanted(self, lead_ids: pa.ChunkedArray, *, leads: int, seed: int) -> npt.NDArray[np.bool_]:
        """Return up to *leads* leads of a bucket by their hash: see `_wanted`."""
        return _wanted(
            lead_ids,
            _draws(lead_ids, seed),
            self._converted,
            self._in_table,
            leads=leads,
            share_outside=self._share_outside,
        )


def _draws(lead_ids: pa.ChunkedArray, seed: int) -> Draw:
    hashed = scramble(lead_hash(lead_ids.cast(pa.string())), _SEED + seed)
    return (hashed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _wanted(
    lead_ids: pa.ChunkedArray, draw: Draw, converted: pa.Array, in_table: pa.Array, *, leads: int, share_outside: float
) -> npt.NDArray[np.bool_]:
    """Choose up to *leads* leads by their hash: as many converting ones as others, and some that are in no row."""
    converts, is_in = (
        pc.is_in(lead_ids.cast(pa.string()), value_set=values).to_numpy() for values in (converted, in_table)
    )
    wanted = np.zeros(len(draw), dtype=np.bool_)
    n_outside = min(round(share_outside * leads), int((~is_in).sum()))
    n_converting = min((leads - n_outside) // 2, int(converts.sum()))
    n_others = leads - n_outside - n_converting
    for group, count in ((~is_in, n_outside), (converts, n_converting), (is_in & ~converts, n_others)):
        places = np.flatnonzero(group)
        # Ties of the draw are settled by place, which is the order of lead ids.
        wanted[places[np.argsort(draw[places], kind="stable")[:count]]] = True
    return wanted


def _together(signal: Signal, parts: Sequence[Lags]) -> Lags:
    return Lags(
        signal,
        np.concatenate([part.lead for part in parts]),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("to_next", "since_last", "followed", "preceded")
        ),
    )
