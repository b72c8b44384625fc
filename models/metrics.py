"""How good a ranking and its probabilities are, with an interval that respects people.

    ROC-AUC             P(a converting row ranks above another one), ties count half
    average precision   Σ_k (recall_k − recall_{k−1}) · precision_k over the distinct margins
    log-loss            mean of −log P(what happened), natural logarithm
    Brier               mean of (probability − label)²
    ECE                 Σ_bins share · |mean probability − conversion rate|, ten bins of equally many rows
    precision at s      conversion rate among the best ⌈s · rows⌉; ties at the edge count by expectation
    lift at s           precision at s / base rate

Every figure comes with a 95 % interval over leads (`models.bootstrap`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.bootstrap import bootstrap_spread, sample_of_leads

SHARES: Final = (0.01, 0.05, 0.10, 0.20)
ECE_BINS: Final = 10

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % bootstrap interval; the interval always holds the figure."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Metrics:
    """Quality on one set of rows.

    Attributes:
        rows: Rows judged.
        leads: Distinct leads among them.
        conversions: Distinct converting leads.
        base_rate: Share of converting rows.
        roc_auc: 0.5 = chance, 1 = perfect.
        average_precision: Chance = *base_rate*, 1 = perfect.
        log_loss: In nats; lower is better.
        brier: Lower is better.
        ece: Expected calibration error, 0–1; resampling only adds to it, so its interval leans upwards.
        precision: At the best 1, 5, 10 and 20 % (`SHARES`).
        lift: Likewise.
        resamples: How many resamples the intervals rest on.
    """

    rows: int
    leads: int
    conversions: int
    base_rate: float
    roc_auc: Estimate
    average_precision: Estimate
    log_loss: Estimate
    brier: Estimate
    ece: Estimate
    precision: tuple[Estimate, ...]
    lift: tuple[Estimate, ...]
    resamples: int

    def estimates(self) -> dict[str, Estimate]:
        """Return every figure by name, ``precision_at_05`` and the like for the shares."""
        named = {
            "roc_auc": self.roc_auc,
            "average_precision": self.average_precision,
            "log_loss": self.log_loss,
            "brier": self.brier,
            "ece": self.ece,
        }
        for name, values in (("precision", self.precision), ("lift", self.lift)):
            named |= {f"{name}_at_{round(100 * s):02d}": one for s, one in zip(SHARES, values, strict=True)}
        return named


def row_losses(log_odds: Floats, converted: npt.NDArray[np.bool_]) -> Floats:
    """Return the log-loss of each row in nats: log(1 + exp(m)) − y·m.

    Args:
        log_odds: Margins m, shape ``(n_rows,)``, or ``(n_models, n_rows)`` for several models at once.
        converted: The labels y, shape ``(n_rows,)``.
    """
    return np.logaddexp(0.0, log_odds) - converted * log_odds


def average_ranks(values: Floats) -> Floats:
    """Return the rank of each value, 1 = the lowest, shape ``(n_rows,)``; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def rank_auc(values: Floats, converted: npt.NDArray[np.bool_]) -> float:
    """Return the probability that a converting row has the higher value, ties counted half (Mann and Whitney, 1947).

    Args:
        values: By which rows are ranked, shape ``(n_rows,)``.
        converted: The labels.

    Returns:
        0–1; ½ where one kind of rows is missing.
    """
    n, m = int(converted.sum()), int((~converted).sum())
    if not n or not m:
        return 0.5
    return float((average_ranks(values)[converted].sum() - n * (n + 1) / 2) / (n * m))


