"""`leadlight models`, `promote` and `rollback`: which version scores, who did before, and the way back.

A promotion publishes nothing: the next `leadlight score` does. A rollback does, because it has something to publish:
the scores that the champion before stored in its time. They are named in the manifest first and the alias moves last,
so a rollback that was cut short is finished by the next one, and never goes back one further by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features.local_time import local_iso
from models import registry
from models.registry import ModelVersion, Promotion
from pipeline.champion import place_of
from pipeline.score_store import ScoreStore, retention
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class ModelsReport:
    """The models of a shop.

    Attributes:
        versions: Every version, newest first.
        history: Who was champion when, and why; the present one first.
    """

    versions: tuple[ModelVersion, ...]
    history: tuple[Promotion, ...]


@dataclass(frozen=True)
class PromoteReport:
    """What `promote` did.

    Attributes:
        champion: Label of the version that scores from now on.
        before: Label of the champion before it; empty for the first.
        is_new: False where it was champion already and nothing changed.
    """

    champion: str
    before: str
    is_new: bool


@dataclass(frozen=True)
class RollbackReport:
    """What `rollback` did.

    Attributes:
        champion: Label of the version that is champion again.
        rolled_back: Label of the version that was champion until now.
        as_of: The moment of the scores that are published again (ISO, on the shop's clock); empty where that
            champion never stored any: the scores published before stay.
        leads: How many scores these are.
    """

    champion: str
    rolled_back: str
    as_of: str
    leads: int

    @property
    def is_published(self) -> bool:
        """Whether there were scores to publish again."""
        return bool(self.as_of)


def models(settings: Settings) -> ModelsReport:
    """Return the versions of the shop's model and the history of its champions."""
    place = place_of(settings)
    return ModelsReport(registry.versions(place), registry.history(place))


def promote(settings: Settings, wanted: str = "", *, why: str = "", at: datetime) -> PromoteReport:
    """Make a version the champion, by hand.

    Args:
        settings: The shop's config.
        wanted: A label, a number or an alias; empty = the challenger.
        why: In words, for the history.
        at: When (aware).

    Raises:
        LeadlightError: There is no such version, or its files are gone or damaged.
    """
    place = place_of(settings)
    before = registry.history(place)
    told = registry.promote(place, wanted or registry.CHALLENGER, why=f"by hand: {why}" if why else "by hand", at=at)
    is_new = not before or told != before[0]
    return PromoteReport(told.version, told.before, is_new)


def rollback(settings: Settings, *, why: str = "", at: datetime) -> RollbackReport:
    """Make the champion before the present one champion again, and publish the newest scores it stored.

    Args:
        settings: The shop's config.
        why: In words, for the history.
        at: When (aware).

    Raises:
        LeadlightError: There was no champion before, or its files are gone or damaged; nothing has changed.
    """
    workspace = Workspace(settings.shop.workspace)
    store = ScoreStore(workspace)

    def publish(back_to: ModelVersion) -> None:
        stored = store.newest(back_to.label)
        if stored is not None:
            store.publish(stored, retention(settings, at=at))

    # A run of scores that ends just now must not publish the old champion's after this has published the other's.
    with workspace.publishing():
        told = registry.rollback(place_of(settings), why=why, at=at, first=publish)
    stored = store.newest(told.version)
    return RollbackReport(
        champion=told.version,
        rolled_back=told.before,
        as_of=local_iso(stored.as_of, settings.shop.time_zone) if stored else "",
        leads=store.count(stored) if stored else 0,
    )
