"""The features by this project: the catalog of 36 features and its one sweep, bucket by bucket.

Two threads take a bucket each; the sweep runs without the interpreter's lock.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from benchmarks.features.cases import DATA_FROM, DATA_UNTIL, THREADS, WINDOW_DAYS, Case
from features import matrix, moments, sweeping
from features.catalog import Feature, Measure, Phrase
from features.conditions import parse
from features.plan import columns_read
from features.snapshots import on_grid
from features.timeline import Coverage, Timelines

if TYPE_CHECKING:
    from pathlib import Path

_MEASURES = {
    "count_all": ("count", "", ""),
    "count_view": ("count", "", "view"),
    "count_cart": ("count", "", "cart"),
    "count_purchase": ("count", "", "purchase"),
    "distinct_category": ("distinct", "category", ""),
    "sum_value_all": ("sum", "value", ""),
    "sum_value_purchase": ("sum", "value", "purchase"),
    "mean_gap_days": ("mean_gap", "", ""),
    "days_since_last": ("days_since_last", "", ""),
    "days_since_first": ("days_since_first", "", ""),
    "first_source": ("first", "source", ""),
    "last_source": ("last", "source", ""),
}


def run(folder: Path, case: Case) -> matrix.FeatureTable:
    """Return one row per (lead, as_of) with the 36 features.

    Args:
        folder: The generated files; only the columns that the catalog reads are read.
        case: The snapshots asked for.

    Returns:
        ``(n_leads * n_snapshots,)`` rows, all buckets in order.
    """
    asked = catalog()
    names = sorted(path.name for path in (folder / "events").glob("*.parquet"))
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda name: _bucket(folder, name, case=case, asked=asked), names))
    return matrix.concat(parts)


def catalog() -> tuple[Feature, ...]:
    """Return the 36 features as this project's catalog entries."""
    return tuple(_feature(name, days) for days in WINDOW_DAYS for name in _MEASURES)


def _feature(name: str, days: int) -> Feature:
    kind, column, event_type = _MEASURES[name]
    where = parse({"type": event_type}) if event_type else ()
    return Feature(
        name=f"{name}_{days}d",
        family="engagement",
        kind="category" if column == "source" else "number",
        unit="category" if column == "source" else "number",
        concept=name,
        phrase=Phrase(many="{n}"),
        description=f"{name} over {days} days",
        measure=Measure(kind=kind, table="events", where=where, column=column, window=days),
    )


def _bucket(folder: Path, name: str, *, case: Case, asked: tuple[Feature, ...]) -> matrix.FeatureTable:
    columns = sorted(columns_read(asked)["events"])
    events = pq.ParquetFile(folder / "events" / name).read(columns, use_threads=False)
    leads = pq.ParquetFile(folder / "leads" / name).read(use_threads=False)
    coverage = Coverage(moments.to_us(DATA_FROM), moments.to_us(DATA_UNTIL))
    timelines = Timelines(leads, {"events": events}, {"events": coverage})
    snapshots = on_grid(timelines, np.asarray(case.as_of_us, dtype=np.int64), horizon_days=0)
    return sweeping.compute(timelines, snapshots, asked)
