"""The four curves of a hold-out as plain numbers, so that a plot and a file show the same thing.

    ROC                share of converting rows found, against share of the others bothered
    precision–recall   conversion rate among those contacted, against share of converting rows found
    gains              share of converting rows found, against share of rows contacted, best first
    calibration        conversion rate, against mean predicted probability, ten bins of equally many rows

Rows that share a margin enter a curve together: none of them comes first. Gains and calibration carry a 95 % interval
over leads (`models.bootstrap`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.bootstrap import bootstrap_spread, sample_of_leads
from models.metrics import ECE_BINS
from models.model import sigmoid

Floats = npt.NDArray[np.float64]

MOST_POINTS: Final = 1000
"""A curve of more points is thinned: no screen shows more, and the stored file stays small."""
MARKED_SHARE: Final = 0.10
"""The share of leads that pictures of the gains read off for the reader."""
LEAST_AXIS: Final = 0.05
"""Rates are shown on an axis of at least so much: noise around a tiny rate should look tiny."""
GAINS_SHARES: Final = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Roc:
    """One point per distinct margin, from (0, 0) to (1, 1)."""

    share_of_others: Floats
    share_found: Floats
    area: float


@dataclass(frozen=True)
class PrecisionRecall:
    """One point per distinct margin, from the highest down."""

    share_found: Floats
    conversion_rate: Floats
    average_precision: float
    base_rate: float


@dataclass(frozen=True)
class Gains:
    """What share of the conversions is reached by contacting so many of the rows, best first.

    Attributes:
        share_contacted: 0, 1 % … 100 %, shape ``(101,)``.
        share_found: Share of converting rows among them, ``(101,)``; ties at the edge count by expectation.
        low, high: 95 % interval over leads.
        base_rate: Share of converting rows: the ideal line reaches 1 there.
    """

    share_contacted: Floats
    share_found: Floats
    low: Floats
    high: Floats
    base_rate: float

    def found_at(self, share_contacted: float) -> float:
        """Return the share of conversions reached by contacting *share_contacted* of the rows."""
        return float(np.interp(share_contacted, self.share_contacted, self.share_found))


@dataclass(frozen=True)
class Calibration:
    """Predicted against observed, in at most ten bins of equally many rows, from the lowest probability up.

    Attributes:
        predicted: Mean probability of each bin.
        observed: Share of converting rows.
        low, high: 95 % interval of *observed* over leads.
        rows: Rows in each bin.
        edges: From 0 to the highest probability in forty equal steps.
        histogram: How many rows have a probability in each step.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    rows: npt.NDArray[np.int64]
    edges: Floats
    histogram: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curves:
    """All four curves of one hold-out."""

    roc: Roc
    precision_recall: PrecisionRecall
    gains: Gains
    calibration: Calibration

    def as_plain(self) -> dict[str, dict[str, Any]]:
        """Return the curves as lists and numbers, for JSON."""
        return {
            name: {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in curve.items()}
            for name, curve in asdict(self).items()
        }


def curves(
    log_odds: Floats, converted: npt.NDArray[np.bool_], lead: npt.NDArray[np.uint64], *, resamples: int = 200
) -> Curves:
    """Return the curves of calibrated margins against what happened.

    Args:
        log_odds: Calibrated log-odds, shape ``(n_rows,)``.
        converted: The labels, ``(n_rows,)``; both classes occur.
        lead: Hash of each row's lead, ``(n_rows,)``: rows of one lead are resampled together.
        resamples: How many times leads are drawn anew for the intervals.
    """
    rows, scale = sample_of_leads(lead)
    sample = _Intervals(log_odds[rows], converted[rows], lead[rows], scale=scale, resamples=resamples)
    return Curves(
        roc=_roc(log_odds, converted),
        precision_recall=_precision_recall(log_odds, converted),
        gains=_gains(log_odds, converted, sample),
        calibration=_calibration(log_odds, converted, lead, sample),
    )