def evaluate(
    log_odds: Floats,
    converted: npt.NDArray[np.bool_],
    lead: npt.NDArray[np.uint64],
    *,
    resamples: int = 200,
    seed: int = 0,
) -> Metrics:
    """Judge calibrated margins against what happened.

    Args:
        log_odds: Calibrated log-odds, shape ``(n_rows,)``.
        converted: The labels, shape ``(n_rows,)``.
        lead: Hash of each row's lead, shape ``(n_rows,)``: rows of one lead are resampled together.
        resamples: How many times leads are drawn anew.
        seed: Seeds the resampling.
    """
    ranked = _Ranked.of(log_odds, converted, lead)
    point = ranked.figures(np.ones(ranked.n_leads))
    rows, scale = sample_of_leads(lead)
    sample = ranked if len(rows) == len(lead) else _Ranked.of(log_odds[rows], converted[rows], lead[rows])
    below, above = bootstrap_spread(sample.figures, sample.n_leads, resamples=resamples, seed=seed)
    # The interval is widened where needed to hold the figure itself.
    low, high = point + scale * np.minimum(below, 0.0), point + scale * np.maximum(above, 0.0)
    auc, ap, loss, brier, ece, *at = (Estimate(*map(float, one)) for one in zip(point, low, high, strict=True))
    return Metrics(
        rows=len(log_odds),
        leads=ranked.n_leads,
        conversions=int(np.unique(lead[converted]).size),
        base_rate=float(np.mean(converted)) if len(converted) else float("nan"),
        roc_auc=auc,
        average_precision=ap,
        log_loss=loss,
        brier=brier,
        ece=ece,
        precision=tuple(at[: len(SHARES)]),
        lift=tuple(at[len(SHARES) :]),
        resamples=resamples,
    )


@dataclass(frozen=True)
class _Ranked:
    """Rows from the highest margin down, and what each adds to every figure."""

    n_leads: int
    lead: npt.NDArray[np.int64]
    converted: Floats
    loss: Floats
    square: Floats
    gap: Floats
    group_ends: npt.NDArray[np.int64]
    bin_starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, log_odds: Floats, converted: npt.NDArray[np.bool_], lead: npt.NDArray[np.uint64]) -> _Ranked:
        # Equal margins by lead: ordered by label, a bin's edge among them would find a gap where there is none.
        order = np.lexsort((converted, lead, -log_odds))
        margin, y = log_odds[order], converted[order].astype(np.float64)
        leads, place = np.unique(lead[order], return_inverse=True)
        probability = np.exp(-np.logaddexp(0.0, -margin))
        return cls(
            n_leads=len(leads),
            lead=place.astype(np.int64),
            converted=y,
            loss=row_losses(margin, converted[order]),
            square=(probability - y) ** 2,
            gap=probability - y,
            group_ends=np.flatnonzero(np.append(margin[1:] != margin[:-1], True)),
            bin_starts=np.unique(np.arange(ECE_BINS) * len(margin) // ECE_BINS),
        )

    def figures(self, lead_weight: Floats) -> Floats:
        """Return AUC, AP, log-loss, Brier, ECE, four precisions and four lifts under weights per lead."""
        weight = lead_weight[self.lead]
        at = np.cumsum(weight)[self.group_ends]
        won = np.cumsum(weight * self.converted)[self.group_ends]
        total, positive = at[-1], won[-1]
        if not 0 < positive < total:
            return np.full(5 + 2 * len(SHARES), np.nan)
        hits = np.diff(won, prepend=0.0)
        misses = np.diff(at - won, prepend=0.0)
        below = total - positive - (at - won) + misses / 2
        auc = (hits * below).sum() / (positive * (total - positive))
        precision = np.divide(won, at, out=np.zeros_like(at), where=at > 0)
        gaps = np.abs(np.add.reduceat(weight * self.gap, self.bin_starts)).sum()
        # Round up: a team told "contact the best 10 %" of 5 leads still contacts one.
        contacted = np.ceil(np.round(np.array(SHARES) * total, 9))
        found = np.interp(contacted, np.append(0.0, at), np.append(0.0, won)) / contacted
        means = [(weight * part).sum() / total for part in (self.loss, self.square)]
        return np.array(
            [auc, (hits * precision).sum() / positive, *means, gaps / total, *found, *(found * total / positive)]
        )
