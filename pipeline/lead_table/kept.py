"""The leads of a table as the last ingest left them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import moments
from features.lead_rows import LeadRows
from features.timeline import Int64Array
from pipeline.lead_table.intake import ATTRIBUTE, PERSON

LEADS = "leads.parquet"


@dataclass(frozen=True)
class KeptLeads:
    """The leads of one generation.

    Attributes:
        folder: The generation's folder.
        manifest: Its ``manifest.json``.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def attributes(self) -> dict[str, str]:
        """Each attribute's kind: ``text`` or ``number``."""
        return dict(self.manifest["attributes"])

    @property
    def loaded_at(self) -> int:
        """When the last load that changed something read the table, microseconds (UTC)."""
        return int(self.manifest["loaded_at_us"])

    @property
    def last_time(self) -> int | None:
        """The latest time in the table, or None where it has none."""
        found = self.manifest["last_time_us"]
        return None if found is None else int(found)

    def rows(self, *, of: str | None = None) -> LeadRows:
        """Return all leads, in order of their rows, or the one whose id is given."""
        only = None if of is None else pc.field("lead_id") == of
        table = pq.read_table(self.folder / LEADS, filters=only)
        attributes = {name: table[ATTRIBUTE + name] for name in self.attributes}
        return LeadRows(
            lead_id=table["lead_id"].combine_chunks().cast(pa.string()),
            place=np.asarray(table["place"].to_numpy(), dtype=np.int64),
            date=_microseconds(table["date"], missing=0),
            label=table["label"].combine_chunks().cast(pa.bool_()),
            converted_at=_microseconds(table["converted_at"], missing=moments.NEVER),
            attributes=pa.table(attributes),
        )

    def people(self) -> pa.Table:
        """Return ``lead_id`` and those columns of `features.people.PEOPLE` that the table tells, a row per lead."""
        table = pq.read_table(self.folder / LEADS)
        told = {
            name.removeprefix(PERSON): table[name].cast(pa.string())
            for name in table.column_names
            if name.startswith(PERSON)
        }
        return pa.table({"lead_id": table["lead_id"].cast(pa.string()), **told})


def _microseconds(times: pa.ChunkedArray, *, missing: int) -> Int64Array:
    numbers = times.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(pc.fill_null(numbers, missing).to_numpy(), dtype=np.int64)
