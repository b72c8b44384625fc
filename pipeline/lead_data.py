"""What a shop knows of its leads: the one seam between the stages and the kind of data that a config names.

A shop of *timelines* asks about its leads again and again, and counts what had happened by then; a *lead table* has one
row per lead and nothing behind it. The stages ask either through `LeadData` and need not know which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from features.catalog import Feature
from features.errors import LeadlightError
from features.matrix import FeatureTable
from features.timeline import Coverage
from pipeline.progress import Progress, silent
from pipeline.settings import Settings

if TYPE_CHECKING:
    from models.points_card_columns import BoundCard
    from pipeline.lead_timeline import Happening

Result = TypeVar("Result")


class LeadData(Protocol):
    """The leads of a shop, as the last ingest left them."""

    @property
    def available(self) -> Mapping[str, AbstractSet[str]]:
        """The columns of each table that features may read."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes that rules of a points card may read, ``text`` or ``number`` by name."""

    @property
    def event_types(self) -> AbstractSet[str] | None:
        """The types of events that occur; None where that is not known."""

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """The span that each table's data cover, where they have days."""

    @property
    def question(self) -> Mapping[str, Any]:
        """What is asked of the leads, as plain data: models that answer different questions are not compared."""

    def caveat(self, *, is_forward: bool) -> str:
        """Return what must be said beside every figure of a model that was judged on these leads; empty = nothing.

        Args:
            is_forward: Whether it was judged on later leads, instead of on others dealt at random.
        """

    def training_table(self, *, also: Sequence[Feature] = (), progress: Progress = silent) -> FeatureTable:
        """Return every lead and moment with a closed label; see `pipeline.stages.features.compute_training_table`."""

    def data_until(self, features: Sequence[Feature]) -> Mapping[str, int]:
        """Return until when each table that *features* read tells what happened, microseconds (UTC)."""

    def waiting(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of the leads that wait for an answer at *as_of*, part by part."""

    def everyone(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of the leads that a points card is tried on: of a table all, else those who wait."""

    def points_card(self) -> BoundCard:
        """Return the points card that the config names, with what it reads of these leads.

        Raises:
            LeadlightError: No card is named, or it has faults or reads what is not there.
        """

    def scored_by(self, card: BoundCard) -> tuple[Feature, ...]:
        """Return what *card* reads, and what decides who is scored."""

    def usual(self, attribute: str) -> tuple[str | float, ...]:
        """Return the words that an attribute has most often, or its least, middle and highest number; or nothing."""

    def nobody(self, as_of: int) -> LeadlightError:
        """Return the error for a moment at which no lead waits."""

    def told(self, as_of: int) -> str:
        """Return the moment of a training row as people read it; empty where it says nothing."""

    def unasked(self, lead_id: str) -> str:
        """Return why a lead that is known has no score, in a sentence; empty for one that is not known at all."""

    def latest(self, lead_id: str, *, as_of: datetime) -> list[Happening] | None:
        """Return what was known of a lead, newest first; None where nothing of the kind is kept."""


def lead_data(settings: Settings) -> LeadData:
    """Return the leads of the config's workspace.

    Raises:
        LeadlightError: Nothing is ingested, or something of another kind.
    """
    if settings.lead_table is not None:
        from pipeline.lead_table.data import LeadTable

        return LeadTable(settings)
    from pipeline.histories import Histories

    return Histories(settings)
