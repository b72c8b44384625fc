"""Suspect features: a single one that nearly decides the label is too good to be true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from features.certified import Asked, Check, Finding
from features.columns import codes, encoded
from models.encoding import numbers
from models.leakage_bounds import LEAST_LEADS
from models.metrics import rank_auc
from models.splits import sample_of_whole_leads, scramble
from models.training import moments_of

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SUSPECT_AUC: Final = 0.95
SMOOTHING: Final = 20.0
HALVES_SEED: Final = 404
SAMPLE_SEED: Final = 606
MOST_ROWS: Final = 100_000
"""More snapshots than these are sampled by lead: an AUC is known to a few thousandths by then."""

SUSPECT: Final = Asked(
    "no single suspect feature",
    "How well does each feature alone tell converting snapshots from others? Numbers by rank, either way round, "
    "missing ones last and first; categories by the conversion rate of each level among other leads.",
    f"fails from a ROC-AUC of {SUSPECT_AUC:.2f} on",
    "a feature this good nearly always knows the outcome: find out when its values are written. If it is honest, name "
    "it under certificate.trusted; else drop it under features.drop.",
)


def no_suspect(table: FeatureTable, *, trusted: frozenset[str] = frozenset()) -> Check:
    """Return whether any feature alone nearly decides the label.

    Args:
        table: Labelled snapshots.
        trusted: Features that a person has looked at.
    """
    table = _few(table)
    moments = moments_of(table)
    n_converting, n_others = moments.converting_leads(moments.converted), moments.other_leads(~moments.converted)
    if min(n_converting, n_others) < LEAST_LEADS:
        return SUSPECT.not_applicable(f"fewer than {LEAST_LEADS} leads convert, or do not")
    findings = []
    best = 0.5, ""
    for feature in table.features:
        auc = feature_auc(feature, table, moments.converted, moments.lead)
        best = max(best, (auc, feature.name))
        if auc >= SUSPECT_AUC:
            said = f"alone it has a ROC-AUC of {auc:.3f}"
            findings.append(Finding(feature.name, said, auc, feature.name in trusted))
    why = f"{len(table.features)} features; the strongest is {best[1]} with {best[0]:.3f}"
    return SUSPECT.judged(sorted(findings, key=lambda f: -f.value), as_ofs=moments.as_of, rows=len(table), why=why)


def _few(table: FeatureTable) -> FeatureTable:
    """Return all snapshots of some leads, chosen by their hash, where the table has more than `MOST_ROWS`."""
    if len(table) <= MOST_ROWS:
        return table
    return table.take(sample_of_whole_leads(moments_of(table).lead, most_rows=MOST_ROWS, seed=SAMPLE_SEED))


def feature_auc(feature: Feature, table: FeatureTable, converted: Bools, lead: npt.NDArray[np.uint64]) -> float:
    """Return the ROC-AUC of one feature alone, the better of both directions and both places for what is missing."""
    values = table.columns[feature.name]
    if feature.kind == "category":
        return rank_auc(_rates_of_others(codes(encoded(values)), converted, lead), converted)
    x = numbers(values).astype(np.float64)
    if not np.isnan(x).any():
        return _either_way(x, converted)
    return max(_either_way(np.where(np.isnan(x), end, x), converted) for end in (-np.inf, np.inf))


def _either_way(x: Floats, converted: Bools) -> float:
    auc = rank_auc(x, converted)
    return max(auc, 1 - auc)


def _rates_of_others(level: npt.NDArray[np.int32], converted: Bools, lead: npt.NDArray[np.uint64]) -> Floats:
    """Return each row's level as its smoothed conversion rate among the leads of the other half."""
    half = (scramble(lead, HALVES_SEED) >> np.uint64(63)).astype(np.bool_)
    found = np.zeros(len(level))
    for one in (half, ~half):
        rate = converted[~one].mean() if (~one).any() else 0.0
        rows = np.bincount(level[~one] + 1, minlength=int(level.max(initial=-1)) + 2)
        hits = np.bincount(level[~one] + 1, weights=converted[~one], minlength=len(rows))
        found[one] = ((hits + SMOOTHING * rate) / (rows + SMOOTHING))[level[one] + 1]
    return found
