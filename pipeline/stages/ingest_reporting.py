"""From what a run found to its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from features.local_time import local_iso
from features.moments import from_us
from features.parsing import literal
from features.tables import FACT_TABLES
from pipeline.settings import Settings
from pipeline.sources.staging import Staged
from pipeline.stages.adding import Addition
from pipeline.stages.ingest_report import IngestReport, TableReport
from pipeline.stages.intake import Incoming
from pipeline.stages.timeline_writer import Resolved, span_of


@dataclass(frozen=True)
class Findings:
    """What a run has found before anything is resolved.

    Attributes:
        staged: Per table: the sources that were read.
        added: What they added.
        notes: What a person should look at.
        rejects: Where the rejected rows lie.
    """

    staged: Mapping[str, Sequence[Staged]]
    added: Addition
    notes: tuple[str, ...]
    rejects: tuple[str, ...]


def fresh_report(
    connection: duckdb.DuckDBPyConnection, settings: Settings, findings: Findings, resolved: Resolved, *, folder: Path
) -> IngestReport:
    """Return the report of a run that changes the workspace.

    Args:
        connection: DuckDB.
        settings: The shop's config.
        findings: What was read and added.
        resolved: What resolution found.
        folder: The new generation.
    """
    leads = max(resolved.leads, 1)
    return IngestReport(
        tables={name: _table(connection, settings, findings, name, folder) for name in findings.added.records},
        leads=resolved.leads,
        share_with={name: count / leads for name, count in resolved.leads_with.items() if name in FACT_TABLES},
        left_out=resolved.left_out,
        shared_visitors=resolved.shared_visitors,
        unlinked_rows=resolved.unlinked_rows,
        notes=findings.notes,
        rejects=findings.rejects,
        is_changed=True,
        generation=folder.name,
        buckets=resolved.buckets,
    )


def same_report(stored: Mapping[str, Any], findings: Findings) -> IngestReport:
    """Return the stored report of the last change, with what this run read in place of what that one did."""
    tables = {
        name: TableReport(**{**table, **_this_run(findings.staged.get(name, ())), **_counts(findings, name),
                             "unchanged": table["total"]})
        for name, table in stored["tables"].items()
    }  # fmt: skip
    lists = {"left_out": tuple(stored["left_out"]), "notes": tuple(stored["notes"]), "rejects": ()}
    return IngestReport(**{**stored, **lists, "tables": tables, "is_changed": False})


def notes_of(
    connection: duckdb.DuckDBPyConnection, incoming: Sequence[Incoming], staged: Mapping[str, Staged]
) -> tuple[str, ...]:
    """Return what a person should look at in the sources, one line each."""
    return tuple(
        f"{source.table}: all times are at the same hour of the day; if they are days, say `type: date`"
        for source in incoming
        if not source.source.crm and _all_at_midnight(connection, source, staged[source.name])
    )


def _all_at_midnight(connection: duckdb.DuckDBPyConnection, source: Incoming, staged: Staged) -> bool:
    """Whether all of a source's times are at 00:00 local though it does not call them days."""
    column = next((m for m in source.reading.columns if m.column.name == source.reading.table.time_column), None)
    if column is None or column.raw.is_date or column.raw.is_time or not column.raw.type.startswith("TIMESTAMP"):
        return False
    path = literal(str(staged.path))
    # At 00:00 local the UTC time falls on a whole quarter of an hour; a thousand of them are no accident.
    found = connection.execute(
        f"SELECT count(*), count(DISTINCT occurred_at::TIME) FROM read_parquet({path})"  # noqa: S608
    ).fetchall()[0]
    return bool(found[0] >= 100 and found[1] <= 2)


def iso(moment: int | None) -> str:
    """Return microseconds as ISO text in UTC; empty for none."""
    return "" if moment is None else from_us(moment).isoformat()


def _table(
    connection: duckdb.DuckDBPyConnection, settings: Settings, findings: Findings, name: str, folder: Path
) -> TableReport:
    record = findings.added.records[name]
    paths = [folder / "facts" / path for path in record.facts]
    span: tuple[int | None, ...] = (None,) * 4
    if paths:
        sources, zone = settings.tables[name], settings.shop.time_zone
        span = span_of(connection, paths, sources, zone=zone, read_until=record.read_until)
    begins, ends = map(iso, span[:2])
    first, last = ("" if at is None else local_iso(at, settings.shop.time_zone) for at in span[2:])
    counts = _counts(findings, name)
    total = findings.added.totals[name]
    new = counts["kept"] + counts["new_versions"] + counts["retracted"]
    return TableReport(
        **_this_run(findings.staged.get(name, ())),
        **counts,
        unchanged=total - new,
        total=total,
        first_occurred=first,
        last_occurred=last,
        data_from=begins,
        data_until=ends,
    )


def _counts(findings: Findings, name: str) -> dict[str, Any]:
    return dict(findings.added.counts(name))


def _this_run(staged: Sequence[Staged]) -> dict[str, Any]:
    rejected: dict[str, int] = {}
    for source in staged:
        for reason, count in source.faults.items():
            rejected[reason] = rejected.get(reason, 0) + count
    return {
        "rows_read": sum(source.rows_read for source in staged),
        "rejected": rejected,
        "waiting": sum(source.waiting for source in staged),
        "moved_times": sum(source.moved_times for source in staged),
        "ambiguous_times": sum(source.ambiguous_times for source in staged),
    }
