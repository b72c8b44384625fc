"""Rows as readers get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.published import keys
from pipeline.published.asks import Cursor


@dataclass(frozen=True)
class ListRow:
    """One lead as the list shows it; the fields are those of `list_columns.SHOWN_COLUMNS`.

    Points are hundredths; `reasons` are the strongest three as stored (`models.reasons.REASON_TYPE`); what is not
    known, or may not be shown, is None.
    """

    position: int
    rank: int | None
    lead_key: int
    lead_id: str
    trigger_id: str | None
    as_of: datetime | None
    display_name: str | None
    company: str | None
    owner: str | None
    email: str | None
    phone: str | None
    source: str | None
    campaign: str | None
    score: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    temperature: str | None
    cell: str | None
    fit: int | None
    engagement: int | None
    stage: str | None
    play: str | None
    action: str | None
    channel: str | None
    segments: list[str] | None
    held: list[str] | None
    reason_code: str | None
    reasons: list[Mapping[str, Any]] | None
    previous_score: int | None
    previous_grade: str | None
    previous_temperature: str | None

    @property
    def key(self) -> str:
        """The lead's address, for URLs."""
        return keys.text_of(self.lead_key)

    @property
    def change(self) -> int | None:
        """Points that the score has moved since the run before; None where one of the two is missing."""
        return None if self.score is None or self.previous_score is None else self.score - self.previous_score


@dataclass(frozen=True)
class HistoryPoint:
    """What one published run said of a lead.

    Attributes:
        as_of: The moment of the run.
        trigger_id: The trigger it was asked about, or None.
        model_version: The model that scored.
        score, points_total, probability, probability_low, probability_high, grade, stage: As stored; points are
            hundredths; None where there was no score.
        position: Place of the row in its run.
    """

    as_of: datetime
    trigger_id: str | None
    model_version: str
    score: int | None
    points_total: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    stage: str | None
    position: int


@dataclass(frozen=True)
class Page:
    """One page of the list.

    Attributes:
        rows: Its leads, in order.
        next: Where the next page begins, or None on the last.
        previous: Where the page before ends, or None on the first.
        total: Leads that the filters leave, on all pages.
    """

    rows: list[ListRow]
    next: Cursor | None
    previous: Cursor | None
    total: int
