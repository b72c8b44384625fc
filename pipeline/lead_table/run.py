"""One reading of a table of leads into a folder of its own: the body of `ingest` and `check`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from features.errors import LeadlightError, wrong_input
from features.local_time import local_iso
from features.moments import from_us, to_us
from features.parsing import literal
from pipeline.lead_table import notes
from pipeline.lead_table.intake import NO_ROWS, Incoming, find_incoming
from pipeline.lead_table.kept import LEADS
from pipeline.lead_table.rows import Judged, Merged, judge, merge, vanished, write_rejects
from pipeline.progress import Progress
from pipeline.settings import Settings
from pipeline.settings_lead_table import LeadTableSettings
from pipeline.sources.connection import connected
from pipeline.stages.admission import readable_csv
from pipeline.stages.ingest_report import IngestReport, TableReport
from pipeline.workspace import LEAD_TABLE, Workspace

NAME = "lead_table"
_MAPPING = {"query", "lead_id", "label", "date", "attributes", "drop", "people", "delimiter", "decimal", "encoding"}


@dataclass(frozen=True)
class _Counts:
    """What is kept: leads, those with a known outcome, those that converted, and the span of all times."""

    leads: int
    labelled: int
    converted: int
    first_date: int | None
    last_date: int | None
    last_time: int | None


class LeadTableRun:
    """One reading of a table of leads; the arguments are those of `pipeline.stages.ingest_run.IngestRun`."""

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        folder: Path,
        *,
        now: datetime,
        rebuild: bool,
        progress: Progress,
        environment: Mapping[str, str] | None = None,  # noqa: ARG002 - a table of leads asks no ledger
    ) -> None:
        if settings.lead_table is None:
            raise ValueError("the config has no lead table")
        self._settings, self._asked = settings, settings.lead_table
        self._workspace, self._folder = workspace, folder
        self._loaded_at = to_us(now)
        self._progress = progress
        self._previous = workspace.current_generation()
        self._manifest = workspace.manifest()
        self._signature = _signature(self._asked, zone=settings.shop.time_zone)
        self._is_rebuild = rebuild
        self._is_anew = rebuild or not self._manifest or self._manifest["signature"] != self._signature

    def read(self, *, timelines: Path | None) -> IngestReport:
        """Read the table and return what was found.

        Args:
            timelines: None only counts; a table of leads has no timelines.
        """
        known = {} if self._is_anew else self._manifest["attributes"]
        self._progress("reading the lead table", 0, 1)
        with connected(self._settings.ingest, self._folder / "spill") as connection:
            incoming = find_incoming(connection, self._settings, before=known or None, loaded_at=self._loaded_at)
            with readable_csv("the lead table", self._asked.encoding):
                judged = judge(connection, incoming, self._asked.label)
                self._refuse(connection, judged)
                if judged.faults:
                    rejects = self._folder / "rejects" / f"{NAME}.csv"
                    write_rejects(connection, incoming, self._asked.label, path=rejects)
            merged = self._merged(connection, incoming)
            counts = _counted(connection, self._folder / LEADS)
        self._progress("reading the lead table", 1, 1)
        is_changed = bool(self._is_anew or merged.new or merged.changed or merged.gone)
        loaded_at = self._loaded_at if is_changed else self._manifest["loaded_at_us"]
        number = int(self._manifest.get("number", 0)) + is_changed
        report = self._report(incoming, judged, merged, counts, is_changed=is_changed, number=number)
        if is_changed and timelines is not None:
            self._write_manifest(incoming, counts, report, number=number, loaded_at=loaded_at)
        return report

    def _merged(self, connection: duckdb.DuckDBPyConnection, incoming: Incoming) -> Merged:
        # Without ids of their own, rows are told apart by their number, and only the whole export has all numbers.
        is_whole = self._asked.mode == "full" or not self._asked.lead_id
        before = None if self._is_anew or self._previous is None else self._previous / LEADS
        return merge(connection, incoming, before=before, is_whole=is_whole, path=self._folder / LEADS)

    def _refuse(self, connection: duckdb.DuckDBPyConnection, judged: Judged) -> None:
        """Refuse a table that cannot be used, all faults at once."""
        faults = list(_row_faults(judged, self._settings.ingest.max_rejected_share))
        many, examples = judged.conflicts
        if many:
            shown = f", such as {', '.join(examples)}" if examples else ""
            faults.append(f"{many:,} leads stand in one file with different rows{shown}")
        if faults:
            raise _unusable(faults, self._settings.ingest.max_rejected_share)
        is_remapped = self._manifest and self._is_anew and not self._is_rebuild
        if is_remapped and self._previous is not None and self._asked.lead_id:
            lost = vanished(connection, self._previous / LEADS)
            if lost:
                raise _mapping_changed(lost)

    def _report(
        self,
        incoming: Incoming,
        judged: Judged,
        merged: Merged,
        counts: _Counts,
        *,
        is_changed: bool,
        number: int,
    ) -> IngestReport:
        zone = self._settings.shop.time_zone
        first, last = ("" if at is None else local_iso(at, zone) for at in (counts.first_date, counts.last_date))
        table = TableReport(
            rows_read=judged.rows_read,
            kept=merged.new,
            unchanged=merged.total - merged.new - merged.changed,
            new_versions=merged.changed,
            retracted=merged.gone,
            repeats=judged.repeats,
            rejected=judged.faults,
            waiting=0,
            total=merged.total,
            first_occurred=first,
            last_occurred=last,
            data_from="" if counts.first_date is None else from_us(counts.first_date).isoformat(),
            data_until="" if counts.last_time is None else from_us(counts.last_time).isoformat(),
            moved_times=judged.moved_times,
            ambiguous_times=judged.ambiguous_times,
        )
        leads = max(counts.leads, 1)
        tells_when = bool(self._asked.label.converted_at)
        shares = {} if tells_when else {"a label": counts.labelled / leads}
        reject = self._workspace.rejects_folder / f"{NAME}-load-{number:04d}.csv"
        return IngestReport(
            tables={NAME: table},
            leads=counts.leads,
            share_with={**shares, "converted": counts.converted / leads},
            left_out=(),
            shared_visitors=0,
            unlinked_rows=0,
            notes=tuple(notes.of_table(self._asked, incoming, labelled=counts.labelled, converted=counts.converted)),
            rejects=(str(reject),) if judged.faults and is_changed else (),
            is_changed=is_changed,
            generation=self._folder.name if is_changed else self._previous.name if self._previous else "",
            buckets=1,
        )

    def _write_manifest(
        self, incoming: Incoming, counts: _Counts, report: IngestReport, *, number: int, loaded_at: int
    ) -> None:
        manifest = {
            "kind": LEAD_TABLE,
            "number": number,
            "loaded_at": from_us(loaded_at).isoformat(),
            "loaded_at_us": loaded_at,
            "last_time_us": counts.last_time,
            "signature": self._signature,
            "attributes": dict(incoming.attributes),
            "report": report.as_dict(),
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        (self._folder / "manifest.json").write_text(text, encoding="utf-8")


def _signature(asked: LeadTableSettings, *, zone: str) -> str:
    """Return a short hash of everything that decides what the table's rows become."""
    said = asked.model_dump(mode="json", include=_MAPPING)
    if isinstance(said["attributes"], dict):
        # How an attribute is said, and who may read it, is read anew at every run.
        said["attributes"] = {name: (spec["type"], spec["column"]) for name, spec in said["attributes"].items()}
    if not asked.people:
        del said["people"]  # tables that were read before people could be named stay as they are
    said["zone"] = asked.time_zone or zone
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _counted(connection: duckdb.DuckDBPyConnection, leads: Path) -> _Counts:
    spans = "epoch_us(min(date)), epoch_us(max(date)), epoch_us(greatest(max(date), max(converted_at)))"
    counts = "count(*), count(label), count(*) FILTER (label OR converted_at IS NOT NULL)"
    kept = f"read_parquet({literal(str(leads))})"
    return _Counts(*connection.execute(f"SELECT {counts}, {spans} FROM {kept}").fetchall()[0])  # noqa: S608 - our file


def _row_faults(judged: Judged, max_share: float) -> Sequence[str]:
    if not judged.rows_read:
        return [NO_ROWS]
    if judged.rejected <= max_share * judged.rows_read:
        return []
    share = judged.rejected / judged.rows_read
    head = f"{judged.rejected:,} of {judged.rows_read:,} rows ({share:.1%}) would be rejected"
    return [
        head,
        *(f"  {count:,} rows: {reason}{notes.remedy(reason, judged)}" for reason, count in judged.faults.items()),
    ]


def _unusable(faults: Sequence[str], max_share: float) -> LeadlightError:
    hint = (
        f"mend the rows, or raise ingest.max_rejected_share (now {max_share:g}); several files may tell of one lead, "
        "the last by name holds. Nothing was written."
    )
    return wrong_input("The lead table cannot be used:", faults, hint=hint)


def _mapping_changed(lost: int) -> LeadlightError:
    fact = f"The config reads the lead table differently than before, and {lost:,} leads are no longer in it."
    hint = "put the mapping back, or run `leadlight ingest --rebuild`: it keeps only what the table holds now."
    return wrong_input(fact, hint=hint)
