"""`leadlight ingest` and `leadlight check`: sources in, timelines out, all or nothing.

A run reads whatever is new, works in a generation of its own, and names it in ``current.json`` at
the very end. Whatever stops it before, readers and the next run find the workspace as it was.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from features.errors import not_finished, wrong_input
from features.moments import from_us, to_us
from features.tables import FACT_TABLES
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.sources.staging import Staged
from pipeline.stages.adding import Addition, add_all
from pipeline.stages.ingest_record import IngestRecord, TableRecord, from_dict, mapping_signature, resolution_signature
from pipeline.stages.ingest_report import IngestReport, TableReport
from pipeline.stages.intake import Incoming, all_at_midnight, find_incoming, mapping_changed, stage_all
from pipeline.stages.timeline_writer import Resolved, resolve_facts, span_of
from pipeline.workspace import Workspace, disk_full


def ingest(settings: Settings, *, now: datetime, rebuild: bool = False, progress: Progress = silent) -> IngestReport:
    """Read what is new in the sources into the workspace.

    Args:
        settings: The shop's config.
        now: The moment of the load (aware); rows occurred or known later are set aside.
        rebuild: Forget all earlier loads and read everything as a first one.
        progress: Told of every step.

    Returns:
        What was read, kept and rejected. Running again on the same sources changes nothing.

    Raises:
        LeadlightError: Sources do not fit the config, or too many rows are unfit: all faults at once.
        NotFinishedError: Another run holds the workspace, or the disk is full. Nothing has changed.
    """
    workspace = Workspace(settings.shop.workspace)
    with workspace.locked():
        folder = workspace.new_generation()
        try:
            with _honest(workspace.root):
                run = _Run(settings, workspace, folder, now=now, rebuild=rebuild, progress=progress)
                report = run.read(timelines=folder / "timelines")
                if report.is_changed:
                    _publish(workspace, folder, report)
        finally:
            if workspace.current_generation() != folder:
                shutil.rmtree(folder, ignore_errors=True)
    return report


def check(settings: Settings, *, now: datetime, progress: Progress = silent) -> IngestReport:
    """Read as `ingest` would and write nothing in the workspace.

    Args:
        settings: The shop's config.
        now: The moment of the load (aware).
        progress: Told of every step.

    Returns:
        What an ingest would report.

    Raises:
        LeadlightError: Whatever would stop the ingest.
    """
    workspace = Workspace(settings.shop.workspace)
    with tempfile.TemporaryDirectory(prefix="leadlight-check-") as folder, _honest(Path(folder)):
        run = _Run(settings, workspace, Path(folder), now=now, rebuild=False, progress=progress)
        return run.read(timelines=None)


class _Run:
    """One reading of all sources into a folder of its own."""

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        folder: Path,
        *,
        now: datetime,
        rebuild: bool,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._workspace = workspace
        self._folder = folder
        self._loaded_at = to_us(now)
        self._progress = progress
        self._previous = workspace.current_generation()
        self._before = IngestRecord() if rebuild or self._previous is None else _still_valid(self._manifest(), settings)

    def read(self, *, timelines: Path | None) -> IngestReport:
        with _connected(self._settings, self._folder / "spill") as connection:
            incoming = find_incoming(connection, self._settings, self._before, loaded_at=self._loaded_at)
            staged = stage_all(
                connection,
                incoming,
                folder=self._folder,
                max_rejected_share=self._settings.ingest.max_rejected_share,
                progress=self._progress,
            )
            notes = _notes(connection, incoming, staged)
            added = add_all(
                connection, incoming, staged, before=self._before, folder=self._folder, previous=self._previous
            )
            resolved_by = resolution_signature(self._settings)
            is_changed = added.is_changed or resolved_by != self._before.resolved_by or self._was_rebuilt(added.records)
            record = IngestRecord(added.records, resolved_by)
            if not is_changed and self._previous is not None:
                return self._unchanged(incoming, staged, added)
            resolved = resolve_facts(
                connection, self._settings, record.tables,
                facts=self._folder / "facts", timelines=timelines, progress=self._progress,
            )  # fmt: skip
            report = self._report(connection, incoming, staged, added, resolved, notes)
        if timelines is not None:
            self._write_manifest(record, resolved, report)
        return report

    def _manifest(self) -> dict[str, object]:
        path = self._previous / "manifest.json" if self._previous else Path()
        found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _was_rebuilt(self, records: dict[str, TableRecord]) -> bool:
        if self._previous is None:
            return True
        stored = from_dict(self._manifest()["record"])  # type: ignore[arg-type]
        return {n: t.facts for n, t in stored.tables.items()} != {n: t.facts for n, t in records.items()}

    def _unchanged(self, incoming: list[Incoming], staged: dict[str, Staged], added: Addition) -> IngestReport:
        """Tell the last report again, with what this run read in place of what that one did."""
        stored = dict(self._manifest()["report"])  # type: ignore[call-overload]
        tables = {}
        for name, table in stored["tables"].items():
            own = [staged[source.name] for source in incoming if source.table == name]
            tables[name] = TableReport(**{**table, **_this_run(own), **added.counts(name), "unchanged": table["total"]})
        return IngestReport(**{
            **stored, "tables": tables, "is_changed": False, "rejects": (), "left_out": tuple(stored["left_out"]),
            "notes": tuple(stored["notes"]),
        })  # fmt: skip

    def _report(
        self,
        connection: duckdb.DuckDBPyConnection,
        incoming: list[Incoming],
        staged: dict[str, Staged],
        added: Addition,
        resolved: Resolved,
        notes: tuple[str, ...],
    ) -> IngestReport:
        tables = {
            name: self._table_report(
                connection, name, record, [staged[s.name] for s in incoming if s.table == name], added
            )
            for name, record in added.records.items()
        }
        return IngestReport(
            tables=tables,
            leads=resolved.leads,
            share_with={
                name: count / max(resolved.leads, 1)
                for name, count in resolved.leads_with.items()
                if name in FACT_TABLES
            },
            left_out=resolved.left_out,
            shared_visitors=resolved.shared_visitors,
            unlinked_rows=resolved.unlinked_rows,
            notes=notes,
            rejects=tuple(str(path) for path in self._rejects(added)),
            is_changed=True,
            generation=self._folder.name,
            buckets=resolved.buckets,
        )

    def _table_report(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        record: TableRecord,
        staged: list[Staged],
        added: Addition,
    ) -> TableReport:
        paths = [self._folder / "facts" / path for path in record.facts]
        begins, ends, first, last = span_of(
            connection, paths, self._settings.tables[name], zone=self._settings.shop.time_zone
        ) if paths else (None,) * 4  # fmt: skip
        counts = added.counts(name)
        new = counts["kept"] + counts["new_versions"] + counts["retracted"]
        total = added.totals[name]
        return TableReport(
            **_this_run(staged), **counts, unchanged=total - new, total=total,
            first_occurred=_iso(first), last_occurred=_iso(last), data_from=_iso(begins), data_until=_iso(ends),
        )  # type: ignore[arg-type]  # fmt: skip

    def _rejects(self, added: Addition) -> list[Path]:
        """Where the rejected rows of this run will lie once it is published."""
        found = sorted((self._folder / "rejects").glob("*.csv"))
        numbers = {name: record.number for name, record in added.records.items()}
        return [
            self._workspace.rejects_folder / f"{path.stem}-load-{numbers[path.stem.rpartition('-')[0]]:04d}.csv"
            for path in found
        ]

    def _write_manifest(self, record: IngestRecord, resolved: Resolved, report: IngestReport) -> None:
        spans = {
            name: {"data_from": table.data_from, "data_until": table.data_until, "rows": table.total}
            for name, table in report.tables.items()
            if table.data_from
        }
        manifest = {
            "loaded_at": _iso(self._loaded_at), "buckets": resolved.buckets, "timelines": resolved.columns,
            "event_types": resolved.event_types, "record": record.as_dict(), "report": report.as_dict(),
        }  # fmt: skip
        for name, data in (("coverage.json", spans), ("manifest.json", manifest)):
            (self._folder / name).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _still_valid(manifest: dict[str, object], settings: Settings) -> IngestRecord:
    """Return what the workspace knows, without tables that must be read anew because their mapping changed.

    A table of a single load loses nothing by that; one of several would lose when its rows became known.
    """
    stored = from_dict(manifest["record"])  # type: ignore[arg-type]
    zone = settings.shop.time_zone
    changed = []
    for name, record in stored.tables.items():
        asked = [mapping_signature(source, zone=zone) for source in settings.tables.get(name, [])]
        if [source.signature for source in record.sources] != asked[: len(record.sources)]:
            changed.append(name)
    if losing := [name for name in changed if stored.tables[name].number > 1]:
        raise mapping_changed(losing)
    kept = {name: record for name, record in stored.tables.items() if name not in changed}
    return IngestRecord(kept, stored.resolved_by)


def _notes(
    connection: duckdb.DuckDBPyConnection, incoming: list[Incoming], staged: dict[str, Staged]
) -> tuple[str, ...]:
    return tuple(
        f"{source.table}: all times are at the same hour of the day; if they are days, say `type: date`"
        for source in incoming
        if all_at_midnight(connection, source, staged[source.name])
    )


def _this_run(staged: list[Staged]) -> dict[str, object]:
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


def _publish(workspace: Workspace, folder: Path, report: IngestReport) -> None:
    """Move the rejects out, drop what was only needed on the way, and name the generation."""
    found = sorted((folder / "rejects").glob("*.csv"))
    for path, place in zip(found, report.rejects, strict=True):
        workspace.rejects_folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place)
    for name in ("rejects", "staged", "spill"):
        shutil.rmtree(folder / name, ignore_errors=True)
    workspace.publish(folder)


@contextmanager
def _connected(settings: Settings, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{settings.ingest.memory_limit_gb}GB",
        "temp_directory": str(spill),
        # Nothing is fetched from anywhere, whatever a query asks for.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _without_progress_bar(connection)
        yield connection


@contextmanager
def _honest(root: Path) -> Iterator[None]:
    """Say what a full disk, too little memory or a broken file is, instead of how a library puts it."""
    try:
        yield
    except OSError as error:
        if "No space left" in str(error):
            raise disk_full(root) from error
        raise
    except duckdb.OutOfMemoryException as error:
        hint = "raise ingest.memory_limit_gb, or free disk space: what does not fit in memory goes to the workspace's disk."
        raise not_finished("Ingest ran out of memory; nothing was changed.", hint=hint) from error
    except duckdb.IOException as error:
        if "No space left" in str(error):
            raise disk_full(root) from error
        raise wrong_input(
            "A file could not be read:", str(error).splitlines()[:2], hint="is it whole and readable?"
        ) from error


def _iso(moment: int | None) -> str:
    return "" if moment is None else from_us(moment).isoformat()


def _without_progress_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Draw no second progress bar; in a notebook the setting may not be touched where it is off."""
    is_on = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]
    if is_on:
        connection.execute("SET enable_progress_bar = false")
