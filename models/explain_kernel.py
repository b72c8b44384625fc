"""Tree SHAP of one path, compiled, in float64, and the same bits for one lead as for a million.

Of a path with columns 1…D a lead is only its pattern: bit j says whether it meets the conditions on column j.
With r_j the share of training rows that meet them and w the leaf's value, path-dependent SHAP of column i is

    phi_i = w · (bit_i - r_i) · ∫ Π_{j≠i} (r_j·(1-t) + bit_j·t) dt        over t in 0…1,

because ∫ t^s (1-t)^(D-1-s) dt = s!(D-1-s)!/D! is Shapley's weight of a coalition of s. The integrand is a
polynomial of degree D-1, so Gauss-Legendre with ceil(D/2) nodes is exact, and every factor lies in 0…1:
nothing cancels.

For short paths the values of all 2^D patterns are tabled, and a lead costs D look-ups; for long paths, and
for few rows, the formula is computed on the spot. Both run the same code in the same order, so they give the
same bits.
"""

# Numba infers types from the arrays it is given.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from typing import Final

import numba as nb
import numpy as np
import numpy.typing as npt

from features import compiled

ROWS_PER_TILE: Final = 4096
"""Rows walked together: their patterns and sums stay in the cache."""
MAX_LENGTH: Final = 32

_part = nb.njit(nogil=True)
"""Compile a part of a kernel; what is kept between processes is the whole."""
_kernel = compiled.kept(nogil=True)


