"""A shop of timelines as the stages ask for it: leads at moments of the past, and those who wait for an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa

from features import cohorts
from features.catalog import Feature
from features.errors import LeadlightError, wrong_input
from features.local_time import local_iso
from features.matrix import FeatureTable, concat
from features.moments import local_date
from features.plan import columns_read
from features.snapshots import Trigger
from features.stored_outcomes import stored_outcomes
from features.timeline import Coverage, Timelines
from features.training_table import Question, scoring_table, standing_table, training_table
from models.errors import NoConversionsError, no_conversions
from models.points_card import PointsCard
from models.points_card_columns import BoundCard
from pipeline import asking, lead_timeline, segmenting
from pipeline.ingested import Tables
from pipeline.languages import Language
from pipeline.lead_timeline import Happening
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.workspace import Workspace

Result = TypeVar("Result")

THREADS = 2
"""Buckets at work at once: the kernel needs no interpreter lock, and each bucket costs memory."""


class Histories:
    """The leads of a shop of timelines; see `pipeline.lead_data.LeadData`.

    Args:
        settings: The shop's config.

    Raises:
        LeadlightError: Nothing is ingested, or a lead table.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tables = Workspace(settings.shop.workspace).tables()

    @property
    def available(self) -> Mapping[str, AbstractSet[str]]:
        """The columns of each timeline."""
        return self._tables.available

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes that were usable when they were read."""
        return asking.attributes(self._settings, self.available)

    @property
    def event_types(self) -> AbstractSet[str] | None:
        """The types of events that occur."""
        return self._tables.event_types

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """The span that each table's data cover."""
        return self._tables.coverage

    def caveat(self, *, is_forward: bool) -> str:  # noqa: ARG002 - timelines know their time
        """Return nothing: timelines know their time."""
        return ""

    def training_table(self, *, also: Sequence[Feature] = (), progress: Progress = silent) -> FeatureTable:
        """Return every ripe snapshot of the cohort."""
        tables = self._tables
        question, features = asked(self._settings, tables)
        segmenting.refuse_unknown(self._settings, features)
        judges = asking.beside(self._settings, available=tables.available, event_types=tables.event_types)
        beside = (*judges, *also)
        parts = per_bucket(
            tables,
            lambda timelines: training_table(timelines, question, features, beside=beside),
            columns=question.columns_read([*features, *beside]),
            progress=progress,
            doing="computing features",
        )
        table = concat(parts)
        if not len(table):
            raise _nothing_ripe(self._settings, tables)
        return table

    def data_until(self, features: Sequence[Feature]) -> Mapping[str, int]:
        """Return where the data of each table end that *features*, or the question, read."""
        coverage = self._tables.coverage
        return {name: coverage[name].data_until for name in self._question.columns_read(features) if name in coverage}

    def waiting(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        beside: Sequence[Feature] = (),
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of the snapshots that wait for an answer, bucket by bucket."""
        return per_bucket(
            self._tables,
            lambda timelines: work(scoring_table(timelines, self._question, features, as_of=as_of, beside=beside)),
            columns=self._question.columns_read([*features, *beside]),
            progress=progress,
            doing="scoring",
        )

    def people(self, *, as_of: int, only: Collection[str] | None = None) -> pa.Table | None:
        """Return who stands in the table of leads; None where there is none."""
        tables = self._tables
        if not tables.has_people:
            return None
        found = (tables.people_at(bucket, as_of=as_of).drop_columns(["lead_no"]) for bucket in range(tables.buckets))
        return pa.concat_tables([_with(only, people) for people in found])

    def standing(self, facts: Sequence[Feature], *, as_of: int) -> pa.Table:
        """Return how every lead stands, bucket by bucket."""
        zone = self._question.zone
        parts = per_bucket(
            self._tables,
            lambda timelines: _told(standing_table(timelines, facts, as_of=as_of, zone=zone)),
            columns=columns_read(facts),
            progress=silent,
            doing="reading how leads stand",
        )
        return pa.concat_tables(parts)

    def everyone(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of those who wait: the cohort at *as_of*."""
        return self.waiting(features, work, as_of=as_of, progress=progress)

    def points_card(self) -> BoundCard:
        """Return the config's points card, with what it reads of the timelines."""
        return asking.points_card(self._settings, available=self.available, event_types=self.event_types)

    def bound(self, card: PointsCard) -> BoundCard:
        """Return *card* with what it reads of the timelines."""
        return asking.bound(self._settings, card, available=self.available, event_types=self.event_types)

    def scored_by(self, card: BoundCard) -> tuple[Feature, ...]:
        """Return what *card* reads, and the features that the cohort's conditions name."""
        catalog = asking.catalog(self._settings, available=self.available, event_types=self.event_types)
        named = {feature.name for feature in cohorts.features_read(self._question.cohort, catalog)}
        both = [*card.features, *(feature for feature in catalog if feature.name in named)]
        return tuple({feature.name: feature for feature in both}.values())

    def examples_of(self, attribute: str) -> tuple[str | float, ...]:  # noqa: ARG002 - versions of it lie in every bucket
        """Return nothing: the values are not at hand."""
        return ()

    def nobody_waits(self, as_of: int) -> LeadlightError:
        """Return the error for a moment at which nobody waits for an answer."""
        when = local_iso(as_of, self._question.zone)
        is_triggered = isinstance(self._question.snapshots, Trigger)
        what = "no trigger is open" if is_triggered else "no lead belongs to the cohort"
        hint = "give another --as-of, or check question.cohort and question.snapshots in the config."
        return wrong_input(f"There is nobody to score at {when}: {what}.", hint=hint)

    def why_not_scored(self, lead_id: str) -> str:
        """Return that the lead is not in the cohort, or that no trigger of its was open."""
        if not lead_timeline.is_known(self._tables, lead_id):
            return ""
        if isinstance(self._question.snapshots, Trigger):
            return "It is known, but no trigger of its was open then, or it had answered (not_in_cohort)."
        return f"It is known, but did not belong to the cohort ({self._question.cohort.who}) then (not_in_cohort)."

    def outcomes(self, keys: pa.Table, *, progress: Progress = silent) -> pa.Table:
        """Return what became of scored leads, bucket by bucket."""
        # Who was scored is settled: whom the cohort asks for now does not matter.
        question = replace(self._question, cohort=cohorts.Cohort())
        parts = per_bucket(
            self._tables,
            lambda timelines: stored_outcomes(timelines, question, keys),
            columns=question.columns_read(()),
            progress=progress,
            doing="reading outcomes",
        )
        converted, ripe = np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.bool_)
        for places, found in parts:
            converted[places], ripe[places] = found["converted"], found["is_ripe"]
        return pa.table({"converted": pa.array(converted), "is_ripe": pa.array(ripe)})

    def latest(self, lead_id: str, *, as_of: datetime, language: Language) -> list[Happening] | None:
        """Return the latest things known of a lead before *as_of*."""
        return lead_timeline.latest(self._tables, lead_id, as_of=as_of, settings=self._settings, language=language)

    @cached_property
    def _question(self) -> Question:
        return asking.question(self._settings)


