"""A table of leads as the stages ask for it: attributes alone, and whatever it tells of time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalog import Feature
from features.errors import LeadlightError, wrong_input
from features.families.fit import of_attribute
from features.lead_rows import LeadRows, Timing, every_lead, training_table, waiting_table
from features.local_time import local_iso
from features.matrix import FeatureTable
from features.moments import local_date, local_midnight
from features.plan import KEY_COLUMNS
from features.timeline import Coverage
from models.errors import NoConversionsError, no_conversions
from models.points_card import PointsCard
from models.points_card_columns import BoundCard, bind
from pipeline import asking, segmenting
from pipeline.languages import Language
from pipeline.lead_table import notes
from pipeline.lead_table.kept import KeptLeads
from pipeline.lead_timeline import Happening
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.settings_lead_table import LeadAttribute
from pipeline.workspace import Workspace

Result = TypeVar("Result")

ROWS_PER_PART = 65_536
_EXAMPLES = 3
"""Words of an attribute that an example shows."""


class LeadTable:
    """The leads of a table; see `pipeline.lead_data.LeadData`.

    Args:
        settings: The shop's config, with a lead table.

    Raises:
        LeadlightError: Nothing is ingested, or tables of another kind.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.lead_table is None:
            raise ValueError("the config has no lead table")
        self._settings, self._asked = settings, settings.lead_table
        self._zone = settings.shop.time_zone
        self._kept = KeptLeads(*Workspace(settings.shop.workspace).lead_table())

    @property
    def available(self) -> Mapping[str, AbstractSet[str]]:
        """The attributes, beside the keys that every table has."""
        return {"attributes": {*KEY_COLUMNS, *self._kept.attributes}}

    @property
    def attributes(self) -> Mapping[str, str]:
        """All attributes, sensitive ones too: a card was written by a person."""
        return self._kept.attributes

    @property
    def event_types(self) -> AbstractSet[str] | None:
        """None: there are no events."""
        return None

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """From the first date until when the table tells what happened; nothing without dates."""
        if self._asked.date is None:
            return {}
        return {"lead_table": Coverage(int(self._rows.date.min()), self._timing.data_until)}

    def caveat(self, *, is_forward: bool) -> str:
        """Return what the table's time does not allow."""
        return notes.on_time(self._asked, is_forward=is_forward)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The attributes that the model may read."""
        kept_out = segmenting.kept_out(self._settings)
        return tuple(self._feature(name) for name in self._kept.attributes if name not in kept_out)

    def training_table(self, *, also: Sequence[Feature] = (), progress: Progress = silent) -> FeatureTable:
        """Return every lead whose label is known and closed."""
        segmenting.refuse_unknown(self._settings, self.features)
        beside = (*segmenting.columns(self._settings, self._kept.attributes), *self._of_card(), *also)
        table = training_table(self._rows, self._timing, self.features, beside=beside)
        progress("reading the lead table", 1, 1)
        if not len(table):
            raise _nothing_closed(self._asked.horizon_days, self._told_until())
        return table

    def data_until(self, features: Sequence[Feature]) -> Mapping[str, int]:  # noqa: ARG002 - all are of one table
        """Return until when the table tells what happened."""
        return {"lead_table": self._timing.data_until}

    def waiting(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        beside: Sequence[Feature] = (),
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of the open leads, part by part."""
        table = waiting_table(self._rows, self._timing, features, as_of=as_of, beside=beside)
        return _in_parts(table, work, progress)

    def people(self, *, as_of: int, only: Collection[str] | None = None) -> pa.Table | None:  # noqa: ARG002 - no versions
        """Return the leads, with what the config's ``people`` names of them."""
        people = self._kept.people()
        return people.select([name for name in people.column_names if only is None or name in {"lead_id", *only}])

    def standing(self, facts: Sequence[Feature], *, as_of: int) -> pa.Table:  # noqa: ARG002 - there is no history
        """Return the leads alone: nothing is known of them but their one row."""
        people = self._kept.people()
        return pa.table({"lead_id": pa.array([], pa.string()) if people is None else people["lead_id"]})

    def everyone(
        self,
        features: Sequence[Feature],
        work: Callable[[FeatureTable], Result],
        *,
        as_of: int,
        progress: Progress = silent,
    ) -> list[Result]:
        """Return *work* of every lead, part by part: on the first day none may be open."""
        return _in_parts(every_lead(self._rows, self._timing, features, as_of=as_of), work, progress)

    def points_card(self) -> BoundCard:
        """Return the config's points card, with the attributes that it reads; there are no actions."""
        return self.bound(asking.named_card(self._settings))

    def bound(self, card: PointsCard) -> BoundCard:
        """Return *card* with the attributes that it reads."""
        return bind(card, available={}, attributes=self.attributes, catalog=self.features)

    def scored_by(self, card: BoundCard) -> tuple[Feature, ...]:
        """Return what *card* reads: everyone who is open is scored."""
        return card.features

    def examples_of(self, attribute: str) -> tuple[str | float, ...]:
        """Return the words that it has most often, the most frequent first, or its least, middle and highest number."""
        values = self._rows.attributes[attribute].drop_null()
        if not len(values):
            return ()
        if self.attributes[attribute] == "number":
            return tuple(pc.quantile(values, [0.0, 0.5, 1.0], interpolation="nearest").to_pylist())
        counted = values.cast(pa.string()).value_counts().to_pylist()
        return tuple(one["values"] for one in sorted(counted, key=lambda one: (-one["counts"], one["values"])))[
            :_EXAMPLES
        ]

    def nobody_waits(self, as_of: int) -> LeadlightError:
        """Return the error for a moment at which no lead is open."""
        if self._asked.horizon_days:
            when = local_iso(as_of, self._zone)[:10]
            why = f"none came in within {self._asked.horizon_days} days before and has not converted"
            return wrong_input(f"There is nobody to score at {when}: {why}.", hint="give another --as-of.")
        hint = (
            f"leads to score are those without an outcome: '{self._asked.label.column}' is empty, or says label.open."
        )
        return wrong_input("There is nobody to score: every lead has its outcome already.", hint=hint)

    def why_not_scored(self, lead_id: str) -> str:
        """Return that the lead is not open."""
        is_known = pc.any(pc.equal(self._rows.lead_id, lead_id)).as_py()
        return (
            "It is known, but was not open then: it had its outcome, or had not come in (not_in_cohort)."
            if is_known
            else ""
        )

    def outcomes(self, keys: pa.Table, *, progress: Progress = silent) -> pa.Table:
        """Return what became of scored leads: the table tells it of those whose label has closed."""
        closed = training_table(self._rows, self._timing, ())
        progress("reading outcomes", 1, 1)
        place = pc.index_in(keys["lead_id"], value_set=closed.keys["lead_id"].combine_chunks())
        converted = closed.labels["converted"].take(place) if closed.labels is not None else pa.nulls(len(keys))
        return pa.table({"converted": pc.fill_null(converted, False), "is_ripe": pc.is_valid(place)})

    def latest(
        self,
        lead_id: str,  # noqa: ARG002 - there is no history
        *,
        as_of: datetime,  # noqa: ARG002
        language: Language,  # noqa: ARG002
    ) -> list[Happening] | None:
        """Return None: the table keeps no history."""
        return None

    @cached_property
    def _rows(self) -> LeadRows:
        return self._kept.rows()

    @cached_property
    def _timing(self) -> Timing:
        order = "date" if self._asked.date is not None else self._asked.order
        return Timing(
            order=order,
            data_until=self._data_until(),
            horizon_days=self._asked.horizon_days,
            tells_when=bool(self._asked.label.converted_at),
        )

    def _data_until(self) -> int:
        """Return the day that the config names, or the latest time where the table tells when; else the load."""
        if self._asked.data_until is not None:
            return local_midnight(self._asked.data_until + timedelta(days=1), self._zone)
        last = self._kept.last_time
        return last if self._asked.label.converted_at and last is not None else self._kept.loaded_at

    def _told_until(self) -> str:
        """Return the last day that the table tells of: it ends before the moment at which it ends."""
        return str(local_date(self._timing.data_until - 1, self._zone))

    def _of_card(self) -> tuple[Feature, ...]:
        """Return what the config's points card reads, where it names one: it is judged beside the model."""
        return self.points_card().features if self._settings.points.card is not None else ()

    def _feature(self, name: str) -> Feature:
        feature = of_attribute(name, self._kept.attributes[name])
        specs = self._asked.attributes
        spec = specs.get(name) if isinstance(specs, dict) else None
        if not isinstance(spec, LeadAttribute):
            return feature
        unit = spec.unit if spec.unit and feature.kind == "number" else feature.unit
        return replace(feature, unit=unit, monotone=spec.monotone if feature.kind == "number" else 0)


def _in_parts(table: FeatureTable, work: Callable[[FeatureTable], Result], progress: Progress) -> list[Result]:
    done = []
    for start in range(0, max(len(table), 1), ROWS_PER_PART):
        done.append(work(table.take(np.arange(start, min(start + ROWS_PER_PART, len(table))))))
        progress("scoring", min(start + ROWS_PER_PART, len(table)), len(table))
    return done


def _nothing_closed(horizon_days: int, until: str) -> NoConversionsError:
    if not horizon_days:
        return no_conversions(
            "No lead of the table has an outcome yet.", hint="ingest an export in which some have one."
        )
    fact = f"No lead came in {horizon_days} days before {until}, until when the table tells what happened."
    return no_conversions(
        fact, hint="shorten lead_table.horizon_days, say lead_table.data_until, or ingest more leads."
    )
