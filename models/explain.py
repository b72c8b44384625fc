"""What each feature adds to a lead's log-odds, checked against the model's own margin.

    log-odds(lead) = base + Σ_feature values,
    values  = w_linear · linear term + w_trees · SHAP of the trees,
    base    = b + w_linear · mean linear log-odds + w_trees · expected value of the trees

The trees are unfolded into paths (`models.explain_forest`) and summed by a compiled kernel
(`models.explain_kernel`). A row depends on itself alone, so a lead explained alone gets the bits it gets in a
batch of a million. Each row is then checked against the margin that the model predicts; a row that misses it
is explained by LightGBM's own TreeSHAP (``pred_contrib``) and checked again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from features import compiled
from models import explain_kernel
from models.explain_forest import Forest, UnreadableTreesError, read_forest

if TYPE_CHECKING:
    import lightgbm as lgb

    from features.matrix import FeatureTable
    from models.model import LeadModel

TOLERANCE: Final = 1e-4
"""Log-odds by which base + contributions may miss the margin."""
FEW_ROWS: Final = 512
"""Below this, filling the tables of all patterns costs more than computing the patterns that occur."""

_log = logging.getLogger(__name__)


class NotAdditiveError(ArithmeticError):
    """Contributions miss the model's margin even by LightGBM's own reckoning: a bug, not an input."""


@dataclass(frozen=True)
class Contributions:
    """What each feature adds to the log-odds of each row.

    Attributes:
        values: Log-odds, shape ``(n_rows, n_features)``, in the model's feature order.
        base: Log-odds of a lead with nothing for or against it.
        margins: The model's own calibrated log-odds, shape ``(n_rows,)``.
        by_lightgbm: Which rows LightGBM explained because the check failed, shape ``(n_rows,)``.
    """

    values: npt.NDArray[np.float64]
    base: float
    margins: npt.NDArray[np.float64]
    by_lightgbm: npt.NDArray[np.bool_]

    @property
    def engine(self) -> str:
        """What explained the trees: ``woodelf``, ``pred_contrib``, or both with the number of rows."""
        n_rows, n_second = len(self.by_lightgbm), int(self.by_lightgbm.sum())
        if n_second == 0:
            return "woodelf"
        return "pred_contrib" if n_second == n_rows else f"woodelf, pred_contrib for {n_second} of {n_rows} rows"


@dataclass(frozen=True)
class Explainer:
    """One model, unfolded once to explain any number of blocks of leads.

    Attributes:
        model: The model.
        forests: Its boosters as paths; None where they cannot be unfolded, and LightGBM explains every row.
        threads: Threads to use, >= 1; they change no bit.
    """

    model: LeadModel
    forests: tuple[Forest, ...] | None
    threads: int

    @cached_property
    def owner(self) -> npt.NDArray[np.int64]:
        """Place of each tree column's feature, shape ``(n_columns,)``."""
        return self.model.encoder.owner(self.model.feature_names)

    @cached_property
    def base(self) -> float:
        """Log-odds of a lead with nothing for or against it: the reference of the score."""
        if self.forests is None:
            expected = sum(_expected_by_lightgbm(booster, len(self.owner)) for booster in self.model.loaded_boosters)
        else:
            expected = sum(forest.expected for forest in self.forests)
        blend = self.model.blend
        return float(blend.b + blend.w_linear * self.model.linear.base + blend.w_trees * expected)

    @cached_property
    def tables(self) -> tuple[npt.NDArray[np.float64], ...]:
        """The tabled paths of each forest, filled when the first large block asks for them."""
        return tuple(_filled_tables(forest, self.threads) for forest in self.forests or ())

    def explain(self, table: FeatureTable, margins: npt.NDArray[np.float64] | None = None) -> Contributions:
        """Return the contributions of every row of *table*, checked against the model's margin.

        Args:
            table: Rows with the columns of the model's features.
            margins: The model's log-odds of these rows where already known, shape ``(n_rows,)``.

        Returns:
            One row per row of *table*, in its order.

        Raises:
            NotAdditiveError: Even LightGBM's TreeSHAP misses the margin by more than 1e-4.
        """
        margins = self.model.margins(table) if margins is None else margins
        matrix = self._matrix(table)
        linear = self.model.blend.w_linear * self.model.linear.contributions(table)
        by_lightgbm = np.zeros(len(table), dtype=np.bool_)
        if self.forests is None:
            by_lightgbm[:] = True
            values = linear + self._weighted(self._trees_by_lightgbm(matrix))
        else:
            values = linear + self._weighted(self._trees_by_paths(matrix))
            by_lightgbm |= _misses(values, self.base, margins)
            if by_lightgbm.any():
                self._explain_again(by_lightgbm, values, linear, matrix)
        self._refuse_what_misses(values, margins)
        return Contributions(values, self.base, margins, by_lightgbm)

    def _matrix(self, table: FeatureTable) -> npt.NDArray[np.float32]:
        # Without trees there is nothing to walk, and no column to encode.
        if not self.model.boosters:
            return np.empty((len(table), 0), dtype=np.float32)
        return self.model.encoder.tree_matrix(table)

    def _weighted(self, trees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return self.model.blend.w_trees * trees

    def _trees_by_paths(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        total = np.zeros((len(matrix), len(self.model.features)))
        is_large = len(matrix) >= FEW_ROWS
        for place, forest in enumerate(self.forests or ()):
            tables = self.tables[place] if is_large else np.empty(0)
            total += _shap_by_paths(matrix, forest, tables, shape=total.shape, threads=self.threads)
        return total

    def _trees_by_lightgbm(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        total = np.zeros((len(matrix), len(self.model.features)))
        for booster in self.model.loaded_boosters:
            shap = booster.predict(matrix, pred_contrib=True)
            for column, feature in enumerate(self.owner):
                total[:, feature] += shap[:, column]
        return total

    def _explain_again(
        self,
        rows: npt.NDArray[np.bool_],
        values: npt.NDArray[np.float64],
        linear: npt.NDArray[np.float64],
        matrix: npt.NDArray[np.float32],
    ) -> None:
        """Explain *rows* by LightGBM, in place: row by row, so that no other lead in the batch is touched."""
        _log.warning("SHAP missed the model's margin in %d of %d rows; LightGBM explains these.", rows.sum(), len(rows))
        values[rows] = linear[rows] + self._weighted(self._trees_by_lightgbm(matrix[rows]))

    def _refuse_what_misses(self, values: npt.NDArray[np.float64], margins: npt.NDArray[np.float64]) -> None:
        missed = int(_misses(values, self.base, margins).sum())
        if missed:
            raise NotAdditiveError(f"Contributions miss the margin by more than {TOLERANCE} in {missed} rows.")


def explainer(model: LeadModel, *, threads: int | None = None) -> Explainer:
    """Return *model* ready to explain leads.

    Args:
        model: The model; its boosters are read once here.
        threads: Threads to use; None = one per core.
    """
    owner = model.encoder.owner(model.feature_names)
    forests: tuple[Forest, ...] | None
    try:
        forests = tuple(read_forest(booster, owner) for booster in model.loaded_boosters)
    except UnreadableTreesError as error:
        _log.warning("The trees cannot be unfolded (%s); LightGBM explains every row.", error)
        forests = None
    return Explainer(model, forests, threads or os.cpu_count() or 1)


def contributions(model: LeadModel, table: FeatureTable) -> Contributions:
    """Return what each feature adds to the log-odds of every row of *table*.

    Args:
        model: The model.
        table: Rows with the columns of its features.

    Returns:
        ``base + values.sum(axis=1)`` is the calibrated log-odds to 1e-4 (in practice to 1e-12).
    """
    return explainer(model).explain(table)


def base_log_odds(model: LeadModel) -> float:
    """Return the SHAP base of *model* in log-odds: what its score calls 50."""
    return explainer(model, threads=1).base


def _misses(values: npt.NDArray[np.float64], base: float, margins: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    # Written so that NaN, too, counts as a miss.
    return ~(np.abs(base + values.sum(axis=1) - margins) <= TOLERANCE)


def _expected_by_lightgbm(booster: lgb.Booster, n_columns: int) -> float:
    # The last column is the expected value, the same for any row.
    return float(booster.predict(np.zeros((1, n_columns)), pred_contrib=True)[0, -1])


def _filled_tables(forest: Forest, threads: int) -> npt.NDArray[np.float64]:
    tables = np.empty(forest.n_table_values)
    rules = explain_kernel.quadrature()

    def fill(part: slice) -> None:
        compiled.run(explain_kernel.fill_tables, part.start, part.stop, forest.paths, rules, tables)

    _in_threads(fill, _parts(len(forest.paths.length), 16 * threads), threads)
    return tables


def _shap_by_paths(
    matrix: npt.NDArray[np.float32],
    forest: Forest,
    tables: npt.NDArray[np.float64],
    *,
    shape: tuple[int, ...],
    threads: int,
) -> npt.NDArray[np.float64]:
    out = np.zeros(shape)
    rules = explain_kernel.quadrature()

    def explain(part: slice) -> None:
        rows, sums = matrix[part], out[part]
        compiled.run(
            explain_kernel.explain_rows, rows, sums, forest.splits, forest.paths, rules, tables, forest.n_slots
        )

    tiles = -(-len(matrix) // explain_kernel.ROWS_PER_TILE)
    _in_threads(explain, _parts(len(matrix), min(tiles, 4 * threads)), threads)
    return out


def _parts(n: int, n_parts: int) -> list[slice]:
    edges = [n * part // max(n_parts, 1) for part in range(max(n_parts, 1) + 1)]
    return [slice(begin, end) for begin, end in pairwise(edges) if end > begin]


def _in_threads(work: Callable[[slice], Any], parts: Iterable[slice], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, part) for part in parts]:
            done.result()
