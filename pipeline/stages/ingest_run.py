"""One reading of all sources into a folder of its own: the body of `ingest` and `check`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from features.moments import to_us
from pipeline.progress import Progress
from pipeline.settings import Settings
from pipeline.sources.connection import connected
from pipeline.sources.staging import Staged
from pipeline.stages.adding import Addition, add_all
from pipeline.stages.admission import stage_all
from pipeline.stages.ingest_record import IngestRecord, from_dict, resolution_signature
from pipeline.stages.ingest_report import IngestReport
from pipeline.stages.ingest_reporting import Findings, fresh_report, iso, notes_of, same_report
from pipeline.stages.intake import Incoming, Load, find_incoming
from pipeline.stages.still_valid import still_valid
from pipeline.stages.timeline_writer import Resolved, resolve_facts
from pipeline.workspace import Workspace


class IngestRun:
    """One reading of all sources into a folder of its own.

    Args:
        settings: The shop's config.
        workspace: What is known already; only read.
        folder: Where everything new goes.
        now: The moment of the load (aware).
        rebuild: Whether to forget all earlier loads.
        progress: Told of every step.
        environment: Where the ledger's URL is looked up first; None = the process's own.
    """

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        folder: Path,
        *,
        now: datetime,
        rebuild: bool,
        progress: Progress,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._workspace = workspace
        self._folder = folder
        self._loaded_at = to_us(now)
        self._progress = progress
        self._environment = environment
        self._previous = workspace.current_generation()
        self._manifest = workspace.manifest()
        self._stored = from_dict(self._manifest["record"]) if self._manifest else IngestRecord()
        self._is_rebuild = rebuild

    def read(self, *, timelines: Path | None) -> IngestReport:
        """Read everything new and return what was found.

        Args:
            timelines: Where timelines go; None only counts.
        """
        with connected(self._settings.ingest, self._folder / "spill") as connection:
            before = self._still_valid(connection)
            findings = self._take_in(connection, before, is_lasting=timelines is not None)
            record = IngestRecord(findings.added.records, resolution_signature(self._settings))
            if self._manifest and not self._is_changed(record, findings.added):
                return same_report(self._manifest["report"], findings)
            resolved = resolve_facts(
                connection,
                self._settings,
                record.tables,
                facts=self._folder / "facts",
                timelines=timelines,
                progress=self._progress,
            )
            report = fresh_report(connection, self._settings, findings, resolved, folder=self._folder)
        if timelines is not None:
            self._write_manifest(record, resolved, report)
        # Said once: the manifest keeps what is true of the sources, not of this run alone.
        return replace(report, notes=(*self._read_anew(before), *findings.added.notes(), *report.notes))

    def _still_valid(self, connection: duckdb.DuckDBPyConnection) -> IngestRecord:
        """Return what is known of earlier loads, as far as this one builds on it."""
        if self._is_rebuild or self._previous is None:
            return IngestRecord()
        facts = self._previous / "facts"
        return still_valid(connection, self._settings, self._stored, facts=facts, environment=self._environment)

    def _read_anew(self, before: IngestRecord) -> list[str]:
        """Return one line per table that is new again because its mapping is."""
        anew = [name for name in self._stored.tables if name not in before.tables]
        why = "read anew as a first load, for the config maps it differently than before"
        return [] if self._is_rebuild else [f"{name}: {why}" for name in anew if name in self._settings.tables]

    def _take_in(self, connection: duckdb.DuckDBPyConnection, before: IngestRecord, *, is_lasting: bool) -> Findings:
        load = Load(self._loaded_at, self._previous, self._environment)
        incoming = find_incoming(connection, self._settings, before, load)
        staged = stage_all(
            connection,
            incoming,
            folder=self._folder,
            max_rejected_share=self._settings.ingest.max_rejected_share,
            progress=self._progress,
        )
        # Adding moves staged files to their place, so what is asked of them is asked first.
        notes = notes_of(connection, incoming, staged)
        added = add_all(
            connection,
            incoming,
            staged,
            before=before,
            folder=self._folder,
            previous=self._previous,
            is_lasting=is_lasting,
        )
        return Findings(_by_table(incoming, staged), added, notes, tuple(map(str, self._rejects(added))))

    def _is_changed(self, record: IngestRecord, added: Addition) -> bool:
        """Whether facts or the settings they are resolved by differ from what is published."""
        facts = {name: table.facts for name, table in record.tables.items()}
        stored = {name: table.facts for name, table in self._stored.tables.items()}
        is_read_on = _read_until(record) != _read_until(self._stored)
        return added.is_changed or facts != stored or is_read_on or record.resolved_by != self._stored.resolved_by

    def _rejects(self, added: Addition) -> list[Path]:
        """Where the rejected rows of this run will lie once it is published."""
        numbers = {name: record.number for name, record in added.records.items()}
        return [
            self._workspace.rejects_folder / f"{path.stem}-load-{numbers[path.stem.rpartition('-')[0]]:04d}.csv"
            for path in rejected_files(self._folder)
        ]

    def _write_manifest(self, record: IngestRecord, resolved: Resolved, report: IngestReport) -> None:
        spans = {
            name: {"data_from": table.data_from, "data_until": table.data_until, "rows": table.total}
            for name, table in report.tables.items()
            if table.data_from
        }
        manifest = {
            "loaded_at": iso(self._loaded_at),
            "buckets": resolved.buckets,
            "timelines": resolved.columns,
            "event_types": resolved.event_types,
            "people": resolved.people,
            "record": record.as_dict(),
            "report": report.as_dict(),
        }
        for name, data in (("coverage.json", spans), ("manifest.json", manifest)):
            (self._folder / name).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def rejected_files(folder: Path) -> list[Path]:
    """Return the files of rejected rows in a generation that is not published yet, in a fixed order."""
    return sorted((folder / "rejects").glob("*.csv"))


def _read_until(record: IngestRecord) -> dict[str, list[int | None]]:
    return {name: [source.read_until for source in table.sources] for name, table in record.tables.items()}


def _by_table(incoming: Sequence[Incoming], staged: Mapping[str, Staged]) -> dict[str, list[Staged]]:
    found: dict[str, list[Staged]] = {}
    for source in incoming:
        found.setdefault(source.table, []).append(staged[source.name])
    return found
