"""The trees: LightGBM on numeric columns, bagged over groups of leads, the same bits every time.

Every bag leaves out one group of leads. The bags become one booster: leaf values divided by the number of bags, the
trees written one after the other, so that scoring walks and explaining unfolds a single model.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import lightgbm as lgb

DATASET_PARAMETERS: Final = {"verbosity": -1, "feature_pre_filter": False}
OUTPUTS: Final = ("leaf_value", "internal_value")
LEAVES_BY_CONVERSIONS: Final = ((500, 7), (10_000, 15))
MOST_LEAVES: Final = 31
LEARNING_RATE: Final = 0.08
ROWS_WORTH_THREADS: Final = 20_000
PATIENCE: Final = 25
"""Rounds without improvement after which a fold stops."""


@dataclass(frozen=True)
class TreeSettings:
    """How trees are grown.

    Attributes:
        leaves: Most leaves per tree, 7–31.
        least_rows: Fewest rows in a leaf.
        rate: Learning rate.
        seed: Seeds the sampling of columns and rows.
        threads: Threads LightGBM uses; fixed, because sums over threads depend on their number.
        feature_fraction: Share of the columns that each tree may split.
        bagging_fraction: Share of the rows that each tree learns from.
        l2: Penalty on the squared outputs of leaves.
        monotone: Per tree column, the only direction in which the log-odds may move as it rises: 1, -1, or 0 for
            either; empty = no column is bound (`models.monotone`).
    """

    leaves: int
    least_rows: int
    rate: float
    seed: int
    threads: int
    feature_fraction: float = 0.7
    bagging_fraction: float = 0.8
    l2: float = 1.0
    monotone: tuple[int, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Return LightGBM's parameters."""
        bound = {"monotone_constraints": list(self.monotone)} if any(self.monotone) else {}
        return {
            "objective": "binary",
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.least_rows,
            "learning_rate": self.rate,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
            **bound,
        }


def settings_for(rows: int, *, conversions: int, seed: int, threads: int | None) -> TreeSettings:
    """Return how trees are grown on data of this size: more conversions bear more leaves.

    Args:
        rows: Training rows.
        conversions: Distinct converting leads among them.
        seed: Seeds the sampling of columns and rows.
        threads: Threads to use; None = all cores on large data and one on small, where they only wait for each other.
    """
    leaves = next((leaves for most, leaves in LEAVES_BY_CONVERSIONS if conversions < most), MOST_LEAVES)
    least_rows = int(np.clip(rows / 50, 20, 100))
    cores = threads or (os.cpu_count() or 1 if rows >= ROWS_WORTH_THREADS else 1)
    return TreeSettings(leaves, least_rows, LEARNING_RATE, seed, cores)


Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


def grow(matrix: Floats, converted: Bools, settings: TreeSettings, *, trees: int) -> lgb.Booster:
    """Grow exactly *trees* trees (fewer where nothing is left to split).

    Args:
        matrix: Tree columns of the training rows, shape ``(n_rows, n_columns)``, in canonical row order.
        converted: The labels, shape ``(n_rows,)``.
        settings: How they are grown.
        trees: How many.
    """
    import lightgbm as lgb

    return lgb.train(settings.parameters(), _dataset(matrix, converted), num_boost_round=trees)


def grow_watched(
    matrix: Floats, converted: Bools, settings: TreeSettings, *, judged: tuple[Floats, Bools], most: int
) -> tuple[lgb.Booster, npt.NDArray[np.float64]]:
    """Grow trees while they help on the *judged* rows.

    Args:
        matrix: Tree columns of the rows to learn from.
        converted: Their labels.
        settings: How trees are grown.
        judged: Tree columns and labels of rows of other leads.
        most: Stop here at the latest; earlier after `PATIENCE` rounds without improvement.

    Returns:
        The booster with every tree it grew, and the log-loss on *judged* after 1, 2, 3 … trees.
    """
    return grow_on_bins(rows_in_bins(matrix, converted, judged=judged), settings, most=most)


@dataclass(frozen=True)
class RowsInBins:
    """Rows to learn from and rows to be judged on, cut into LightGBM's bins once: trees of any settings grow on them.

    Attributes:
        learned: The rows to learn from.
        judged: Rows of other leads, in the same bins.
    """

    learned: lgb.Dataset
    judged: lgb.Dataset


def rows_in_bins(matrix: Floats, converted: Bools, *, judged: tuple[Floats, Bools]) -> RowsInBins:
    """Return the rows of `grow_watched` in bins; the matrices need not be kept.

    Args:
        matrix: Tree columns of the rows to learn from, shape ``(n_rows, n_columns)``.
        converted: Their labels.
        judged: Columns and labels of rows of other leads.
    """
    import lightgbm as lgb

    learned = _dataset(matrix, converted).construct()
    return RowsInBins(learned, lgb.Dataset(*judged, reference=learned, params=DATASET_PARAMETERS).construct())


def grow_on_bins(data: RowsInBins, settings: TreeSettings, *, most: int) -> tuple[lgb.Booster, npt.NDArray[np.float64]]:
    """Grow trees as `grow_watched` does, on rows that are in bins already.

    Args:
        data: The rows.
        settings: How trees are grown; nothing of them is in the bins.
        most: Most trees.

    Returns:
        The booster with every tree it grew, and the log-loss on the judged rows after 1, 2, 3 … trees.
    """
    import lightgbm as lgb

    losses: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        settings.parameters() | {"metric": "binary_logloss"},
        data.learned,
        num_boost_round=most,
        valid_sets=[data.judged],
        valid_names=["judged"],
        callbacks=[lgb.record_evaluation(losses), lgb.early_stopping(PATIENCE, verbose=False)],
        keep_training_booster=True,
    )
    return booster, np.array(losses["judged"]["binary_logloss"])


def merge_bags(boosters: Sequence[lgb.Booster]) -> str:
    """Return one LightGBM model text whose raw score is the mean of the raw scores of *boosters*.

    Each tree's outputs are divided by the number of boosters and the trees are written one after the other; the
    header, but for the list of tree sizes, is the first booster's. The training parameters at the end are left out:
    the number of threads among them would be the only difference between two machines.
    """
    texts = [booster.model_to_string() for booster in boosters]
    header = _sections(texts[0])[0]
    trees = [tree for text in texts for tree in _sections(text)[1]]
    blocks = [_rewritten(tree, place, divisor=len(boosters)) for place, tree in enumerate(trees)]
    sizes = " ".join(str(len(block)) for block in blocks)
    lines = [f"tree_sizes={sizes}" if line.startswith("tree_sizes=") else line for line in header.splitlines()]
    return "\n".join(lines) + "\n\n" + "".join(blocks) + "end of trees\n"


def _dataset(matrix: Floats, converted: Bools) -> lgb.Dataset:
    import lightgbm as lgb

    return lgb.Dataset(matrix, converted, params=DATASET_PARAMETERS)


def _sections(text: str) -> tuple[str, list[str]]:
    """Split a model text into its header and its trees, each without its leading ``Tree=``."""
    header, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    return header, trees


def _rewritten(tree: str, place: int, *, divisor: int) -> str:
    """Return a tree's block with its number and its outputs changed."""
    lines = tree.splitlines()
    lines[0] = f"Tree={place}"
    for line, text in enumerate(lines):
        name, _, values = text.partition("=")
        if name in OUTPUTS:
            lines[line] = f"{name}=" + " ".join(repr(float(value) / divisor) for value in values.split())
    return "\n".join(lines) + "\n\n\n"
