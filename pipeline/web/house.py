"""What the app keeps for all requests: settings, marks, models, and the way to the published scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from pipeline.labels import Labels
from pipeline.marks import Marks
from pipeline.published.editions import Published
from pipeline.settings import Settings
from pipeline.web.access import Access
from pipeline.web.attempts import Attempts
from pipeline.web.kept import Kept
from pipeline.web.sessions import Sessions
from pipeline.web.words import Words

if TYPE_CHECKING:
    from pipeline.web.listing import Shown

_LABELS_KEPT: Final = 16
_ROWS_KEPT: Final = 10_000
"""Rows in memory, of some kilobytes each."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """What all requests share.

    Attributes:
        settings: The shop's config.
        access: How users are known.
        sessions: The session cookies.
        marks: What people said about leads.
        published: The way to the scores that are published.
        words: How the scores of each model are put into words.
        attempts: The failed logins of late.
        labels: What the codes of late editions are called, by edition and language.
        told: The rows of the list that were put into words of late: most readers see the first pages.
        drawn: The same as HTML; a row changes only with its marks.
        clock: The present moment (aware).
    """

    settings: Settings
    access: Access
    sessions: Sessions
    marks: Marks
    published: Published
    words: Words
    attempts: Attempts = field(default_factory=lambda: Attempts(monotonic))
    labels: Kept[Labels] = field(default_factory=lambda: Kept(_LABELS_KEPT))
    told: Kept[Shown] = field(default_factory=lambda: Kept(_ROWS_KEPT))
    drawn: Kept[Markup] = field(default_factory=lambda: Kept(_ROWS_KEPT))
    clock: Callable[[], datetime] = _now


def with_clock(house: House, clock: Callable[[], datetime]) -> House:
    """Return the same with another present moment."""
    return replace(house, clock=clock)
