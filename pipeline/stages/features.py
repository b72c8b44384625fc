"""`leadlight features`: snapshots + labels + features as Parquet, with a data dictionary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import dictionary
from features.catalog import Feature
from features.matrix import FeatureTable
from features.moments import to_us
from pipeline.lead_data import lead_data
from pipeline.progress import Progress, silent
from pipeline.row_words import rows_are, told
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class FeaturesReport:
    """What `build` wrote.

    Attributes:
        rows_are: What rows are called: ``snapshots`` or ``leads``.
        snapshots: Ripe snapshots in the cohort.
        leads: Different leads among them.
        conversions: Snapshots that converted.
        features: Number of features.
        first_as_of: Earliest as_of (ISO, on the shop's clock); of a lead table in order of rows, the row; or empty.
        last_as_of: Latest as_of.
        table: The Parquet file.
        data_dictionary: The Markdown file that says what each column means.
    """

    rows_are: str
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
    return _report(table, folder / "training.parquet", data_dictionary, settings)


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
    return lead_data(settings).training_table(also=also, progress=progress)


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


def _report(table: FeatureTable, path: Path, data_dictionary: Path, settings: Settings) -> FeaturesReport:
    as_of = pc.min_max(table.keys["as_of"])
    labels = table.labels if table.labels is not None else pa.table({"converted": []})
    return FeaturesReport(
        rows_are=rows_are(settings),
        snapshots=len(table),
        leads=pc.count_distinct(table.keys["lead_id"].cast(pa.string())).as_py(),
        conversions=pc.sum(labels["converted"].cast(pa.int64())).as_py() or 0,
        features=len(table.features),
        first_as_of=told(settings, to_us(as_of["min"].as_py())),
        last_as_of=told(settings, to_us(as_of["max"].as_py())),
        table=path,
        data_dictionary=data_dictionary,
    )
