"""`leadlight features`: snapshots + labels + features as Parquet, with a data dictionary."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import dictionary
from features.catalog import Feature
from features.errors import LeadlightError, wrong_input
from features.local_time import local_iso
from features.matrix import FeatureTable, concat
from features.moments import local_date, to_us
from features.timeline import Timelines
from features.training_table import Question, training_table
from pipeline import asking, segmenting
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.workspace import Tables, Workspace

_Result = TypeVar("_Result")

THREADS = 2
"""Buckets at work at once: the kernel needs no interpreter lock, and each bucket costs memory."""


@dataclass(frozen=True)
class FeaturesReport:
    """What `build` wrote.

    Attributes:
        snapshots: Ripe snapshots in the cohort.
        leads: Different leads among them.
        conversions: Snapshots that converted.
        features: Number of features.
        first_as_of: Earliest as_of (ISO, on the shop's clock), empty without snapshots.
        last_as_of: Latest as_of.
        table: The Parquet file.
        data_dictionary: The Markdown file that says what each column means.
    """

    snapshots: int
    leads: int
    conversions: int
    features: int
    first_as_of: str
    last_as_of: str
    table: Path
    data_dictionary: Path


def build(settings: Settings, *, progress: Progress = silent) -> FeaturesReport:
    """Write the training table of the config's question into the workspace.

    Args:
        settings: The shop's config; its tables must have been ingested.
        progress: Told of every bucket done.

    Raises:
        LeadlightError: Nothing is ingested, or no snapshot is ripe.
    """
    workspace = Workspace(settings.shop.workspace)
    table = compute_training_table(settings, progress=progress)
    folder = workspace.training_folder()
    data_dictionary = folder / "data_dictionary.md"
    with workspace.writing(folder / "training.parquet") as path:
        pq.write_table(flat(table), path, compression="zstd")
    with workspace.writing(data_dictionary) as path:
        path.write_text(dictionary.markdown(table.features), encoding="utf-8")
    with workspace.writing(folder / "data_dictionary.json") as path:
        path.write_text(json.dumps(dictionary.entries(table.features), indent=1), encoding="utf-8")
    return _report(table, folder / "training.parquet", data_dictionary, zone=settings.shop.time_zone)


def compute_training_table(
    settings: Settings, *, also: Sequence[Feature] = (), progress: Progress = silent
) -> FeatureTable:
    """Return the training table of the config's question, computed from the ingested tables.

    Args:
        settings: The shop's config.
        also: More columns for judges, beside those that the config gives them.
        progress: Told of every bucket done.

    Raises:
        LeadlightError: Nothing is ingested, or no snapshot is ripe.
    """
    tables = Workspace(settings.shop.workspace).tables()
    question, features = asked(settings, tables)
    segmenting.refuse_unknown(settings, features)
    beside = (*asking.beside(settings, available=tables.available, event_types=tables.event_types), *also)
    parts = per_bucket(
        tables,
        lambda timelines: training_table(timelines, question, features, beside=beside),
        columns=question.columns_read([*features, *beside]),
        progress=progress,
        doing="computing features",
    )
    table = concat(parts)
    if not len(table):
        raise _nothing_ripe(settings, tables)
    return table


def asked(settings: Settings, tables: Tables) -> tuple[Question, tuple[Feature, ...]]:
    """Return the config's question and the catalog that the ingested tables serve."""
    features = asking.catalog(settings, available=tables.available, event_types=tables.event_types)
    return asking.question(settings), features


def per_bucket(
    tables: Tables,
    work: Callable[[Timelines], _Result],
    *,
    columns: dict[str, set[str]],
    progress: Progress,
    doing: str,
) -> list[_Result]:
    """Return *work* of every bucket's timelines, in order of buckets."""
    done: list[_Result] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for result in pool.map(lambda bucket: work(tables.timelines(bucket, columns=columns)), range(tables.buckets)):
            done.append(result)
            progress(doing, len(done), tables.buckets)
    return done


def flat(table: FeatureTable) -> pa.Table:
    """Return keys, labels and features as one table; missing numbers are null, as in any file."""
    columns: dict[str, pa.ChunkedArray] = {name: table.keys[name] for name in table.keys.column_names}
    if table.labels is not None:
        columns |= {name: table.labels[name] for name in table.labels.column_names}
    for name in table.columns.column_names:
        column = table.columns[name]
        columns[name] = pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column
    columns["lead_id"] = columns["lead_id"].cast(pa.string())
    return pa.table(columns)


def _report(table: FeatureTable, path: Path, data_dictionary: Path, *, zone: str) -> FeaturesReport:
    as_of = pc.min_max(table.keys["as_of"])
    labels = table.labels if table.labels is not None else pa.table({"converted": []})
    return FeaturesReport(
        snapshots=len(table),
        leads=pc.count_distinct(table.keys["lead_id"].cast(pa.string())).as_py(),
        conversions=pc.sum(labels["converted"].cast(pa.int64())).as_py() or 0,
        features=len(table.features),
        first_as_of=local_iso(to_us(as_of["min"].as_py()), zone),
        last_as_of=local_iso(to_us(as_of["max"].as_py()), zone),
        table=path,
        data_dictionary=data_dictionary,
    )


def _nothing_ripe(settings: Settings, tables: Tables) -> LeadlightError:
    conversion = settings.question.conversion.table
    span = tables.coverage[conversion]
    asked_for, zone = settings.question, settings.shop.time_zone
    lines = [
        f"'{conversion}' covers {local_date(span.data_from, zone)} to {local_date(span.data_until, zone)}",
        f"a label needs {asked_for.horizon_days} + {asked_for.settle_days} days after its snapshot",
        f"cohort: {asked_for.cohort.who}",
    ]
    hint = "shorten question.horizon_days, widen the grid or the cohort, or ingest a longer history."
    return wrong_input("No snapshot is ripe: none has its whole label window inside the data.", lines, hint=hint)
