"""Tasks on whole shops: read, ingested and swept by Leadlight itself, as its commands do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.quality.task import Task
from features.matrix import FeatureTable
from models.splits import forward_split
from models.training import moments_of
from pipeline import shipped
from pipeline.settings import Settings, parse, read_yaml
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest
from pipeline.synthetic.judge import best_probabilities
from pipeline.synthetic.shop import generate, truth

LOADED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def cdnow(shared: Path, room: Path) -> Task:
    """Return CDNOW: who buys again within 90 days of 1998-01-01?

    Models learn from the first of each month, June to October 1997: the labels of November and December were still
    open.
    """
    monthly = {"every": "1mo", "first": "1997-06-01", "last": "1998-01-01"}
    settings = _settings("cdnow", room, data=shared, snapshots=monthly)
    table = _swept(settings)
    split = forward_split(moments_of(table), test_as_ofs=1)
    return Task("cdnow", table, split.train, split.test)


def complete_journey(room: Path) -> Task:
    """Return the grocer's campaigns as `leadlight demo` asks: does the household redeem a coupon? Newest held out."""
    settings = _settings("complete_journey", room)
    table = _swept(settings)
    split = forward_split(moments_of(table), test_share=settings.model.holdout_share)
    return Task("complete_journey", table, split.train, split.test)


def synthetic(room: Path, *, leads: int) -> Task:
    """Return a synthetic shop of *leads* leads, whose best possible prediction is known."""
    settings = _settings("synthetic_shop", room)
    if not (settings.data_folder / "truth.parquet").is_file():
        generate(settings.data_folder, leads=leads, seed=0)
    table = _swept(settings)
    split = forward_split(moments_of(table), test_share=settings.model.holdout_share)
    asked = table.keys.take(pa.array(split.test))
    best = best_probabilities(truth(settings.data_folder), asked)
    return Task("synthetic", table, split.train, split.test, np.log(best) - np.log1p(-best))


def _settings(
    config: str, room: Path, *, data: Path | None = None, snapshots: dict[str, Any] | None = None
) -> Settings:
    """Return a shipped config with its workspace under *room*."""
    place = shipped.config(config)
    raw = read_yaml(place)
    if snapshots:
        raw["question"]["snapshots"] = snapshots
    room.mkdir(parents=True, exist_ok=True)
    return parse(raw, place=place, data=None if data is None else str(data), beside=room)


def _swept(settings: Settings) -> FeatureTable:
    ingest(settings, now=LOADED_AT)
    return compute_training_table(settings)
