"""Leads that are alike: in all that has a clock, they look equally likely to convert.

Each lead stands with its first snapshot. A small LightGBM on the features that read rows with times, fitted on one half
of the leads and asked about the other, says how likely each lead is to convert at any later time; its fifths are the
strata. An attribute that still tells converting leads from others *within* a stratum knows something that nothing in
its sources explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.encoding import numbers
from models.splits import Moments, scramble
from models.training import moments_of

if TYPE_CHECKING:
    from features.matrix import FeatureTable

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

STRATA: Final = 5
LEAST_LEADS: Final = 20
"""Leads of each kind that a comparison needs: fewer prove nothing."""
MOST_LEADS: Final = 20_000
"""More leads than these are sampled by their hash: bounds are sharp by then."""
HALVES_SEED: Final = 202
SAMPLE_SEED: Final = 303


@dataclass(frozen=True)
class Leads:
    """One row per lead, shape ``(n_leads,)`` each, ascending by the lead's hash.

    Attributes:
        lead: Its hash.
        row: A position in the table: where it was first asked about.
        converts: Whether it converts in that row's label window or a later one.
        stratum: Which leads it is like, 0 to `STRATA` - 1.
    """

    lead: npt.NDArray[np.uint64]
    row: Ints
    converts: Bools
    stratum: Ints

    def take(self, leads: Bools) -> Leads:
        """Return some of the leads."""
        return Leads(self.lead[leads], self.row[leads], self.converts[leads], self.stratum[leads])


@dataclass(frozen=True)
class Known:
    """What is known of leads beyond the training table; hashes, ascending.

    Attributes:
        leads: Leads of whom it is known whether they ever convert.
        converting: Those of them that do, at any time in the data.
    """

    leads: npt.NDArray[np.uint64]
    converting: npt.NDArray[np.uint64]


def leads_alike(table: FeatureTable, timed: tuple[str, ...], *, seed: int, known: Known | None = None) -> Leads:
    """Return leads of *table* (a sample, where there are more than `MOST_LEADS`), with the stratum of each.

    Who converted once and not again is neither "converts later" nor "never does", and is left out, unless that leaves
    nobody who never does (a cohort of customers).

    Args:
        table: Labelled snapshots.
        timed: Number features that read rows with times, and nothing else.
        seed: Seeds the trees.
        known: Who ever converts, where that is known.
    """
    moments = moments_of(table)
    leads, asked = np.unique(moments.lead, return_counts=True)
    looked_at = leads if known is None else leads[np.isin(leads, known.leads)]
    found = _first_rows(moments, np.isin(moments.lead, _sample(looked_at)))
    if known is not None:
        clear = found.converts | ~np.isin(found.lead, known.converting)
        found = found if clear[~found.converts].sum() < LEAST_LEADS else found.take(clear)
    # How long a lead was looked at decides much of whether it ever converted.
    columns = [numbers(table.columns[name])[found.row] for name in timed]
    matrix = np.column_stack([*columns, asked[np.searchsorted(leads, found.lead)]]).astype(np.float64)
    likely = _held_out(matrix, found.converts, scramble(found.lead, HALVES_SEED), seed=seed)
    rank = np.empty(len(likely), dtype=np.int64)
    rank[np.lexsort((found.lead, likely))] = np.arange(len(likely))
    return Leads(found.lead, found.row, found.converts, rank * STRATA // max(len(rank), 1))


def first_where(table: FeatureTable, present: Bools, everyone: Leads) -> Leads:
    """Return each lead of *everyone* at its first row among *present* ones, if it has any, with the stratum it has."""
    moments = moments_of(table)
    found = _first_rows(moments, present & np.isin(moments.lead, everyone.lead))
    place = np.searchsorted(everyone.lead, found.lead)
    return Leads(found.lead, found.row, found.converts, everyone.stratum[place])


def _sample(leads: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    if len(leads) <= MOST_LEADS:
        return leads
    return leads[np.argsort(scramble(leads, SAMPLE_SEED), kind="stable")[:MOST_LEADS]]


def _first_rows(moments: Moments, looked_at: Bools) -> Leads:
    rows = np.flatnonzero(looked_at)
    order = rows[np.lexsort((moments.as_of[rows], moments.lead[rows]))]
    lead = moments.lead[order]
    starts = np.flatnonzero(np.append(True, lead[1:] != lead[:-1])[: len(lead)])
    converts = np.add.reduceat(moments.converted[order].astype(np.int64), starts) > 0 if len(starts) else starts > 0
    return Leads(lead[starts], order[starts], np.asarray(converts), np.zeros(len(starts), dtype=np.int64))


def _held_out(
    matrix: npt.NDArray[np.float64], converts: Bools, dealt: npt.NDArray[np.uint64], *, seed: int
) -> npt.NDArray[np.float64]:
    """Return how likely each lead is to convert, as said by trees that never saw it."""
    import lightgbm as lgb

    half = (dealt >> np.uint64(63)).astype(np.bool_)
    found = np.full(len(converts), converts.mean() if len(converts) else 0.0)
    settings = {
        "objective": "binary", "num_leaves": 7, "learning_rate": 0.1, "min_data_in_leaf": 50, "seed": seed,
        "num_threads": 1, "deterministic": True, "verbosity": -1,
    }  # fmt: skip
    for one in (half, ~half):
        if len(np.unique(converts[~one])) == 2 and one.any():
            data = lgb.Dataset(matrix[~one], converts[~one].astype(np.int64), params={"verbosity": -1})
            found[one] = lgb.train(settings, data, 60).predict(matrix[one])
    return found
