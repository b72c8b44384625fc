"""The workspace: where a shop's tables, models and scores lie, and how files get there whole.

Files are written beside their place and renamed, so a reader sees the old or the new, never a
half. The tables live in *generations*: folders that never change once ``current.json`` names them::

    tables/current.json                                   names the generation that readers use
    tables/generation-0003/manifest.json                  what was loaded, when, from which files
    tables/generation-0003/coverage.json                  per table: data_from, data_until, rows
    tables/generation-0003/facts/<table>/load-0001-0.parquet   one per load and source
    tables/generation-0003/timelines/<table>/bucket-0000.parquet

A lead table has neither facts nor timelines: its generation holds the manifest and ``leads.parquet``.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from features.errors import LeadlightError, NotFinishedError, is_disk_full, not_finished, wrong_input
from pipeline.ingested import Tables

LEAD_TABLE = "lead_table"
"""What the manifest of a generation says it is, where it holds a lead table instead of timelines."""
_GENERATION = "generation-"
PART = ".part"
"""Ends the name of what is still being written."""
_A_DAY = 86_400
"""Seconds; no file takes so long to write."""


class Workspace:
    """One shop's folder.

    Args:
        root: The folder; it need not exist yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def tables_folder(self) -> Path:
        """Where generations of the tables lie."""
        return self.root / "tables"

    @property
    def rejects_folder(self) -> Path:
        """Where rows that were turned away lie, with the reason."""
        return self.root / "rejects"

    @property
    def previews_folder(self) -> Path:
        """Where lists of what would be written lie."""
        return self.root / "previews"

    def training_folder(self) -> Path:
        """Return the folder of the training table, which exists from now on."""
        folder = self.root / "training"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """Give a path to write to; what was written is moved to *path* when all went well.

        Raises:
            NotFinishedError: The disk is full; *path* is as it was.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
        remove_left_overs(path.parent, path.name)
        try:
            yield part
            flush(part)  # before its name can be seen
            part.replace(path)
        except OSError as error:
            if is_disk_full(error):
                raise disk_full(self.root) from error
            raise
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer of the tables out; readers are not stopped.

        Raises:
            NotFinishedError: Another run holds the workspace.
        """
        with self._alone(".lock", _held(self.root)):
            yield

    @contextmanager
    def tuning(self) -> Iterator[Path]:
        """Give the file of the studies, and keep every other tuning out.

        Raises:
            NotFinishedError: Another tuning of this shop is at work.
        """
        with self._alone(".tuning.lock", _tuned_elsewhere(self.root)):
            yield self.root / "tuning.db"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep every other nightly run out; each of its steps keeps out others by itself.

        Raises:
            NotFinishedError: Another nightly run of this shop is at work.
        """
        with self._alone(".run.lock", _run_elsewhere(self.root)):
            yield

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Wait until nobody else decides whose scores are published, then keep them from it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".publishing.lock").open("w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _alone(self, lock: str, held: NotFinishedError) -> Iterator[None]:
        """Hold the file called *lock*, or raise *held*; the lock of a process that dies goes with it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / lock).open("w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise held from error
            yield

    def current(self) -> Mapping[str, Any] | None:
        """Return what ``current.json`` says, or None before the first ingest."""
        path = self.tables_folder / "current.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def current_generation(self) -> Path | None:
        """Return the folder of the generation that readers use, or None before the first ingest."""
        current = self.current()
        return self.tables_folder / str(current["generation"]) if current else None

    def manifest(self) -> Mapping[str, Any]:
        """Return the ``manifest.json`` of the generation that readers use; empty before the first ingest."""
        generation = self.current_generation()
        if generation is None:
            return {}
        found: dict[str, Any] = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))
        return found

    def publish(self, generation: Path) -> None:
        """Name *generation* as the one that readers use; the one before it stays for them to finish."""
        before = self.current_generation()
        text = json.dumps({"generation": generation.name}, indent=1) + "\n"
        with self.writing(self.tables_folder / "current.json") as path:
            path.write_text(text, encoding="utf-8")
        self.sweep(keep=(generation, before))

    def sweep(self, *, keep: tuple[Path | None, ...]) -> None:
        """Remove generations that nobody reads: stale ones and halves that a dead run left behind."""
        kept = {path.name for path in keep if path is not None}
        for folder in self.tables_folder.glob(f"*{_GENERATION}*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def new_generation(self) -> Path:
        """Return an empty folder for the generation after the current one."""
        before = self.current_generation()
        self.sweep(keep=(before, self._one_before(before)))
        number = int(before.name.removeprefix(_GENERATION)) + 1 if before else 1
        folder = self.tables_folder / f"{_GENERATION}{number:04d}"
        folder.mkdir(parents=True)
        return folder

    def tables(self) -> Tables:
        """Return the tables as the last ingest left them.

        Raises:
            LeadlightError: Nothing was ingested yet, or a lead table.
        """
        generation, manifest = self._generation()
        if manifest.get("kind") == LEAD_TABLE:
            raise _another_kind(self.root, "a lead table")
        return Tables(generation, manifest)

    def lead_table(self) -> tuple[Path, Mapping[str, Any]]:
        """Return the folder and the manifest of the lead table as the last ingest left it.

        Raises:
            LeadlightError: Nothing was ingested yet, or a shop of timelines.
        """
        generation, manifest = self._generation()
        if manifest.get("kind") != LEAD_TABLE:
            raise _another_kind(self.root, "tables of a shop with a history")
        return generation, manifest

    def _generation(self) -> tuple[Path, Mapping[str, Any]]:
        generation = self.current_generation()
        if generation is None:
            raise _nothing_ingested(self.root)
        return generation, self.manifest()

    def _one_before(self, generation: Path | None) -> Path | None:
        if generation is None:
            return None
        return self.tables_folder / f"{_GENERATION}{int(generation.name.removeprefix(_GENERATION)) - 1:04d}"


def _another_kind(root: Path, found: str) -> LeadlightError:
    """Return the error for a workspace that holds another kind of data than the config names."""
    hint = "give this config a workspace of its own: shop.workspace."
    return wrong_input(f"The workspace '{root}' holds {found}, and the config asks for something else.", hint=hint)


def disk_full(root: Path) -> NotFinishedError:
    """Return the error for a disk without space."""
    hint = "free some space and run the same command again; it starts from where the workspace stands now."
    return not_finished(f"The disk that holds '{root}' is full; nothing there was changed.", hint=hint)


def remove_left_overs(folder: Path, name: str = "") -> None:
    """Remove what killed writers left in *folder*: their process is gone, or the file is older than a day.

    Age counts because the number of a dead process may belong to another by now.

    Args:
        folder: Where they wrote.
        name: What they wrote; empty = anything.
    """
    for left in folder.glob(f".{glob.escape(name)}.*{PART}" if name else f".*{PART}"):
        if _is_left_over(left):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _is_left_over(part: Path) -> bool:
    """Return whether *part*, named after the process that writes it, was left behind by one that is gone."""
    number = part.name.removesuffix(PART).rpartition(".")[2]
    return number.isdecimal() and int(number) != os.getpid() and (_is_gone(int(number)) or _is_old(part))


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _A_DAY
    except FileNotFoundError:
        return False


def flush(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _held(root: Path) -> NotFinishedError:
    return not_finished(
        f"Another run holds the workspace '{root}'.", hint="wait until it has ended, then run this again."
    )


def _tuned_elsewhere(root: Path) -> NotFinishedError:
    return not_finished(
        f"Another tuning is at work in the workspace '{root}'.", hint="wait until it has ended, then run this again."
    )


def _run_elsewhere(root: Path) -> NotFinishedError:
    return not_finished(
        f"Another `leadlight run` is at work in the workspace '{root}'.",
        hint="wait until it has ended, then run this again: what it did is not done twice.",
    )


def _nothing_ingested(root: Path) -> LeadlightError:
    return wrong_input(f"The workspace '{root}' holds no tables.", hint="run `leadlight ingest` first.")