def asked(settings: Settings, tables: Tables) -> tuple[Question, tuple[Feature, ...]]:
    """Return the config's question and the catalog that the ingested tables serve."""
    features = asking.catalog(settings, available=tables.available, event_types=tables.event_types)
    return asking.question(settings), features


def per_bucket(
    tables: Tables,
    work: Callable[[Timelines], Result],
    *,
    columns: dict[str, set[str]],
    progress: Progress,
    doing: str,
) -> list[Result]:
    """Return *work* of every bucket's timelines, in order of buckets."""
    done: list[Result] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for result in pool.map(lambda bucket: work(tables.timelines(bucket, columns=columns)), range(tables.buckets)):
            done.append(result)
            progress(doing, len(done), tables.buckets)
    return done


def _told(table: FeatureTable) -> pa.Table:
    """Return the features of each lead behind its id."""
    lead_id = table.keys["lead_id"].cast(pa.string())
    return pa.table({"lead_id": lead_id, **{name: table.columns[name] for name in table.columns.column_names}})


def _with(only: Collection[str] | None, people: pa.Table) -> pa.Table:
    """Return the columns of *people* that are wanted, and whose they are."""
    return people.select([name for name in people.column_names if only is None or name == "lead_id" or name in only])


def _nothing_ripe(settings: Settings, tables: Tables) -> NoConversionsError:
    conversion = settings.question.conversion.table
    span = tables.coverage[conversion]
    asked_for, zone = settings.question, settings.shop.time_zone
    trigger = asked_for.snapshots.trigger
    begins = f"'{trigger.until}' of its trigger" if trigger and trigger.until else "its snapshot"
    days = asked_for.settle_days if trigger and trigger.until else asked_for.horizon_days + asked_for.settle_days
    lines = [
        # A span ends before the moment at which it ends: at midnight, on the day before.
        f"'{conversion}' covers {local_date(span.data_from, zone)} to {local_date(span.data_until - 1, zone)}",
        f"a label is decided {days} days after {begins}",
        f"cohort: {asked_for.cohort.who}",
    ]
    hint = "shorten question.horizon_days, widen the grid or the cohort, or ingest a longer history."
    return no_conversions("No snapshot is ripe: none has its whole label window inside the data.", lines, hint=hint)
