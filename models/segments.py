"""Quality, calibration and volume by segment: whom the model serves well, and whom it does not.

For each chosen attribute (country, source, age band), on the hold-out and by the model that was judged on it:

    volume        rows, leads, converting leads
    calibration   expected = mean probability, realised = share converted, and expected − realised with its interval
    quality       AUC, average precision, log-loss, ECE, each with its interval over leads

The interval of expected − realised is ± 1.96 · √(Σ_leads r²) / rows, where r is a lead's probabilities less its
conversions summed over its rows: rows of one lead stand or fall together. A segment is called badly calibrated when
the difference is larger than one such report in twenty would show somewhere by chance (Bonferroni over the segments).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.bands import UNKNOWN, levels
from models.error_gaps import ErrorGaps, Selected, error_gaps
from models.grades import GradeShares, cuts
from models.metrics import Estimate, Metrics, evaluate
from models.model import sigmoid

if TYPE_CHECKING:
    from models.training import TrainedModel

LEAST_LEADS: Final = 10
"""Converting leads, and as many others, below which a segment is too small for a figure."""
FALSE_ALARMS: Final = 0.05
"""Share of reports on a perfectly calibrated model that call some segment badly calibrated."""
LEVEL: Final = 0.95

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Attribute:
    """What a report is broken down by.

    Attributes:
        name: As the shop calls it.
        values: Of every row of the training table: texts as a dictionary, or numbers.
        is_sensitive: Whether the shop marked it so: then error gaps are reported.
    """

    name: str
    values: pa.ChunkedArray
    is_sensitive: bool = False


@dataclass(frozen=True)
class Segment:
    """The leads of one level.

    Attributes:
        level: Its name.
        rows: Rows of the hold-out.
        leads: Distinct leads among them.
        conversions: Distinct converting leads.
        expected: Mean probability.
        realised: Share of the rows that converted.
        gap: *expected* − *realised*, with its interval; None where the segment is too small for a figure.
        metrics: Quality; None where the segment is too small for a figure.
        is_off: Whether *gap* is larger than chance would make it.
    """

    level: str
    rows: int
    leads: int
    conversions: int
    expected: float
    realised: float
    gap: Estimate | None
    metrics: Metrics | None
    is_off: bool = False


@dataclass(frozen=True)
class AttributeReport:
    """One attribute's segments.

    Attributes:
        name: The attribute.
        is_sensitive: Whether the shop marked it so.
        is_in_model: Whether the model that ships reads it.
        segments: In reading order.
        error_gaps: Where it is sensitive and has two groups large enough to compare.
    """

    name: str
    is_sensitive: bool
    is_in_model: bool
    segments: tuple[Segment, ...]
    error_gaps: ErrorGaps | None


@dataclass(frozen=True)
class SegmentReport:
    """The hold-out by every chosen attribute.

    Attributes:
        attributes: In the order chosen.
        unavailable: Chosen, but without values known in time.
        a_cut: The least probability that is graded A; who reaches it is selected.
    """

    attributes: tuple[AttributeReport, ...]
    unavailable: tuple[str, ...]
    a_cut: float

    def worst(self) -> tuple[AttributeReport, Segment] | None:
        """Return the badly calibrated segment with the largest difference, or None."""
        off = [(one, segment) for one in self.attributes for segment in one.segments if segment.is_off]
        return max(off, key=lambda found: abs(found[1].expected - found[1].realised), default=None)


def segment_report(
    attributes: Sequence[Attribute],
    trained: TrainedModel,
    *,
    shares: GradeShares | None = None,
    unavailable: Sequence[str] = (),
    seed: int = 0,
) -> SegmentReport:
    """Return the hold-out by each of *attributes*.

    Args:
        attributes: What to break down by.
        trained: What `models.training.train` returned for the same table.
        shares: Which share is graded A; None = the default.
        unavailable: Names that were asked for and have no values.
        seed: Seeds the resampling.
    """
    held_out = trained.hold_out
    a_cut = cuts(trained.judged.newest_probabilities, shares).grades[0]
    judged = _Judged(held_out.log_odds, held_out.converted, held_out.lead, a_cut=a_cut, seed=seed)
    rows, read = pa.array(held_out.test_rows), set(trained.model.feature_names)
    reports = [
        replace(_of_attribute(one, one.values.take(rows), judged), is_in_model=one.name in read) for one in attributes
    ]
    return SegmentReport(_marked(reports), tuple(unavailable), a_cut)


@dataclass(frozen=True)
class _Judged:
    """The hold-out's rows."""

    log_odds: npt.NDArray[np.float64]
    converted: Bools
    lead: npt.NDArray[np.uint64]
    a_cut: float
    seed: int


