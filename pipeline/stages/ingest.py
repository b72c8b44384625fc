"""`leadlight ingest` and `leadlight check`: sources in, timelines out, all or nothing.

A run reads whatever is new, works in a generation of its own, and names it in ``current.json`` at
the very end. Whatever stops it before, readers and the next run find the workspace as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from features.errors import LeadlightError, NotFinishedError, not_finished, wrong_input
from pipeline.lead_table.run import LeadTableRun
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.ingest_report import IngestReport
from pipeline.stages.ingest_run import IngestRun, rejected_files
from pipeline.workspace import Workspace, disk_full


def ingest(
    settings: Settings,
    *,
    now: datetime,
    rebuild: bool = False,
    progress: Progress = silent,
    environment: Mapping[str, str] | None = None,
) -> IngestReport:
    """Read what is new in the sources into the workspace.

    Args:
        settings: The shop's config.
        now: The moment of the load (aware); rows occurred or known later are set aside.
        rebuild: Forget all earlier loads and read everything as a first one.
        progress: Told of every step.
        environment: Where the ledger's URL is looked up first; None = the process's own.

    Returns:
        What was read, kept and rejected. Running again on the same sources changes nothing.

    Raises:
        LeadlightError: Sources do not fit the config, or too many rows are unfit: all faults at once.
        NotFinishedError: Another run holds the workspace, or the disk is full. Nothing has changed.
    """
    workspace = Workspace(settings.shop.workspace)
    with _honest(workspace.root), workspace.locked():
        folder = workspace.new_generation()
        try:
            run = _run_of(settings)(
                settings, workspace, folder, now=now, rebuild=rebuild, progress=progress, environment=environment
            )
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
        run = _run_of(settings)(settings, workspace, Path(folder), now=now, rebuild=False, progress=progress)
        # Neither a generation nor files of rejects outlive the check.
        return replace(run.read(timelines=None), generation="", rejects=())


def _run_of(settings: Settings) -> type[IngestRun | LeadTableRun]:
    """Return what reads the kind of data that the config names.

    Raises:
        LeadlightError: The workspace holds the other kind.
    """
    workspace = Workspace(settings.shop.workspace)
    is_lead_table = settings.lead_table is not None
    if workspace.current() is not None:
        # Each says so where it finds the other.
        _ = workspace.lead_table() if is_lead_table else workspace.tables()
    return LeadTableRun if is_lead_table else IngestRun


def _publish(workspace: Workspace, folder: Path, report: IngestReport) -> None:
    """Move the rejects out, drop what was only needed on the way, and name the generation."""
    for path, place in zip(rejected_files(folder), report.rejects, strict=True):
        workspace.rejects_folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place)
    for name in ("rejects", "staged", "spill"):
        shutil.rmtree(folder / name, ignore_errors=True)
    workspace.publish(folder)


@contextmanager
def _honest(root: Path) -> Iterator[None]:
    """Say what a full disk, too little memory or a broken file is, instead of how a library puts it."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        if "No space left" in str(error):
            raise disk_full(root) from error
        if isinstance(error, OSError):
            raise
        raise _unreadable(error) from error
    except duckdb.OutOfMemoryException as error:
        raise _no_memory(error) from error


def _unreadable(error: duckdb.Error) -> LeadlightError:
    return wrong_input("A file could not be read:", str(error).splitlines()[:1], hint="is it whole and readable?")


def _no_memory(error: duckdb.Error) -> NotFinishedError:
    hint = "raise ingest.memory_limit_gb, or free disk space: what does not fit in memory goes to the workspace's disk."
    return not_finished("Ingest ran out of memory; nothing was changed:", str(error).splitlines()[:1], hint=hint)
