"""The workspace of the benchmark: two nights stored as `leadlight score` does, and the nights before in the history.

The pieces of the history are those that so many publications would have left; they are written straight, range by
range of leads.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.app.leads import Leads, grades_of, night_of, score_of
from benchmarks.app.trained import PERSONAL
from models.lead_hash import lead_hash
from pipeline.published.history_pieces import HISTORY_SCHEMA, Piece, RunOfPiece, write_piece
from pipeline.published.history_tiers import PIECES_PER_LEVEL
from pipeline.published.manifest import Manifest
from pipeline.score_store import ScoreStore, StoredRun

_LEADS_AT_ONCE = 8_192


def prepare(store: ScoreStore, folder: Path, leads: Leads, *, nights: int) -> None:
    """Store two nights, the last of *nights* published, and those before as pieces of the history.

    Args:
        store: Where to.
        folder: The folder of its scores.
        leads: Who is scored.
        nights: How many nights.
    """
    run = add_night(store, leads, nights - 1)
    pieces = tuple(_pieces(folder / "history", leads, nights - 1))
    (folder / "manifest.json").write_text(Manifest(run, pieces).as_json(), encoding="utf-8")
    store.publish(add_night(store, leads, nights))


def add_night(store: ScoreStore, leads: Leads, night: int) -> StoredRun:
    """Store the run of a night."""
    return store.add(
        leads.scores(night),
        as_of=night_of(night),
        model_version=leads.version,
        scored_at=datetime.now(UTC),
        people=leads.people,
        personal=PERSONAL,
    )


def _pieces(folder: Path, leads: Leads, nights: int) -> Iterator[Piece]:
    """Write the nights before, 1 to *nights*, as the pieces that merging would have left, and yield their names."""
    keys = lead_hash(pa.chunked_array([leads.ids]))
    order = np.argsort(keys)
    first, level = 1, 0
    while PIECES_PER_LEVEL ** (level + 1) <= nights:
        level += 1
    while first <= nights:
        size = PIECES_PER_LEVEL**level
        if nights - first + 1 < size:
            level -= 1
            continue
        name = f"piece-{first:04d}-{size:04d}"
        (folder / name).mkdir(parents=True)
        rows = write_piece(folder / name, _rows(leads, keys, order, range(first, first + size)))
        runs = tuple(RunOfPiece(night_of(night), leads.version) for night in range(first, first + size))
        yield Piece(name, level, rows, runs)
        first += size


def _rows(leads: Leads, keys: np.ndarray, order: np.ndarray, nights: range) -> Iterator[pa.Table]:
    log_odds = np.stack([leads.log_odds(night).astype(np.float32) for night in nights], axis=1)
    moments_of = np.array([night_of(night) for night in nights])
    for start in range(0, leads.count, _LEADS_AT_ONCE):
        at = order[start : start + _LEADS_AT_ONCE]
        own = log_odds[at].ravel().astype(np.float64)
        chance = 1 / (1 + np.exp(-own))
        count = len(own)
        columns = {
            "lead_key": np.repeat(keys[at], len(nights)),
            "lead_id": leads.ids.take(pa.array(np.repeat(at, len(nights)))),
            "as_of": np.tile(moments_of, len(at)),
            "model_version": pa.repeat(leads.version, count),
            "score": score_of(own),
            "points_total": np.round(1000 * (own + 3) / np.log(2)).astype(np.int64),
            "probability": chance,
            "probability_low": chance * 0.8,
            "probability_high": chance * 1.2,
            "grade": pa.array(["A", "B", "C", "D"]).take(pa.array(grades_of(chance))),
            "stage": pa.repeat("engaged", count),
            "position": np.repeat(at, len(nights)),
        }
        yield pa.table(
            [
                _column(columns[name], kind) if name in columns else pa.nulls(count, kind)
                for name, kind in zip(HISTORY_SCHEMA.names, HISTORY_SCHEMA.types, strict=True)
            ],
            schema=HISTORY_SCHEMA,
        )


def _column(values: pa.Array | np.ndarray, kind: pa.DataType) -> pa.Array:
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(kind, safe=False)