def _of_attribute(attribute: Attribute, values: pa.ChunkedArray, judged: _Judged) -> AttributeReport:
    found = levels(values)
    segments = [_segment(name, found.of_row == place, judged) for place, name in enumerate(found.names)]
    gaps = None
    if attribute.is_sensitive:
        # Who gave no value is no group of people; and a rate of three people is no rate.
        compared = [place for place, one in enumerate(segments) if one.metrics is not None and one.level != UNKNOWN]
        is_selected = sigmoid(judged.log_odds) >= judged.a_cut
        selected = Selected(is_selected, judged.converted, judged.lead)
        gaps = error_gaps(selected, found, compared=compared, seed=judged.seed)
    return AttributeReport(attribute.name, attribute.is_sensitive, False, tuple(segments), gaps)


def _segment(level: str, rows: Bools, judged: _Judged) -> Segment:
    converted, lead = judged.converted[rows], judged.lead[rows]
    probability = sigmoid(judged.log_odds[rows])
    segment = Segment(
        level=level,
        rows=int(rows.sum()),
        leads=int(np.unique(lead).size),
        conversions=int(np.unique(lead[converted]).size),
        expected=float(probability.mean()),
        realised=float(converted.mean()),
        gap=None,
        metrics=None,
    )
    if min(segment.conversions, int(np.unique(lead[~converted]).size)) < LEAST_LEADS:
        return segment
    metrics = evaluate(judged.log_odds[rows], converted, lead, seed=judged.seed)
    return replace(segment, gap=calibration_gap(judged.log_odds[rows], converted, lead), metrics=metrics)


def calibration_gap(log_odds: npt.NDArray[np.float64], converted: Bools, lead: npt.NDArray[np.uint64]) -> Estimate:
    """Return expected − realised with its interval over leads (the formula at the head).

    Args:
        log_odds: Calibrated log-odds, shape ``(n_rows,)``.
        converted: The labels.
        lead: Hash of each row's lead.
    """
    residual = sigmoid(log_odds) - converted
    mean = float(residual.mean())
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * _standard_error(residual, lead)
    return Estimate(mean, mean - half, mean + half)


def _standard_error(residual: npt.NDArray[np.float64], lead: npt.NDArray[np.uint64]) -> float:
    _, place = np.unique(lead, return_inverse=True)
    per_lead = np.bincount(place, residual)
    return float(np.sqrt((per_lead**2).sum())) / len(residual)


def _marked(reports: Sequence[AttributeReport]) -> tuple[AttributeReport, ...]:
    """Return *reports* with the segments marked whose calibration chance does not explain."""
    judged = sum(segment.gap is not None for report in reports for segment in report.segments)
    normal = NormalDist()
    factor = normal.inv_cdf(1 - FALSE_ALARMS / max(judged, 1) / 2) / normal.inv_cdf((1 + LEVEL) / 2)
    return tuple(
        replace(report, segments=tuple(replace(one, is_off=_is_off(one.gap, factor)) for one in report.segments))
        for report in reports
    )


def _is_off(gap: Estimate | None, factor: float) -> bool:
    return gap is not None and abs(gap.value) > factor * (gap.high - gap.value)
