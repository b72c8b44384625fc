"""Is a value there, or is it what it is, because the lead converted?

Among leads that are alike in all that has a clock, the odds of the mark are compared between those who convert later
and those who never do. A window without rows is an honest reason to be missing; so such rows are not looked at.

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
from models.leakage_alike import Known, Leads, first_where, leads_alike
from models.leakage_bounds import LEAST_LEADS, least_auc, least_odds_ratio
from models.leakage_marks import MARK_ODDS, MOST_LEFT_OVER, marked_words, reached
from models.metrics import rank_auc
from models.training import moments_of

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.splits import Moments

Bools = npt.NDArray[np.bool_]

RANK_AUC: Final = 0.75
"""ROC-AUC (bound) from which on the size of an attribute's number knows the outcome."""
MOST_LEVELS: Final = 50
FILLED_WORD: Final = "filled"

FILLED: Final = Asked(
    "nothing is filled by the outcome",
    "Whether a value is there, and which, at the first snapshot of each lead, where its source had rows to fill it "
    "from: are the odds the same for those who convert later and those who never do? Compared are leads alike in all "
    "that has a clock.",
    f"fails where the odds differ {MARK_ODDS:g}-fold or more (99.9 % bound) and hardly anyone of the other kind is "
    f"left among those who have the value (at most {MOST_LEFT_OVER:g} of the usual share); or where the size of an "
    f"attribute's number has a ROC-AUC of {RANK_AUC} (99.9 % bound)",
    "map the time at which it was filled as recorded_at, or leave it out (features.drop). If it is honest, such as a "
    "question that only keen leads answer, name it under certificate.trusted.",
)


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
    nearest = Mark("", "", 0.0, 0.0)
    as_ofs: list[npt.NDArray[np.int64]] = []
    for one in looked:
        moments = moments_of(one.table)
        everyone = leads_alike(one.table, moments, one.timed, seed=seed, known=known)
        as_ofs.append(moments.as_of[everyone.row])
        for mark in _strongest(one, moments, everyone):
            nearest = max(nearest, mark, key=lambda either: either.reached)
            if mark.reached >= 1:
                findings.append(Finding(mark.feature, mark.said, mark.value, mark.feature in trusted))
    n_leads, n_features = max(map(len, as_ofs)), sum(len(one.present) for one in looked)
    why = f"{n_features} features with a column that could be filled later, up to {n_leads:,} leads"
    return FILLED.judged(
        sorted(findings, key=lambda f: -f.value),
        as_ofs=np.concatenate(as_ofs),
        rows=sum(map(len, as_ofs)),
        why=f"{why}; nearest: {nearest.feature}, {nearest.said}" if nearest.said else why,
    )


@dataclass(frozen=True)
class Mark:
    """What was seen of one feature.

    Attributes:
        feature: Its name.
        said: In words.
        value: The bound.
        reached: How far the bound is on its way from nothing (0) to the threshold (1).
    """

    feature: str
    said: str
    value: float
    reached: float


def _strongest(one: Looked, moments: Moments, everyone: Leads) -> list[Mark]:
    """Return the strongest mark of each feature."""
    asked = [feature for feature in one.table.features if feature.name in one.present]
    found = [_marks(feature, one, first_where(moments, one.present[feature.name], everyone)) for feature in asked]
    return [max(marks, key=lambda mark: mark.reached) for marks in found if marks]


def _marks(feature: Feature, one: Looked, leads: Leads) -> list[Mark]:
    level, words = _levels(feature, one.table, leads.row)
    # A sum or a number of different values is zero, not missing, where the column is empty.
    is_zero_when_empty = feature.measure is not None and feature.measure.kind in ("sum", "distinct", "open_sum")
    asked = [(FILLED_WORD, level >= int(is_zero_when_empty))]
    if feature.name in one.timeless:
        asked += [(f"'{word}'", level == code) for code, word in enumerate(words)]
    found = []
    for word, marked in asked:
        groups = (marked, ~marked, leads.converts, ~leads.converts)
        if min(int(group.sum()) for group in groups) < LEAST_LEADS:
            continue
        ratio, bound = least_odds_ratio(marked, leads.converts, leads.stratum)
        said = marked_words(word, marked, leads.converts, ratio)
        way = reached(bound, _decided(word, marked, leads.converts))
        found.append(Mark(feature.name, said, max(bound, 1 / bound), way))
    # Where nothing has a clock, no leads are alike, and an honest number may rank well.
    if feature.name in one.timeless and feature.kind == "number" and one.timed:
        found += _ranks(feature, one, leads)
    return found


def _decided(word: str, marked: Bools, converts: Bools) -> list[tuple[Bools, Bools]]:
    """Return what a mark would decide if the outcome had set it.

    That nobody converts without a phone number, or from a country that the shop does not serve, is honest: so a value
    that is missing, and a single level, count only where whoever has them converts.
    """
    of_value = [(marked, ~converts)]
    return [*of_value, (marked, converts), (~marked, ~converts)] if word == FILLED_WORD else of_value


def _ranks(feature: Feature, one: Looked, leads: Leads) -> list[Mark]:
    """Return how well a number's size tells who converts later, as a count read at the export does."""
    x = numbers(one.table.columns[feature.name])[leads.row]
    there = ~np.isnan(x)
    x, converts, stratum = x[there], leads.converts[there], leads.stratum[there]
    if min(int(converts.sum()), int((~converts).sum())) < LEAST_LEADS:
        return []
    strata = [stratum == code for code in np.unique(stratum)]
    mean, bound = least_auc(
        [rank_auc(x[here], converts[here]) for here in strata],
        [int(converts[here].sum()) for here in strata],
        [int((~converts[here]).sum()) for here in strata],
    )
    auc = max(mean, 1 - mean)
    said = f"its size alone tells the leads that convert later from those that never do (ROC-AUC {auc:.2f})"
    return [Mark(feature.name, said, max(bound, 1 - bound), abs(bound - 0.5) / (RANK_AUC - 0.5))]


def _levels(
    feature: Feature, table: FeatureTable, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return each row's level, -1 = missing, and the levels' words; a number is zero, or above, or below."""
    values = table.columns[feature.name].take(pa.array(rows))
    if feature.kind == "category":
        column = encoded(values)
        return codes(column).astype(np.int64), column.dictionary.to_pylist()[:MOST_LEVELS]
    x = numbers(values)
    signs = np.where(np.isnan(x), -1, np.sign(np.nan_to_num(x)).astype(np.int64) % 3)
    return signs, ["0", "above 0", "below 0"]
