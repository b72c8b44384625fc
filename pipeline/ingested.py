"""The tables of a shop as an ingest left them: timelines and people, read bucket by bucket or lead by lead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.moments import to_us
from features.overlay import OWNER, STATES, with_owners
from features.people import people_at
from features.timeline import Coverage, Timelines
from pipeline.one_lead import read_lead
from pipeline.timeline_files import read_bucket, read_people


@dataclass(frozen=True)
class Tables:
    """The ingested tables of one generation, read bucket by bucket.

    Attributes:
        folder: The generation's folder.
        manifest: Its ``manifest.json``.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def buckets(self) -> int:
        """The number of buckets."""
        return int(self.manifest["buckets"])

    @property
    def available(self) -> dict[str, set[str]]:
        """The columns of each timeline."""
        return {name: set(columns) for name, columns in self.manifest["timelines"].items()}

    @property
    def event_types(self) -> set[str] | None:
        """The types of events that occur, or None where there are too many to list."""
        types = self.manifest["event_types"]
        return None if types is None else set(types)

    @property
    def coverage(self) -> dict[str, Coverage]:
        """The span that each table's data cover."""
        spans = json.loads((self.folder / "coverage.json").read_text(encoding="utf-8"))
        return {name: Coverage(_moment(span["data_from"]), _moment(span["data_until"])) for name, span in spans.items()}

    @property
    def has_people(self) -> bool:
        """Whether it is kept who the leads are: not without a table of leads, nor by an ingest of before it was."""
        return self.manifest.get("people") is not None

    def people_at(self, bucket: int, *, as_of: int) -> pa.Table:
        """Return what was known of one bucket's people at *as_of* (microseconds); ask `has_people` first.

        Returns:
            ``lead_no``, ``lead_id`` and those columns of `features.people.PEOPLE` that the shop has, one row per
            lead of the shop's own list of leads.
        """
        columns = {STATES: {OWNER}} if OWNER in self.available.get(STATES, ()) else {}
        found = self.timelines(bucket, columns=columns)
        index = found.leads
        known = people_at(read_people(self.folder / "timelines", bucket), as_of=as_of)
        if columns:
            known = with_owners(known, found.tables[STATES], as_of=as_of)
        places = pc.index_in(known["lead_no"], value_set=index["lead_no"].combine_chunks())
        return known.append_column("lead_id", index["lead_id"].take(places))

    def timelines(self, bucket: int, *, columns: Mapping[str, set[str]] | None = None) -> Timelines:
        """Return the timelines of one bucket of leads.

        Args:
            bucket: Its number, below `buckets`.
            columns: Which columns of which tables to read beside the keys; by default all.
        """
        return read_bucket(
            self.folder / "timelines",
            bucket,
            available=self.manifest["timelines"],
            columns=columns,
            coverage=self.coverage,
        )

    def timelines_of(self, lead_id: str, *, columns: Mapping[str, set[str]] | None = None) -> Timelines | None:
        """Return one lead's timelines, or None where there is no such lead; *columns* as for `timelines`."""
        return read_lead(
            self.folder / "timelines",
            lead_id,
            buckets=self.buckets,
            available=self.manifest["timelines"],
            columns=columns,
            coverage=self.coverage,
        )


def _moment(text: str) -> int:
    return to_us(datetime.fromisoformat(text))
