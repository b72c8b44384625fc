"""What the workspace remembers of its loads: enough to tell new from known at the next one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.settings import Settings
from pipeline.settings_tables import Source

_MAPPING = {
    "query", "columns", "constants", "extra", "attributes", "delimiter", "decimal", "encoding", "mode",
    "static_status", "cancelled_statuses",
}  # fmt: skip

_FORM = 2
"""The form in which timelines are written; another one than a workspace has is written anew at its next ingest."""
_HEARD_FORM = 2
"""How ids of what a CRM told are made; rows whose ids were made otherwise are read anew from the ledger."""


@dataclass(frozen=True)
class SourceRecord:
    """One source of a table, as it stands after its last load.

    Attributes:
        signature: What its mapping was; another mapping makes other facts.
        files: Per file name: the fingerprint of its newest content.
        facts: Its files of facts, oldest first.
        loads: How many loads brought something.
        data_until: Where its data end, microseconds (UTC); None without rows.
        is_waiting: Whether rows were set aside that a later load may let in.
        content: Stored columns beside the keys, in order.
        has_ids: Whether its rows have ids of their own.
        has_visitors: Whether its rows may name only a visitor.
        has_recorded: Whether its rows say when they were recorded.
        read_until: Until when it was read, microseconds (UTC), where that is known of it apart from its rows.
    """

    signature: str
    files: Mapping[str, str]
    facts: tuple[str, ...]
    loads: int
    data_until: int | None
    is_waiting: bool
    content: tuple[str, ...]
    has_ids: bool
    has_visitors: bool
    has_recorded: bool
    read_until: int | None = None


@dataclass(frozen=True)
class TableRecord:
    """One table, as it stands after its last load.

    Attributes:
        sources: Its sources, in the config's order.
        number: The number of its last load.
        has_changes: Whether some id has more than one row.
    """

    sources: tuple[SourceRecord, ...]
    number: int = 0
    has_changes: bool = False

    @property
    def facts(self) -> tuple[str, ...]:
        """All its files of facts."""
        return tuple(name for source in self.sources for name in source.facts)

    @property
    def read_until(self) -> int | None:
        """Until when its CRMs were read, by the one that was read least; None without a CRM."""
        return min((source.read_until for source in self.sources if source.read_until is not None), default=None)

    @property
    def loads(self) -> int:
        """The loads of the source that was loaded most often."""
        return max((source.loads for source in self.sources), default=0)


@dataclass(frozen=True)
class IngestRecord:
    """All tables, and the settings under which they were resolved.

    Attributes:
        tables: Per table.
        resolved_by: The signature of the settings that resolution depends on.
    """

    tables: Mapping[str, TableRecord] = field(default_factory=dict)
    resolved_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the record as plain data for JSON."""
        return asdict(self)


def from_dict(data: Mapping[str, Any]) -> IngestRecord:
    """Return the record that `IngestRecord.as_dict` wrote."""
    tables = {
        name: TableRecord(
            sources=tuple(
                SourceRecord(**{**source, "facts": tuple(source["facts"]), "content": tuple(source["content"])})
                for source in table["sources"]
            ),
            number=table["number"],
            has_changes=table["has_changes"],
        )
        for name, table in data["tables"].items()
    }
    return IngestRecord(tables, data["resolved_by"])


def mapping_signature(source: Source, *, zone: str, heard: object = None) -> str:
    """Return a short hash of everything that decides what a source's rows become.

    Args:
        source: The source's settings.
        zone: The shop's time zone.
        heard: What is read from the CRM that the source names.
    """
    if source.crm:
        return _hash([source.crm, heard, _HEARD_FORM])
    said = source.model_dump(mode="json", include=_MAPPING)
    # Whether an attribute is static or sensitive is read anew at every run; it changes no stored row.
    for attribute in said["attributes"].values():
        del attribute["static"], attribute["sensitive"]
    return _hash({**said, "zone": source.time_zone or zone})


def resolution_signature(settings: Settings) -> str:
    """Return a short hash of the settings under which facts become timelines."""
    leads = settings.tables.get("leads", [])
    static = sorted(name for source in leads for name, spec in source.attributes.items() if spec.static)
    spans = {
        name: [(str(s.data_from), str(s.data_until)) for s in sources] for name, sources in settings.tables.items()
    }
    ingest = settings.ingest
    return _hash([static, spans, ingest.max_leads_per_visitor, ingest.buckets, settings.shop.time_zone, _FORM])


def _hash(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:16]
