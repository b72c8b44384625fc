"""Lead attributes and counts as the numbers that trees can split.

Numbers go to the trees as they are. A category with few levels becomes one 0/1 column per level; one with many
becomes a single column: its levels ranked by their smoothed conversion rate

    rate(level) = (conversions + m · base rate) / (rows + m),        m = 20 pseudo-rows,

so that one split separates "converts well" from "converts badly". A level never seen in training stands where the
base rate stands; a missing value is NaN, which LightGBM sends down a branch of its own choosing.

Every value is rounded to float32 once, here, so that each engine that walks the trees takes the same path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from features.matrix import FeatureTable

SMOOTHING_ROWS: Final = 20.0
ONE_HOT_LEVELS: Final = 4
"""Up to so many levels get a column each."""
LEAST_ROWS_OF_LEVEL: Final = 5
"""A rarer level is treated as unseen: its rate would be noise, and its name would only swell the bundle."""
ROWS_PER_STRIP: Final = 4096


@dataclass(frozen=True)
class TreeColumn:
    """One column of the matrix that the trees read.

    Attributes:
        feature: Name of the feature it comes from.
        kind: ``number``, ``ranked`` (one ordered column) or ``one_hot`` (1 where the level is `levels[0]`).
        levels: Levels seen in training, worst converting first; empty for numbers.
        values: What each level becomes, aligned with *levels*.
        unseen: What a level outside *levels* becomes.
    """

    feature: str
    kind: str
    levels: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    unseen: float = 0.0


@dataclass(frozen=True)
class Encoder:
    """How feature columns become tree columns, learned on training rows alone.

    Attributes:
        columns: The tree columns, grouped by feature, in catalog order.
    """

    columns: tuple[TreeColumn, ...]

    def owner(self, features: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return the position in *features* of each tree column's feature, shape ``(n_columns,)``."""
        position = {name: place for place, name in enumerate(features)}
        return np.array([position[column.feature] for column in self.columns], dtype=np.int64)

    def tree_matrix(self, table: FeatureTable) -> npt.NDArray[np.float32]:
        """Return the tree columns of every row, shape ``(n_rows, n_columns)``, C order, NaN = missing."""
        columns = [encode_column(column, table.columns.column(column.feature)) for column in self.columns]
        matrix = np.empty((table.columns.num_rows, len(columns)), dtype=np.float32)
        # Strips of rows stay in the cache while their columns are written side by side.
        for start in range(0, len(matrix), ROWS_PER_STRIP):
            strip = slice(start, start + ROWS_PER_STRIP)
            for place, values in enumerate(columns):
                matrix[strip, place] = values[strip]
        return matrix


def encode_column(column: TreeColumn, values: pa.ChunkedArray) -> npt.NDArray[np.floating]:
    """Return one tree column of *values*, shape ``(n_rows,)``."""
    if column.kind == "number":
        return numbers(values)
    missing = np.nan if column.kind == "ranked" else 0.0
    codes = level_codes(values, column.levels)
    return np.array([*column.values, column.unseen, missing])[codes]


def numbers(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Return a number feature as float64, shape ``(n_rows,)``, NaN where missing."""
    return np.asarray(values.to_numpy(), dtype=np.float64)


def level_codes(values: pa.ChunkedArray, levels: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Return each row's place in *levels*: ``len(levels)`` for any other level, one more for missing."""
    coded = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.unify_dictionaries().chunk(0)
    places = pc.index_in(coded.dictionary.cast(pa.string()), value_set=pa.array(levels, pa.string()))
    of_dictionary = places.fill_null(len(levels)).to_numpy(zero_copy_only=False).astype(np.int32)
    missing = np.int32(len(levels) + 1)
    indices = coded.indices.fill_null(len(of_dictionary)).to_numpy(zero_copy_only=False)
    return np.append(of_dictionary, missing)[indices]


def fit_encoder(table: FeatureTable, converted: npt.NDArray[np.bool_]) -> Encoder:
    """Learn how the categories of *table* become tree columns.

    Args:
        table: Training rows, and no others: ranks look at their labels.
        converted: The labels, shape ``(n_rows,)``.
    """
    columns: list[TreeColumn] = []
    for feature in table.features:
        if feature.kind == "number":
            columns.append(TreeColumn(feature.name, "number"))
        else:
            columns.extend(_category_columns(feature.name, table.columns.column(feature.name), converted))
    return Encoder(tuple(columns))


def level_counts(values: pa.ChunkedArray) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Return the levels present, in alphabetical order, and how many rows each has."""
    counts = pc.value_counts(values.cast(pa.string()).drop_null())
    levels, rows = counts.field("values"), counts.field("counts")
    order = pc.sort_indices(levels)
    return tuple(levels.take(order).to_pylist()), rows.take(order).to_numpy().astype(np.int64)


def ranked_values(
    codes: npt.NDArray[np.int32], converted: npt.NDArray[np.bool_], *, levels: int
) -> npt.NDArray[np.float64]:
    """Return what each code of a ranked column becomes, learned from these rows alone.

    Args:
        codes: Each row's level (`level_codes`), shape ``(n_rows,)``.
        converted: The labels.
        levels: How many levels there are.

    Returns:
        Shape ``(levels + 2,)``: each level's rank by smoothed conversion rate, 0 = worst; then the place of an
        unseen level, half-way between the ranks around the base rate; then NaN for missing.
    """
    base_rate = float(converted.mean())
    seen = np.bincount(codes, minlength=levels + 2)[:levels]
    won = np.bincount(codes[converted], minlength=levels + 2)[:levels]
    rates = (won + SMOOTHING_ROWS * base_rate) / (seen + SMOOTHING_ROWS)
    worst_first = np.argsort(rates, kind="stable")
    ranks = np.empty(levels)
    ranks[worst_first] = np.arange(levels)
    unseen = float(np.searchsorted(rates[worst_first], base_rate)) - 0.5
    return np.concatenate([ranks, [unseen, np.nan]])


def _category_columns(name: str, values: pa.ChunkedArray, converted: npt.NDArray[np.bool_]) -> list[TreeColumn]:
    levels, rows = level_counts(values)
    if len(levels) <= ONE_HOT_LEVELS:
        return [TreeColumn(name, "one_hot", (level,), (1.0,)) for level in levels]
    levels = tuple(level for level, count in zip(levels, rows, strict=True) if count >= LEAST_ROWS_OF_LEVEL)
    learned = ranked_values(level_codes(values, levels), converted, levels=len(levels))
    worst_first = np.argsort(learned[: len(levels)])
    ordered = tuple(levels[place] for place in worst_first)
    return [TreeColumn(name, "ranked", ordered, tuple(map(float, range(len(levels)))), float(learned[len(levels)]))]
