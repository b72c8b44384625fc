"""A small shop beside a CRM: its files, its ledger, and what people did in the CRM."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.moments import to_us
from pipeline.crm.hearing import hear
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.opening import ledger_address, opened
from pipeline.histories import Histories
from pipeline.ingested import Tables
from pipeline.settings import Settings, parse
from pipeline.stages.ingest import ingest
from pipeline.stages.ingest_report import IngestReport
from pipeline.workspace import Workspace
from support.told import Telling

READ: dict[str, Any] = {
    "override": "do_not_call",
    "owner": "owner",
    "stage": "stage",
    "outcomes": [{"property": "deal", "values": {"closedwon": "won", "closedlost": "lost"}}],
}
TABLES: dict[str, Any] = {
    "leads": {"path": "leads.csv"},
    "orders": {"path": "orders*.csv"},
    "outcomes": {"crm": "hubspot"},
    "lead_states": {"crm": "hubspot"},
}


@dataclass
class ToldShop:
    """A shop with three leads, of which a CRM knows more and others.

    Attributes:
        folder: Where its files lie.
        crm: What people did.
        tables: Its tables in the config.
        read: What is read of the CRM.
        question: What it asks.
        features: Its own features.
    """

    folder: Path
    crm: Telling = field(default_factory=Telling)
    tables: dict[str, Any] = field(default_factory=lambda: dict(TABLES))
    read: dict[str, Any] = field(default_factory=lambda: dict(READ))
    question: dict[str, Any] = field(default_factory=lambda: {"conversion": {"table": "orders"}})
    features: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.write(
            "leads.csv", "lead_id,created_at,owner", "Ann,2024-01-01,Eve", "Bob,2024-01-01,Eve", "Cat,2024-01-01,"
        )
        self.write(
            "orders1.csv",
            "order_id,lead_id,ordered_at,amount",
            "1,Ann,2024-05-01 10:00,10",
            "2,Bob,2024-05-03 10:00,10",
        )

    def write(self, name: str, *lines: str) -> None:
        """Write a file of the shop's."""
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """The shop's config."""
        raw = {
            "shop": {"name": "Shop"},
            "tables": self.tables,
            "question": self.question,
            "features": self.features,
            "crm": {"hubspot": {"fields": {"score": "score"}, "read": self.read}},
        }
        return parse(raw, place=self.folder / "shop.yaml")

    def hear(self, when: str) -> None:
        """Read what changed in the CRM, as if no time passed meanwhile."""
        settings = self.settings
        engine = opened(ledger_address(settings, {}))
        try:
            read = settings.crm["hubspot"].read
            where = Destination("hubspot", "")
            hear(engine, where, self.crm, read, at=moment(when), stopwatch=lambda: 0.0)  # type: ignore[arg-type]
        finally:
            engine.dispose()

    def ingest(self, when: str) -> IngestReport:
        """Load at a moment."""
        return ingest(self.settings, now=moment(when))

    @property
    def ingested(self) -> Tables:
        """What the last load left."""
        return Workspace(self.folder / "workspace").tables()

    @property
    def histories(self) -> Histories:
        """The leads as the stages ask for them."""
        return Histories(self.settings)

    def rows(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        """Return a timeline's rows of all buckets: lead, columns, with times as text; leads by name."""
        return rows_of(self.ingested, table, *columns)

    def owners(self, when: str) -> dict[str, str | None]:
        """Return who looks after whom at a moment."""
        people = self.histories.people(as_of=to_us(moment(when)))
        assert people is not None
        return dict(zip(people["lead_id"].to_pylist(), people["owner"].to_pylist(), strict=True))

    def asked(self, when: str, features: Any) -> dict[str, list[Any]]:
        """Return features of all leads at a moment, by lead."""
        parts = self.histories.waiting(
            features,
            lambda one: pa.table({"lead_id": one.keys["lead_id"]} | _plain(one.columns)),
            as_of=to_us(moment(when)),
        )
        rows = [row for part in parts for row in part.to_pylist()]
        return {row.pop("lead_id"): list(row.values()) for row in rows}


def rows_of(ingested: Tables, table: str, *columns: str) -> list[tuple[object, ...]]:
    """Return a timeline's rows of all buckets: lead, columns, with times as text; leads by name."""
    found = []
    for bucket in range(ingested.buckets):
        timelines = ingested.timelines(bucket)
        names = timelines.leads["lead_id"].to_pylist()
        for row in timelines.tables[table].to_pylist():
            lead = names[row["lead_no"] - timelines.first_lead_no]
            found.append((lead, *(_said(row[name]) for name in columns)))
    return sorted(found, key=lambda row: str(row[0]))


def moment(text: str) -> datetime:
    """Return a moment from its ISO text (UTC)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _plain(columns: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {
        name: columns[name].cast(pa.string()) if pa.types.is_dictionary(columns[name].type) else columns[name]
        for name in columns.column_names
    }


def _said(value: object) -> object:
    return f"{value:%m-%d %H:%M}" if isinstance(value, datetime) else value
