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
from features.training_table import Question
from models.lead_hash import lead_hash
from models.leakage_alike import Known
from models.splits import scramble
from pipeline.workspace import Tables

Draw = npt.NDArray[np.float64]

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
    columns = question.columns_read(features)
    # Everyone belongs: then who is in no row was asked at no moment, and there is nothing to decide anew.
    share_outside = 0.0 if question.cohort == Cohort() else SHARE_OUTSIDE
    asked_of = signals(features)
    attributes = [one.column for one in asked_of if one.table == ATTRIBUTES]
    ids = table.keys["lead_id"].cast(pa.string())
    converted = pc.unique(ids.filter(table.labels["converted"])) if table.labels is not None else ids.slice(0, 0)
    in_table = pc.unique(ids)
    samples: list[Sampled] = []
    draws: list[Draw] = []
    parts: list[list[Lags]] = []
    changed: list[tuple[Changes, ...]] = []
    found = 0
    hashes: list[npt.NDArray[np.uint64]] = []
    converting: list[npt.NDArray[np.uint64]] = []
    for bucket in range(tables.buckets):
        timelines = tables.timelines(bucket, columns=columns)
        parts.append([lags(timelines, one, question.conversion) for one in asked_of])
        days = float(question.horizon_days)
        changed.append(changes_after_conversion(timelines, attributes, question.conversion, days=days))
        hashes.append(lead_hash(timelines.leads["lead_id"].cast(pa.string())))
        places = np.unique(conversions(timelines, question.conversion)[0]) - timelines.first_lead_no
        converting.append(hashes[-1][places])
        if found < leads:
            draw = _draws(timelines.leads["lead_id"], seed)
            wanted = _wanted(
                timelines.leads["lead_id"], draw, converted, in_table, leads=leads - found, share_outside=share_outside
            )
            samples.append(sampled(timelines, question, table, wanted))
            draws.append(_draws(timelines.leads["lead_id"], seed + 1))
            found += int(wanted.sum())
        if found >= leads and sum(map(len, converting)) >= ENOUGH_CONVERTING:
            break
    rows = [_together(asked_of[place], [part[place] for part in parts]) for place in range(len(asked_of))]
    known = Known(np.sort(np.concatenate(hashes)), np.sort(np.concatenate(converting)))
    return Material(tuple(samples), tuple(draws), tuple(rows), known, added(changed) if attributes else ())


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
