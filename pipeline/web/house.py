"""What the app keeps for all requests: settings, marks, models, and the way to the published scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic

from pipeline.marks import Marks
from pipeline.published.editions import Edition, Published
from pipeline.settings import Settings
from pipeline.web.access import Access
from pipeline.web.attempts import Attempts
from pipeline.web.drawn_rows import DrawnRows
from pipeline.web.sessions import Sessions
from pipeline.web.words import Words


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
        rows: The rows of the list that were drawn of late.
        clock: The present moment (aware).
    """

    settings: Settings
    access: Access
    sessions: Sessions
    marks: Marks
    published: Published
    words: Words
    attempts: Attempts = field(default_factory=lambda: Attempts(monotonic))
    rows: DrawnRows = field(default_factory=DrawnRows)
    clock: Callable[[], datetime] = _now

    def edition(self) -> Edition:
        """Return the scores that are published now; a later publication does not change them.

        Raises:
            LeadlightError: Nothing is published, or its files are damaged or gone.
        """
        return self.published.open()


def with_clock(house: House, clock: Callable[[], datetime]) -> House:
    """Return the same with another present moment."""
    return replace(house, clock=clock)
