"""Stored scores: one immutable part per moment and model, and a manifest that names the published run.

The folder ``scores/as_of=…/model=…`` (see `pipeline.published.run_files`) is written beside and renamed, so nobody
reads half a run; a run that stands is never written again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from features import moments
from features.errors import LeadlightError, wrong_input
from models.decision_columns import with_decision_columns
from pipeline.published.compared import NOTHING_BEFORE, RunBefore, run_before
from pipeline.published.damage import reading
from pipeline.published.history import History
from pipeline.published.history_pieces import RunOfPiece
from pipeline.published.manifest import Manifest, StoredRun, read_manifest
from pipeline.published.retention import Retention, remove_old
from pipeline.published.run_files import INFO, LIST, LIST_FILES, PART, RunHead, RunNotes, is_whole, scored_at, write_run
from pipeline.published.run_info import read_info
from pipeline.settings import Settings
from pipeline.spreadsheets import safe_texts
from pipeline.whole_folder import writing_folder
from pipeline.workspace import Workspace, remove_left_overs

__all__ = ["ScoreStore", "StoredRun", "retention"]


class ScoreStore:
    """The scores of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.root / "scores"

    @property
    def workspace(self) -> Workspace:
        """The workspace that they lie in."""
        return self._workspace

    def find(self, as_of: int, model_version: str) -> StoredRun | None:
        """Return the run of that moment and model, or None where it was never stored, or is damaged."""
        run = _run(as_of, model_version)
        return run if is_whole(self.folder_of(run)) else None

    def newest(self, model_version: str) -> StoredRun | None:
        """Return the run of the latest moment that this model scored, or None where it never scored."""
        own = [run for run in self.runs() if run.model_version == _file_name(model_version)]
        return self.find(own[-1].as_of, model_version) if own else None

    def add(
        self,
        scores: pa.Table,
        *,
        as_of: int,
        model_version: str,
        scored_at: datetime,
        people: pa.Table | None = None,
        personal: Collection[str] = (),
        notes: RunNotes | None = None,
    ) -> StoredRun:
        """Store a run's scores with the list to read them by; they never change afterwards.

        Args:
            scores: All rows (`models.scoring.score_schema`), in any order.
            as_of: The moment of scoring, microseconds (UTC).
            model_version: The model that scored.
            scored_at: When (aware).
            people: What is known of the leads: ``lead_id`` (each once), and any of ``display_name``, ``company``,
                ``owner``, ``email``, ``phone``, ``source`` and ``campaign``.
            personal: Which of the first five of these may be kept.
            notes: What else is known of the run.
        """
        run = _run(as_of, model_version)
        head, before = RunHead(as_of, model_version, scored_at), self._before(as_of)
        if not is_whole(self.folder_of(run)):
            (self._folder / run.part).unlink(missing_ok=True)  # a remnant gives way
        with writing_folder(self.folder_of(run), needs=PART, root=self._workspace.root) as folder:
            write_run(folder, scores, head, people=people, personal=personal, before=before, notes=notes)
        return run

    def complete(self, run: StoredRun) -> None:
        """Write the list of a run that an older version stored, if it is not there; its scores stay as they are."""
        target = self.folder_of(run)
        if all((target / file).exists() for file in LIST_FILES) or not (target / PART).exists():
            return
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".list-") as name:
            made = Path(name)
            scores = self.read(run)
            write_run(made, scores, RunHead(run.as_of, run.model_version, _scored_at(scores), is_new=False))
            # Whoever sees the list sees all of it: it comes last.
            for file in LIST_FILES:
                with self._workspace.writing(target / file) as path:
                    (made / file).replace(path)

    def folder_of(self, run: StoredRun) -> Path:
        """Return the folder of a run's files."""
        return (self._folder / run.part).parent

    def publish(self, run: StoredRun, retention: Retention | None = None) -> None:
        """Name *run* as the one that readers show, with its rows in the history; call it under `Workspace.publishing`.

        Args:
            run: A stored run.
            retention: What goes because it is old; None = nothing.
        """
        self.complete(run)
        retention = retention or Retention()
        before = self._manifest()
        history = self.history_of(before)
        for one in (*([] if before is None else [before.run]), run):
            # An older version published without a history, so the run before comes in with this one.
            if is_whole(self.folder_of(one)):
                told = RunOfPiece(one.as_of, one.model_version)
                history = history.with_run(told, self._folder / one.part, since=retention.history_since)
        manifest = Manifest(run, history.tidied(since=retention.history_since).pieces)
        with self._workspace.writing(self.manifest_file) as path:
            path.write_text(manifest.as_json(), encoding="utf-8")
        remove_old(self._folder, manifest, retention)
        remove_left_overs(self._workspace.root / "exports")

    def published(self) -> StoredRun:
        """Return the run that readers show.

        Raises:
            LeadlightError: Nothing was scored yet.
        """
        return self.manifest().run

    def shows_later_than(self, as_of: int) -> bool:
        """Return whether readers are shown a run of a later moment than *as_of* (microseconds, UTC)."""
        manifest = self._manifest()
        return manifest is not None and moments.is_past(as_of, manifest.run.as_of)

    def manifest(self) -> Manifest:
        """Return what is published: the run and its history.

        Raises:
            LeadlightError: Nothing was scored yet.
        """
        manifest = self._manifest()
        if manifest is None:
            raise _nothing_scored(self._workspace.root)
        return manifest

    def history_of(self, manifest: Manifest | None) -> History:
        """Return the history that a manifest names; None = nothing was published."""
        return History(self._folder / "history", () if manifest is None else manifest.pieces)

    def read(self, run: StoredRun) -> pa.Table:
        """Return the stored scores of *run*; columns that came later are null in a run of before.

        Raises:
            DamagedError: They cannot be read.
        """
        with reading(self.path(run)):
            return with_decision_columns(pq.read_table(self._folder / run.part, partitioning=None))

    def labels(self, run: StoredRun) -> Mapping[str, Any]:
        """Return the words that *run* kept of its stages, plays and segments; none in a run of before."""
        path = self.folder_of(run) / INFO
        return read_info(path).labels if path.is_file() else {}

    def count(self, run: StoredRun) -> int:
        """Return how many rows *run* has."""
        with reading(self.path(run)):
            return int(pq.read_metadata(self._folder / run.part).num_rows)

    def path(self, run: StoredRun) -> Path:
        """Return the file of *run*."""
        return self._folder / run.part

    def runs(self) -> tuple[StoredRun, ...]:
        """Return every stored run, the oldest moment first."""
        parts = self._folder.glob(f"as_of=*/model=*/{PART}")
        runs = [_run(_moment_of(part.parent.parent.name), part.parent.name.removeprefix("model=")) for part in parts]
        return tuple(sorted(runs, key=lambda run: (run.as_of, run.model_version)))

    def scored_at(self, run: StoredRun) -> datetime | None:
        """Return when *run* was scored (aware); None where it does not say."""
        with reading(self.path(run)):
            return scored_at(self.path(run))

    def read_lead(self, run: StoredRun, lead_id: str) -> pa.Table:
        """Return the rows of *run* about one lead, most often one."""
        with reading(self.path(run)):
            rows = pq.read_table(self._folder / run.part, partitioning=None, filters=pc.field("lead_id") == lead_id)
        return with_decision_columns(rows)

    def export(self, run: StoredRun, scores: pa.Table) -> tuple[Path, Path]:
        """Write readable *scores* as Parquet and CSV and return both paths."""
        stem = f"scores_{_moment_name(run.as_of)}_{_file_name(run.model_version)}"
        folder = self._workspace.root / "exports"
        parquet, csv = folder / f"{stem}.parquet", folder / f"{stem}.csv"
        with self._workspace.writing(parquet) as path:
            pq.write_table(scores, path, compression="zstd")
        with self._workspace.writing(csv) as path:
            pa_csv.write_csv(_for_spreadsheets(scores), path)
        return parquet, csv

    @property
    def manifest_file(self) -> Path:
        """The file that names what is published."""
        return self._folder / "manifest.json"

    def _manifest(self) -> Manifest | None:
        return read_manifest(self.manifest_file)

    def _before(self, as_of: int) -> RunBefore:
        """Return what a new run is compared with: the one that readers show now, where it can still be read."""
        manifest = self._manifest()
        if manifest is None or self.shows_later_than(as_of) or not is_whole(self.folder_of(manifest.run)):
            return NOTHING_BEFORE
        run = manifest.run
        self.complete(run)
        head = {"as_of": run.as_of, "model_version": run.model_version}
        return run_before(self.folder_of(run) / LIST, head=head)


