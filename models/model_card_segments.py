"""The card's section about segments: whom the model serves how well, and whether it errs more against some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.model_card_numbers import difference, figure, percent, share, whole, words
from models.model_card_page import TOO_SMALL, Block, Section, Table, Text

if TYPE_CHECKING:
    from models.error_gaps import ErrorGaps
    from models.model_card_facts import CardFacts
    from models.segments import AttributeReport, Segment

_HEAD = (
    "", "snapshots", "converting leads", "expected", "converted", "difference, points",
    "ROC-AUC ↑", "average precision ↑", "log-loss ↓", "calibration error ↓",
)  # fmt: skip


def segments_section(facts: CardFacts) -> Section:
    """Show quality, calibration and volume by each chosen attribute; no section where none was chosen."""
    report = facts.segments
    if report is None or not report.attributes:
        return Section("By segment", ())
    blocks: list[Block] = [
        Text(
            "The hold-out by attribute. Expected is the mean probability, converted what came of it; the difference "
            "has its 95 % interval over leads. A row is marked where the difference is larger than chance makes one "
            "anywhere in this section. A segment with fewer than ten leads of either kind has no figures."
        )
    ]
    for attribute in report.attributes:
        blocks.append(_table(attribute))
        if attribute.is_sensitive:
            blocks += _gaps(attribute, a_cut=report.a_cut)
    return Section("By segment", tuple(blocks))


def _table(attribute: AttributeReport) -> Table:
    total = sum(segment.rows for segment in attribute.segments)
    marked = frozenset(place for place, one in enumerate(attribute.segments) if one.is_off)
    read = "" if attribute.is_in_model else "; the model does not read it"
    kind = "sensitive" if attribute.is_sensitive else ""
    about = f" ({kind}{read})" if kind else ""
    rows = tuple(_row(segment, total=total) for segment in attribute.segments)
    return Table(_HEAD, rows, f"By {words(attribute.name)}{about}", marked)


def _row(segment: Segment, *, total: int) -> tuple[str, ...]:
    volume = (
        segment.level,
        f"{segment.rows:,} ({whole(segment.rows / total)})",
        f"{segment.conversions:,}",
        percent(segment.expected),
        percent(segment.realised),
    )
    if segment.metrics is None or segment.gap is None:
        return (*volume, TOO_SMALL, "", "", "", "")
    metrics = segment.metrics
    figures = (metrics.roc_auc, metrics.average_precision, metrics.log_loss, metrics.ece)
    return (*volume, difference(segment.gap), *(figure(one, places=2) for one in figures))


def _gaps(attribute: AttributeReport, *, a_cut: float) -> list[Block]:
    name, gaps = words(attribute.name), attribute.error_gaps
    if gaps is None:
        return [Text(f"Error gaps by {name}: fewer than two groups are large enough to compare.")]
    groups = tuple(
        (one.level, share(one.selection_rate), share(one.true_positive_rate), share(one.false_positive_rate))
        for one in gaps.groups
    )
    caption = f"Errors by {name}: who is graded A (probability {percent(a_cut)} or more)"
    head = ("", "of all", "of those who converted", "of those who did not")
    return [Table(head, groups, caption), Table(("difference in", "largest", "what it means"), _largest(gaps))]


def _largest(gaps: ErrorGaps) -> tuple[tuple[str, ...], ...]:
    told = (
        ("demographic parity", gaps.demographic_parity_difference, "some groups are graded A more often"),
        ("equalized odds", gaps.equalized_odds_difference, "the larger of the two below"),
        ("true positive rate", gaps.true_positive_rate_difference, "some who convert are missed more often"),
        ("false positive rate", gaps.false_positive_rate_difference, "some are called in vain more often"),
    )
    return tuple((name, share(value), meaning) for name, value, meaning in told)
