"""What a shop knows of its leads: the one seam between the stages and the kind of data that a config names.

A shop of *timelines* asks about its leads again and again, and counts what had happened by then; a *lead table* has one
row per lead and nothing behind it. The stages ask either through `LeadData` and need not know which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from features.catalog import Feature
from features.errors import LeadlightError
from features.matrix import FeatureTable
from features.timeline import Coverage
from pipeline.progress import Progress, silent
from pipeline.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from models.points_card import PointsCard
    from models.points_card_columns import BoundCard
    from pipeline.languages import Language
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

    def caveat(self, *, is_forward: bool) -> str:
        """Return what must be said beside every figure of a model that was judged on these leads; empty = nothing.

        Args:
            is_forward: Whether it was judged on later leads, instead of on others dealt at random.
        """

    def training_table(self, *, also: Sequence[Feature] = (), progress: Progress = silent) -> FeatureTable:
        """Return every lead and moment whose label is known and closed.

        Args:
            also: More columns for judges, beside those that the config gives them.
            progress: Told of every part done.

        Returns:
            One row per (lead, moment) with its label; the columns that judges read, and the model does not, lie
            beside the features.

        Raises:
            NoConversionsError: No label has closed yet.
            LeadlightError: The config names features, segments or a points card that these leads cannot serve.
        """

    def data_until(self, features: Sequence[Feature]) -> Mapping[str, int]:
        """Return until when each table tells what happened that *features* or the question read, microseconds (UTC).

        A span ends before the moment at which it ends. There is at least one table.
        """

    def waiting(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        beside: Sequence[Feature] = (),
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of the leads that wait for an answer at *as_of*, part by part.

        Args:
            features: The columns of the tables that *work* is given.
            work: Called with a part of the leads, each in one part; parts may be at work at once.
            as_of: The moment of scoring, microseconds (UTC); what was known later is not read.
            beside: Columns for rules, which lie beside the features; they say how things stand at *as_of*.
            progress: Told of every part done.

        Returns:
            What *work* returned, in order of parts; parts may be empty.
        """

    def people(self, *, as_of: int, only: Collection[str] | None = None) -> pa.Table | None:
        """Return who the leads are, as it was known at *as_of* (microseconds, UTC); None where that is not kept.

        Args:
            as_of: The moment.
            only: The columns that are wanted; None = all.

        Returns:
            ``lead_id`` and those columns of `features.people.PEOPLE` that the shop has and *only* names, one row per
            lead of the shop's own list of leads.
        """

    def standing(self, facts: Sequence[Feature], *, as_of: int) -> pa.Table:
        """Return how every lead of the shop stands at *as_of*, whoever waits for an answer.

        Args:
            facts: What is asked of each (`features.situation`).
            as_of: The moment, microseconds (UTC); what was known later is not read.

        Returns:
            ``lead_id`` and one column per fact, under its name; each lead once.
        """

    def everyone(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of the leads that a points card is tried on; the arguments are those of `waiting`.

        Of a lead table these are all, since on the first day none may be open; else those who wait.
        """

    def points_card(self) -> BoundCard:
        """Return the points card that the config names, with what it reads of these leads.

        Raises:
            LeadlightError: No card is named, or it has faults or reads what is not there.
        """

    def bound(self, card: PointsCard) -> BoundCard:
        """Return *card*, whoever names it, with what it reads of these leads.

        Raises:
            LeadlightError: It reads what is not there.
        """

    def scored_by(self, card: BoundCard) -> tuple[Feature, ...]:
        """Return the features that scoring by *card* takes: what it reads, and what decides who is scored."""

    def examples_of(self, attribute: str) -> tuple[str | float, ...]:
        """Return the words that an attribute has most often, or its least, middle and highest number; or nothing."""

    def nobody_waits(self, as_of: int) -> LeadlightError:
        """Return the error for a moment (microseconds, UTC) at which no lead waits."""

    def why_not_scored(self, lead_id: str) -> str:
        """Return why a lead that is known has no score, in a sentence; empty for one that is not known at all."""

    def outcomes(self, keys: pa.Table, *, progress: Progress = silent) -> pa.Table:
        """Return what became of leads that were scored at moments of the past.

        Args:
            keys: ``lead_id``, ``as_of`` and ``trigger_id`` of stored scores, in any order.
            progress: Told of every part done.

        Returns:
            ``converted`` and ``is_ripe`` (bool), one row per row of *keys*, in its order. A row whose lead, moment or
            trigger is no longer known is not ripe; neither is one whose label window has not closed.
        """

    def latest(self, lead_id: str, *, as_of: datetime, language: Language) -> list[Happening] | None:
        """Return what was known of a lead before *as_of* (aware), newest first; None where no history is kept."""


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
