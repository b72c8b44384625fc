"""What was promised and what came: stored scores of the past beside the outcomes that are known by now.

Nights overlap: a lead scored every night for a month would be counted thirty times for one order. So only runs whose
label windows do not touch are taken, the newest ripe one first, and each (lead, moment, trigger) once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import moments
from features.local_time import local_iso
from models.conversion_counts import Realised, in_order, realised_by
from models.decision_facts import LEVELS
from pipeline.lead_data import LeadData
from pipeline.progress import Progress, silent
from pipeline.published.run_files import LIST
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.settings import Settings
from pipeline.workspace import Workspace

KEPT: Final = Path("reports") / "track_record.json"
"""Where the latest one is kept in the workspace: pages show it without reading every timeline."""
MOST_RUNS: Final = 12
"""Runs that are looked back on, at most."""
_KEYS: Final = ("lead_id", "as_of", "trigger_id")
_READ: Final = (*_KEYS, "probability", "grade", "source", "campaign", "segments")


@dataclass(frozen=True)
class TrackRecord:
    """Expected and realised conversions of runs whose labels are ripe.

    Attributes:
        as_ofs: The moments of the runs, newest first (ISO, on the shop's clock).
        replayed: How many of the runs were scored when their outcomes were known already: their model may have learned
            from these, so they flatter it.
        whole: All their leads together.
        grades: By grade, A first.
        sources: By the source that last brought the lead, most leads first.
        campaigns: By its campaign, most leads first.
        segments: By segment, most leads first; segments overlap.
    """

    as_ofs: tuple[str, ...]
    replayed: int
    whole: Realised
    grades: list[Realised]
    sources: list[Realised]
    campaigns: list[Realised]
    segments: list[Realised]


def track_record(
    settings: Settings, store: ScoreStore, leads: LeadData, *, progress: Progress = silent
) -> TrackRecord | None:
    """Return what came of the shop's stored scores, or None while none is ripe.

    Args:
        settings: The shop's config.
        store: Its stored scores.
        leads: Its leads, as the last ingest left them.
        progress: Told of every part done.
    """
    days, settle = _horizon(settings)
    until = min(leads.data_until(()).values())
    runs = apart(store.runs(), until=until - settle * moments.DAY, days=days)
    if not runs:
        return None
    scored = pa.concat_tables([_rows(store, run) for run in runs])
    found = leads.outcomes(scored.select(_KEYS), progress=progress)
    told = _first_of_each(scored.append_column("converted", found["converted"]).filter(found["is_ripe"]))
    if not len(told):
        return None
    asked = set(pc.unique(told["run"]).to_pylist())
    looked_at = [run for run in runs if run.as_of in asked]
    return TrackRecord(
        as_ofs=tuple(local_iso(run.as_of, settings.shop.time_zone) for run in looked_at),
        replayed=sum(_is_replayed(store, run, decided_after=days + settle) for run in looked_at),
        whole=_by(told, pa.chunked_array([pa.repeat("", len(told))]))[0],
        grades=in_order(_by(told, told["grade"]), LEVELS["grade"]),
        sources=_by(told, told["source"]),
        campaigns=_by(told, told["campaign"]),
        segments=_by(told, told["segments"]),
    )


def ripe_after_days(settings: Settings) -> int:
    """Return after how many days it is known what came of a score; 0 = that is not known in days."""
    return sum(_horizon(settings))


def apart(runs: Sequence[StoredRun], *, until: int, days: int) -> list[StoredRun]:
    """Return the newest runs whose label windows have closed and do not touch, newest first, at most `MOST_RUNS`.

    Args:
        runs: Stored runs, in any order.
        until: Until when the data tell what happened, microseconds.
        days: Length of the label window; 0 = it is not known in days.
    """
    found: list[StoredRun] = []
    for run in sorted(runs, key=lambda run: (run.as_of, run.model_version), reverse=True):
        ends = np.asarray(run.as_of + days * moments.DAY)
        is_closed = moments.closed_by(ends, found[-1].as_of if found else until)
        is_another = not found or run.as_of != found[-1].as_of
        if is_closed and is_another and len(found) < MOST_RUNS:
            found.append(run)
    return found


def _horizon(settings: Settings) -> tuple[int, int]:
    """Return the days of the label window, and those in which late news still counts."""
    if settings.lead_table is not None:
        return settings.lead_table.horizon_days, 0
    return settings.question.horizon_days, settings.question.settle_days


def _rows(store: ScoreStore, run: StoredRun) -> pa.Table:
    """Return the scored rows of a run, with the moment of the run."""
    store.complete(run)
    rows = pq.read_table(store.folder_of(run) / LIST, columns=["score", *_READ], partitioning=None)
    scored = rows.filter(pc.is_valid(rows["score"])).select(_READ)
    return scored.append_column("run", pa.repeat(run.as_of, len(scored)))


def _first_of_each(rows: pa.Table) -> pa.Table:
    """Return each lead, moment and trigger once: as it was scored first."""
    numbered = rows.append_column("row", pa.array(np.arange(len(rows))))
    oldest = numbered.sort_by([("run", "ascending"), ("row", "ascending")])
    first = oldest.group_by([*_KEYS], use_threads=False).aggregate([("row", "first")])
    return rows.take(first["row_first"].sort())


def _by(rows: pa.Table, groups: pa.ChunkedArray) -> list[Realised]:
    return realised_by(groups, rows["probability"], rows["converted"])


def _is_replayed(store: ScoreStore, run: StoredRun, *, decided_after: int) -> bool:
    """Whether the outcomes were decided, so many days after the run's moment, by the time that it was scored."""
    at = store.scored_at(run)
    # A run from before that was kept does not flatter itself.
    scored_at = moments.ALWAYS if at is None else moments.to_us(at)
    return bool(moments.closed_by(np.asarray(run.as_of + decided_after * moments.DAY), scored_at))


def keep(workspace: Workspace, track: TrackRecord | None) -> None:
    """Keep *track* in the workspace for pages to show."""
    with workspace.writing(workspace.root / KEPT) as path:
        text = json.dumps(None if track is None else asdict(track), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def kept(workspace: Workspace) -> TrackRecord | None:
    """Return the track record that was kept last; None where there is none, or no outcome was known."""
    path = workspace.root / KEPT
    said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if said is None:
        return None
    groups = {name: [Realised(**one) for one in said[name]] for name in ("grades", "sources", "campaigns", "segments")}
    return TrackRecord(
        as_ofs=tuple(said["as_ofs"]), replayed=said["replayed"], whole=Realised(**said["whole"]), **groups
    )
