"""A run of scores on its way into the store: made and stored once, and published where it still may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features import moments
from pipeline.deciding import Decided
from pipeline.published.run_files import RunNotes
from pipeline.score_store import ScoreStore, StoredRun, retention
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class RunToStore:
    """What tells a run from others.

    Attributes:
        moment: Its moment, microseconds (UTC).
        version: Who scores: the model's version, or the card's label.
        scored_at: When (aware).
        ends: Until when each table tells what happened, microseconds (UTC).
    """

    moment: int
    version: str
    scored_at: datetime
    ends: Mapping[str, int]

    @property
    def data_until(self) -> datetime:
        """Until when the data were read: a replay when there is more of them says the same."""
        return moments.from_us(min(self.moment, *self.ends.values()))


def stored_once(
    settings: Settings, store: ScoreStore, head: RunToStore, make: Callable[[], Decided]
) -> tuple[StoredRun, bool]:
    """Return the run that is stored already, or make and store it; and whether it is new."""
    run = store.find(head.moment, head.version)
    if run is not None:
        return run, False
    decided = make()
    ends = {name: moments.from_us(end).isoformat() for name, end in head.ends.items()}
    run = store.add(
        decided.scores,
        as_of=head.moment,
        model_version=head.version,
        scored_at=head.scored_at,
        people=decided.people,
        personal=settings.app.personal,
        notes=RunNotes(decided.words, ends),
    )
    return run, True


class Unpublished(StrEnum):
    """Why readers are not shown a run that was stored."""

    ANOTHER_SCORES = "another_scores"
    OLDER_MOMENT = "older_moment"


def published_if(
    settings: Settings,
    store: ScoreStore,
    run: StoredRun,
    *,
    may: Callable[[], bool],
    is_wished: bool,
    scored_at: datetime,
) -> Unpublished | None:
    """Publish a run where it may be, and return why it was not; None = it is published.

    Args:
        settings: The shop's config.
        store: Where it is stored.
        run: The run.
        may: Whether its model or card scores for readers: asked once nobody else is publishing.
        is_wished: Whether its moment was asked for: one of the past is to be looked at, and readers keep the newest.
        scored_at: When (aware).
    """
    with Workspace(settings.shop.workspace).publishing():
        if not may():
            return Unpublished.ANOTHER_SCORES
        if is_wished and store.shows_later_than(run.as_of):
            return Unpublished.OLDER_MOMENT
        store.publish(run, retention(settings, at=scored_at))
    return None