def quadrature() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Gauss-Legendre nodes and weights on 0…1, ``(17, 17)`` each: row q holds q of them."""
    n_rules = MAX_LENGTH // 2 + 1
    nodes, weights = np.zeros((n_rules, n_rules)), np.zeros((n_rules, n_rules))
    for q in range(1, n_rules):
        x, weight = np.polynomial.legendre.leggauss(q)
        nodes[q, :q], weights[q, :q] = (x + 1.0) / 2.0, weight / 2.0
    return nodes, weights


@_part
def _add_leaf(pattern, ratio, last_ratio, value, nodes, weights, phi, before):
    """Add one leaf's SHAP values to *phi*, shape ``(length,)``; *before* is room for the products."""
    length = ratio.size
    for q in range((length + 1) // 2):
        t = nodes[q]
        product = 1.0
        for j in range(length):
            before[j] = product
            r = last_ratio if j == length - 1 else ratio[j]
            product *= r * (1.0 - t) + (t if (pattern >> j) & 1 else 0.0)
        after = weights[q] * value
        for j in range(length - 1, -1, -1):
            bit = (pattern >> j) & 1
            r = last_ratio if j == length - 1 else ratio[j]
            phi[j] += after * before[j] * (bit - r)
            after *= r * (1.0 - t) + (t if bit else 0.0)


@_part
def _path_values(path, pattern, paths, rules, phi, before):
    """Write into *phi* what each column of *path* is worth to a lead with *pattern*."""
    length = paths.length[path]
    first = paths.first_place[path]
    ratio = paths.ratio[first : first + length]
    rule = (length + 1) // 2
    nodes, weights = rules[0][rule], rules[1][rule]
    phi[:length] = 0.0
    _add_leaf(pattern, ratio, ratio[length - 1], paths.value[path], nodes, weights, phi, before)
    if paths.has_sibling[path]:
        flipped = pattern ^ (np.int64(1) << (length - 1))
        last_ratio = paths.sibling_ratio[path]
        _add_leaf(flipped, ratio, last_ratio, paths.sibling_value[path], nodes, weights, phi, before)


@_kernel
def fill_tables(begin, end, paths, rules, tables) -> None:
    """Fill the tables of paths *begin* to *end*: column j of pattern p at ``start + (j << length) + p``."""
    phi, before = np.empty(MAX_LENGTH), np.empty(MAX_LENGTH)
    for path in range(begin, end):
        start, length = paths.table_start[path], paths.length[path]
        if start < 0:
            continue
        for pattern in range(np.int64(1) << length):
            _path_values(path, pattern, paths, rules, phi, before)
            for j in range(length):
                tables[start + (j << length) + pattern] = phi[j]


@_part
def _walk_tree(tree, splits, columns, patterns, n_rows):
    """Write the pattern of every row of the tile at every node of *tree*."""
    patterns[0, :n_rows] = 0
    for split in range(splits.tree_start[tree], splits.tree_start[tree + 1]):
        x = columns[splits.column[split]]
        threshold, missing_left = splits.threshold[split], splits.missing_left[split]
        met, kept = splits.met[split], splits.kept[split]
        here = patterns[splits.slot[split]]
        left, right = patterns[splits.left_slot[split]], patterns[splits.right_slot[split]]
        for row in range(n_rows):
            goes_left = (x[row] <= threshold) | ((x[row] != x[row]) & missing_left)
            is_met, is_unmet = here[row] | met, here[row] & kept
            left[row] = is_met if goes_left else is_unmet
            right[row] = is_unmet if goes_left else is_met


@_part
def _add_tabled(path, paths, tables, pattern, sums, n_rows):
    """Add a tabled path to the tile's sums, shape ``(n_features, n_rows)``."""
    length, first = paths.length[path], paths.first_place[path]
    for j in range(length):
        start = paths.table_start[path] + (j << length)
        values = tables[start : start + (1 << length)]
        total = sums[paths.feature[first + j]]
        for row in range(n_rows):
            total[row] += values[pattern[row]]


@_part
def _add_computed(path, paths, rules, pattern, sums, n_rows):
    """Add a path to the tile's sums by its formula."""
    phi, before = np.empty(MAX_LENGTH), np.empty(MAX_LENGTH)
    length, first = paths.length[path], paths.first_place[path]
    for row in range(n_rows):
        _path_values(path, np.int64(pattern[row]), paths, rules, phi, before)
        for j in range(length):
            sums[paths.feature[first + j], row] += phi[j]


@_part
def _explain_tile(columns, sums, splits, paths, rules, tables, patterns, n_rows):
    """Add every path of every tree, tree by tree, to the tile's sums."""
    for tree in range(splits.tree_start.size - 1):
        _walk_tree(tree, splits, columns, patterns, n_rows)
        for path in range(paths.tree_start[tree], paths.tree_start[tree + 1]):
            pattern = patterns[paths.slot[path]]
            if tables.size > 0 and paths.table_start[path] >= 0:
                _add_tabled(path, paths, tables, pattern, sums, n_rows)
            else:
                _add_computed(path, paths, rules, pattern, sums, n_rows)


@_kernel
def explain_rows(matrix, out, splits, paths, rules, tables, n_slots) -> None:
    """Write the trees' SHAP values of every row of *matrix* into *out*.

    Args:
        matrix: Tree columns, ``(n_rows, n_columns)``, NaN = missing.
        out: ``(n_rows, n_features)`` float64.
        splits: The forest's inner nodes.
        paths: The forest's paths.
        rules: Nodes and weights of `quadrature`.
        tables: What `fill_tables` filled; empty = compute every path by its formula.
        n_slots: Patterns held per row.
    """
    n_tile = min(ROWS_PER_TILE, matrix.shape[0])
    patterns = np.zeros((n_slots, n_tile), np.uint32)
    columns = np.empty((matrix.shape[1], n_tile), matrix.dtype)
    sums = np.empty((out.shape[1], n_tile))
    for start in range(0, matrix.shape[0], ROWS_PER_TILE):
        n_rows = min(ROWS_PER_TILE, matrix.shape[0] - start)
        for row in range(n_rows):
            columns[:, row] = matrix[start + row]
        sums[:] = 0.0
        _explain_tile(columns, sums, splits, paths, rules, tables, patterns, n_rows)
        for row in range(n_rows):
            out[start + row] = sums[:, row]