def _counts(log_odds: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return, for the best rows down to each distinct margin, how many there are and their summed *weight*."""
    order = np.argsort(-log_odds, kind="stable")
    last_of_margin = np.flatnonzero(np.append(np.diff(log_odds[order]) != 0, True))
    rows = (last_of_margin + 1).astype(np.float64)
    return rows, np.cumsum(weight[order])[last_of_margin]


def _roc(log_odds: Floats, converted: npt.NDArray[np.bool_]) -> Roc:
    rows, won = _counts(log_odds, converted.astype(np.float64))
    found = np.append(0.0, won / won[-1])
    bothered = np.append(0.0, (rows - won) / (rows[-1] - won[-1]))
    area = float(np.trapezoid(found, bothered))
    keep = _thinned(len(found))
    return Roc(bothered[keep], found[keep], area)


def _precision_recall(log_odds: Floats, converted: npt.NDArray[np.bool_]) -> PrecisionRecall:
    rows, won = _counts(log_odds, converted.astype(np.float64))
    found, rate = won / won[-1], won / rows
    average = float((np.diff(found, prepend=0.0) * rate).sum())
    keep = _thinned(len(found))
    return PrecisionRecall(found[keep], rate[keep], average, float(converted.mean()))


def share_found(log_odds: Floats, converted: npt.NDArray[np.bool_], shares: Floats) -> Floats:
    """Return the share of conversions reached by contacting each of *shares* of the rows, best first.

    Args:
        log_odds: Margins, shape ``(n_rows,)``; rows with equal ones are reached together, in no order.
        converted: The labels, ``(n_rows,)``; at least one is true.
        shares: Shares of the rows, 0–1.
    """
    rows, won = _counts(log_odds, converted.astype(np.float64))
    return np.interp(shares, np.append(0.0, rows / rows[-1]), np.append(0.0, won / won[-1]))


def _gains(log_odds: Floats, converted: npt.NDArray[np.bool_], sample: _Intervals) -> Gains:
    found = share_found(log_odds, converted, GAINS_SHARES)
    below, above = sample.spread(sample.gains)
    low, high = np.clip(found + below, 0.0, 1.0), np.clip(found + above, 0.0, 1.0)
    return Gains(GAINS_SHARES, found, low, high, float(converted.mean()))


def _calibration(
    log_odds: Floats, converted: npt.NDArray[np.bool_], lead: npt.NDArray[np.uint64], sample: _Intervals
) -> Calibration:
    probability = sigmoid(log_odds)
    place = _bins(log_odds, converted, lead)
    rows = np.bincount(place)
    observed = np.bincount(place, converted) / rows
    below, above = sample.spread(sample.rates)
    histogram, edges = np.histogram(probability, bins=40, range=(0.0, float(probability.max())))
    return Calibration(
        predicted=np.bincount(place, probability) / rows,
        observed=observed,
        low=np.clip(observed + below, 0.0, 1.0),
        high=np.clip(observed + above, 0.0, 1.0),
        rows=rows,
        edges=edges,
        histogram=histogram,
    )


def _bins(log_odds: Floats, converted: npt.NDArray[np.bool_], lead: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return each row's bin: equally many rows to each, from the lowest margin up, whatever the rows' order."""
    place = np.empty(len(log_odds), dtype=np.int64)
    n_bins = min(ECE_BINS, len(log_odds))
    place[np.lexsort((converted, lead, log_odds))] = np.arange(len(log_odds)) * n_bins // len(log_odds)
    return place


class _Intervals:
    """Gains and rates under weights per lead, and how far they spread when leads are drawn anew."""

    def __init__(
        self,
        log_odds: Floats,
        converted: npt.NDArray[np.bool_],
        lead: npt.NDArray[np.uint64],
        *,
        scale: float,
        resamples: int,
    ) -> None:
        order = np.lexsort((converted, lead, -log_odds))
        leads, place = np.unique(lead[order], return_inverse=True)
        self._lead, self._n_leads = place, len(leads)
        self._converted = converted[order].astype(np.float64)
        self._bin = _bins(log_odds, converted, lead)[order]
        self._scale, self._resamples = scale, resamples

    def spread(self, figures: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
        """Return how far *figures* fall (<= 0) and rise (>= 0) under resampling of leads, 95 %."""
        below, above = bootstrap_spread(figures, self._n_leads, resamples=self._resamples, seed=0)
        return self._scale * np.minimum(below, 0.0), self._scale * np.maximum(above, 0.0)

    def gains(self, lead_weight: Floats) -> Floats:
        """Return the share found at each of `GAINS_SHARES`; NaN without a conversion."""
        weight = lead_weight[self._lead]
        at, won = np.cumsum(weight), np.cumsum(weight * self._converted)
        if won[-1] == 0:
            return np.full(len(GAINS_SHARES), np.nan)
        return np.interp(GAINS_SHARES, np.append(0.0, at / at[-1]), np.append(0.0, won / won[-1]))

    def rates(self, lead_weight: Floats) -> Floats:
        """Return the conversion rate of each bin; NaN where a bin has no weight."""
        weight = lead_weight[self._lead]
        n_bins = int(self._bin.max()) + 1
        rows = np.bincount(self._bin, weight, minlength=n_bins)
        won = np.bincount(self._bin, weight * self._converted, minlength=n_bins)
        return np.divide(won, rows, out=np.full(n_bins, np.nan), where=rows > 0)


def _thinned(count: int) -> npt.NDArray[np.int64]:
    """Return at most `MOST_POINTS` places among *count*, the first and the last among them."""
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_POINTS).round().astype(np.int64))
