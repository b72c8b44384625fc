"""Suspect features: too good to be true, or filled by the outcome.

Two checks on the training table:

* a single feature whose ROC-AUC is `SUSPECT_AUC` or more, either way round;
* a value that is there (or missing, or has one level) because the lead converted: among leads that are alike in all
  that has a clock, its odds differ between those who convert later and those who never do. A window without rows is an
  honest reason to be missing; so such rows are not looked at.

Example: `account_manager` is filled for 700 of the 900 leads that convert one day, and for 20 of the 2,000 that never
do, at snapshots long before anyone converts: it was filled at the conversion, and the export has no memory of when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.certified import Asked, Check, Finding
from features.columns import codes, encoded
from models.encoding import numbers
from models.leakage_alike import LEAST_LEADS, Known, Leads, first_where, leads_alike
from models.leakage_bounds import least_odds_ratio
from models.splits import scramble
from models.training import moments_of

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SUSPECT_AUC: Final = 0.95
FILLED_ODDS: Final = 4.0
"""Odds ratio (bound) from which on a value is filled by the outcome."""
LEVEL_ODDS: Final = 8.0
"""The same for one level of many: some sources really are that good, so it takes more."""
MOST_LEVELS: Final = 50
SMOOTHING: Final = 20.0
HALVES_SEED: Final = 404
SAMPLE_SEED: Final = 606
MOST_ROWS: Final = 100_000
"""More snapshots than these are sampled by lead: an AUC is known to a few thousandths by then."""

SUSPECT: Final = Asked(
    "no single suspect feature",
    "How well does each feature alone tell converting snapshots from others? Numbers by rank, either way round, missing "
    "ones last and first; categories by the conversion rate of each level among other leads.",
    f"fails from a ROC-AUC of {SUSPECT_AUC:.2f} on",
    "a feature this good nearly always knows the outcome: find out when its values are written. If it is honest, name it "
    "under certificate.trusted; else drop it under features.drop.",
)
FILLED: Final = Asked(
    "nothing is filled by the outcome",
    "Whether a value is there, and which, at the first snapshot of each lead, where its source had rows to fill it from: "
    "are the odds the same for those who convert later and those who never do? Compared are leads alike in all that has "
    "a clock.",
    f"fails where the odds of being filled differ {FILLED_ODDS:g}-fold or more, those of a single level "
    f"{LEVEL_ODDS:g}-fold (99.9 % bounds)",
    "map the time at which it was filled as recorded_at, or leave it out (features.drop). If it is honest, such as a "
    "question that only keen leads answer, name it under certificate.trusted.",
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
    edge = np.uint64(MOST_ROWS / len(table) * 2.0**63) * np.uint64(2)
    return table.take(np.flatnonzero(scramble(moments_of(table).lead, SAMPLE_SEED) < edge))


def feature_auc(feature: Feature, table: FeatureTable, converted: Bools, lead: npt.NDArray[np.uint64]) -> float:
    """Return the ROC-AUC of one feature alone, the better of both directions and both places for what is missing."""
    values = table.columns[feature.name]
    if feature.kind == "category":
        return rank_auc(_rates_of_others(codes(encoded(values)), converted, lead), converted)
    x = numbers(values).astype(np.float64)
    if not np.isnan(x).any():
        return _either_way(x, converted)
    return max(_either_way(np.where(np.isnan(x), end, x), converted) for end in (-np.inf, np.inf))


def rank_auc(x: Floats, converted: Bools) -> float:
    """Return the probability that a converting row has the higher value, ties counted half."""
    from scipy.stats import rankdata

    n, m = int(converted.sum()), int((~converted).sum())
    return float((rankdata(x)[converted].sum() - n * (n + 1) / 2) / (n * m)) if n and m else 0.5


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


@dataclass(frozen=True)
class Looked:
    """Features to be looked at, on the snapshots of one table.

    Attributes:
        table: Labelled snapshots.
        present: Per feature: the snapshots at which its source had rows to fill it from, shape ``(n_rows,)`` each.
        timed: Number features of the table that read rows with times: they say which leads are alike.
        timeless: Features whose levels are looked at as well: attributes, which have no rows of their own.
    """

    table: FeatureTable
    present: Mapping[str, Bools]
    timed: tuple[str, ...]
    timeless: frozenset[str] = frozenset()


def not_filled_by_outcome(
    looked: Sequence[Looked], *, seed: int, known: Known | None = None, trusted: frozenset[str] = frozenset()
) -> Check:
    """Return whether any value is there, or is what it is, because the lead converted.

    Args:
        looked: What to look at.
        seed: Seeds the trees that say which leads are alike.
        known: Who ever converts.
        trusted: Features that a person has looked at.
    """
    looked = [one for one in looked if one.present]
    if not looked:
        return FILLED.not_applicable("no feature reads a column that could be filled later")
    findings: list[Finding] = []
    as_ofs: list[npt.NDArray[np.int64]] = []
    for one in looked:
        everyone = leads_alike(one.table, one.timed, seed=seed, known=known)
        as_ofs.append(moments_of(one.table).as_of[everyone.row])
        findings += _filled(one, everyone, trusted)
    n_leads, n_features = max(map(len, as_ofs)), sum(len(one.present) for one in looked)
    return FILLED.judged(
        sorted(findings, key=lambda f: -f.value),
        as_ofs=np.concatenate(as_ofs),
        rows=sum(map(len, as_ofs)),
        why=f"{n_features} features with a column that could be filled later, up to {n_leads:,} leads",
    )


def _filled(one: Looked, everyone: Leads, trusted: frozenset[str]) -> list[Finding]:
    found = []
    for feature in one.table.features:
        if feature.name in one.present:
            marks = _marks(feature, one, everyone)
            said, value = max(marks, key=lambda mark: mark[1], default=("", 0.0))
            if said:
                found.append(Finding(feature.name, said, value, feature.name in trusted))
    return found


def _marks(feature: Feature, one: Looked, everyone: Leads) -> list[tuple[str, float]]:
    """Return what is to be said of a feature's marks that pass their bound, and by how much."""
    leads = first_where(one.table, one.present[feature.name], everyone)
    level, words = _levels(feature, one.table, leads.row)
    # A sum or a number of different values is zero, not missing, where the column is empty.
    is_zero_when_empty = feature.measure is not None and feature.measure.kind in ("sum", "distinct", "open_sum")
    asked = [("filled", level >= int(is_zero_when_empty), FILLED_ODDS)]
    if feature.name in one.timeless:
        asked += [(f"'{word}'", level == code, LEVEL_ODDS) for code, word in enumerate(words)]
    found = []
    for word, marked, threshold in asked:
        groups = (marked, ~marked, leads.converts, ~leads.converts)
        if min(int(group.sum()) for group in groups) < LEAST_LEADS:
            continue
        ratio, bound = least_odds_ratio(marked, leads.converts, leads.stratum)
        strength = max(bound, 1 / bound)
        if strength >= threshold:
            found.append((marked_words(word, marked, leads.converts, ratio), strength))
    return found


def marked_words(word: str, marked: Bools, converts: Bools, ratio: float) -> str:
    """Return how often a mark is found among leads that convert later and among those that never do."""
    return (
        f"{word} for {marked[converts].mean():.1%} of the leads that convert later and "
        f"{marked[~converts].mean():.1%} of those that never do (odds {max(ratio, 1 / ratio):.1f}-fold)"
    )


def _levels(
    feature: Feature, table: FeatureTable, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return each row's level, -1 = missing, and the levels' words; a number is zero, or above, or below."""
    values = table.columns[feature.name].take(pa.array(rows))
    if feature.kind == "category":
        column = encoded(values)
        return codes(column).astype(np.int64), column.dictionary.to_pylist()[:MOST_LEVELS]
    x = numbers(values).astype(np.float64)
    signs = np.where(np.isnan(x), -1, np.sign(np.nan_to_num(x)).astype(np.int64) % 3)
    return signs, ["0", "above 0", "below 0"]
