"""What a segment report says in sentences: only what a person should act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.wording import plain

if TYPE_CHECKING:
    from models.segments import AttributeReport, Segment, SegmentReport


def worst_calibrated(report: SegmentReport) -> str:
    """Return the sentence about the badly calibrated segment with the largest difference; empty where there is none."""
    found = report.worst()
    if found is None:
        return ""
    attribute, segment = found
    off = sum(one.is_off for each in report.attributes for one in each.segments)
    more = f" ({off - 1} more in the model card)" if off > 1 else ""
    return f"Probabilities are off where {_named(attribute, segment)}: {_missed(segment)}{more}."


def all_badly_calibrated(report: SegmentReport) -> list[str]:
    """Return one sentence per badly calibrated segment, the largest difference first."""
    off = [(attribute, one) for attribute in report.attributes for one in attribute.segments if one.is_off]
    off.sort(key=lambda found: -abs(found[1].expected - found[1].realised))
    return [f"Probabilities are off where {_named(*found)}: {_missed(found[1])}." for found in off]


def error_gap_sentences(report: SegmentReport) -> list[str]:
    """Return one sentence per sensitive attribute whose groups lie apart by more than their intervals."""
    sentences = []
    for attribute in report.attributes:
        apart = attribute.error_gaps.apart() if attribute.error_gaps else None
        if apart is None:
            continue
        low, high = apart
        sentences.append(
            f"Error gap by {plain(attribute.name)}: of the leads that converted, "
            f"{high.true_positive_rate.value:.0%} were graded A where it is {plain(high.level)}, "
            f"{low.true_positive_rate.value:.0%} where it is {plain(low.level)}."
        )
    return sentences


def segment_notes(report: SegmentReport) -> tuple[str, ...]:
    """Return what a training says about segments: one line on calibration and one per error gap, or nothing."""
    worst = worst_calibrated(report)
    return (*([worst] if worst else []), *error_gap_sentences(report))


def _named(attribute: AttributeReport, segment: Segment) -> str:
    return f"{plain(attribute.name).replace('_', ' ')} is {plain(segment.level)}"


def _missed(segment: Segment) -> str:
    return f"{segment.expected:.1%} expected to convert, {segment.realised:.1%} did"