def retention(settings: Settings, *, at: datetime) -> Retention:
    """Return how long the config keeps scores, seen from *at* (aware)."""
    return Retention(settings.score.keep_runs_days, settings.score.keep_history_days, at)


def _run(as_of: int, model_version: str) -> StoredRun:
    part = f"as_of={_moment_name(as_of)}/model={_file_name(model_version)}/{PART}"
    return StoredRun(as_of, model_version, part)


def _moment_name(moment: int) -> str:
    return (
        moments.from_us(moment).strftime("%Y-%m-%dT%H%M%S")
        + ("" if moment % moments.SECOND == 0 else f".{moment % moments.SECOND:06d}")
        + "Z"
    )


def _moment_of(folder: str) -> int:
    """Return the moment that a folder is named after: the inverse of `_moment_name`."""
    text = folder.removeprefix("as_of=").removesuffix("Z")
    return moments.to_us(datetime.fromisoformat(f"{text}+00:00"))


def _scored_at(scores: pa.Table) -> datetime | None:
    """Return when a run was scored, as its rows say."""
    return pc.max(scores["scored_at"]).as_py() if "scored_at" in scores.column_names else None


def _file_name(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in text)


def _for_spreadsheets(scores: pa.Table) -> pa.Table:
    columns = [safe_texts(column) if pa.types.is_string(column.type) else column for column in scores.columns]
    return pa.table(columns, names=scores.column_names)


def _nothing_scored(root: Path) -> LeadlightError:
    return wrong_input(f"The workspace '{root}' holds no scores.", hint="run `leadlight score` first.")
