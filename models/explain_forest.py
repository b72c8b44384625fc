"""Boosted trees as flat arrays: every root-to-leaf path with what SHAP needs of it.

SHAP values add up over the leaves of all trees. For one leaf, only the different columns on the path to it
matter, and of a lead only one bit per such column: does it meet the path's conditions on it? So a path is a
short list of columns with, for each, the share of training rows that go the path's way there, and a leaf
value. (The idea is WOODELF's: Nadel and Wettenstein, "From Decision Trees to Boolean Logic", AAAI 2026, doi
10.1609/aaai.v40i29.39630; their package, woodelf-explainer, reads the trees.)

Two sibling leaves under a condition on a new column see the same bits but for the last one, which is flipped:
they share one path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import lightgbm as lgb

MAX_COLUMNS_ON_A_PATH: Final = 31
"""Bits of a pattern: patterns are uint32, and one bit is kept free."""
MAX_TABLE_COLUMNS: Final = 14
"""Longest path whose 2^columns patterns may be tabled."""
MAX_TABLE_VALUES: Final = 32_000_000
"""Float64 values in all tables of a model: 256 MB."""


class TreeNode(Protocol):
    """A node as woodelf-explainer reads it; a leaf has no children, and its value is log-odds."""

    feature_name: int
    value: float
    cover: float
    nan_go_left: bool
    left: TreeNode
    right: TreeNode

    def is_leaf(self) -> bool:
        """Say whether the node has no children."""

    def get_all_leaves(self) -> list[TreeNode]:
        """Return the leaves below the node."""


class UnreadableTreesError(Exception):
    """These trees cannot be unfolded into paths; LightGBM must explain them itself."""


class Splits(NamedTuple):
    """The inner nodes of all trees, parents before children; all arrays but the first are ``(n_splits,)``.

    Attributes:
        tree_start: First split of each tree and, last, the end: int64 ``(n_trees + 1,)``.
        column: The tree column asked.
        threshold: Left where ``x <= threshold``.
        missing_left: Whether a missing value goes left.
        met: Bits that a met condition sets in the pattern.
        kept: Bits that an unmet condition keeps.
        slot, left_slot, right_slot: Where the patterns of the node and of its children lie; the root's is 0.
    """

    tree_start: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]
    met: npt.NDArray[np.uint32]
    kept: npt.NDArray[np.uint32]
    slot: npt.NDArray[np.int64]
    left_slot: npt.NDArray[np.int64]
    right_slot: npt.NDArray[np.int64]


class Paths(NamedTuple):
    """The paths of all trees; arrays are ``(n_paths,)`` but for the first and the last two.

    Attributes:
        tree_start: First path of each tree and, last, the end: int64 ``(n_trees + 1,)``.
        length: Different columns on the path, 1–31.
        first_place: Where its columns lie in *feature* and *ratio*.
        slot: Where its pattern lies.
        value: The leaf's log-odds.
        has_sibling: Whether a sibling leaf shares the path.
        sibling_value, sibling_ratio: The sibling's log-odds, and its share at the last column.
        table_start: Where its table lies; -1 = not tabled.
        feature: Place of each column's feature in the output.
        ratio: Share of the training rows at the column's splits that go the path's way, 0–1.
    """

    tree_start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    first_place: npt.NDArray[np.int64]
    slot: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    has_sibling: npt.NDArray[np.bool_]
    sibling_value: npt.NDArray[np.float64]
    sibling_ratio: npt.NDArray[np.float64]
    table_start: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    ratio: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forest:
    """All trees of one booster, ready to be explained.

    Attributes:
        splits: How a row's patterns come about.
        paths: What each pattern is worth.
        expected: Mean log-odds of the trees over their training rows: SHAP's base.
        n_slots: Patterns held at once for one row of one tree.
        n_table_values: Length of the array that holds all tables.
    """

    splits: Splits
    paths: Paths
    expected: float
    n_slots: int
    n_table_values: int


@dataclass(frozen=True)
class _Node:
    """One node on the way down: the columns passed so far, each with its share."""

    node: TreeNode
    slot: int
    columns: tuple[int, ...] = ()
    ratios: tuple[float, ...] = ()


@dataclass
class _Rows:
    """Rows of both tables as they are gathered; tuples follow the fields of `Splits` and `Paths`."""

    owner: npt.NDArray[np.int64]
    splits: list[tuple[Any, ...]] = field(default_factory=list)
    paths: list[tuple[Any, ...]] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    split_start: list[int] = field(default_factory=lambda: [0])
    path_start: list[int] = field(default_factory=lambda: [0])
    n_slots: int = 1


def read_forest(booster: lgb.Booster, owner: npt.NDArray[np.int64]) -> Forest:
    """Return the paths of every tree of *booster*.

    Args:
        booster: Numeric trees with one output.
        owner: Place of each tree column's feature in the output, shape ``(n_columns,)``.

    Returns:
        The forest; its values are the leaves' own, before any weight.

    Raises:
        UnreadableTreesError: The trees split on categories, or a path passes more than 31 different columns.
    """
    from woodelf.core.trees.parse_models import load_decision_tree_ensemble_model

    try:
        trees = load_decision_tree_ensemble_model(booster, list(range(len(owner)))).trees
    except ValueError as error:
        raise UnreadableTreesError(str(error)) from error
    rows = _Rows(owner)
    for root in trees:
        _read_tree(root, rows)
    return _as_forest(rows, sum(_expected(root) for root in trees))


def _read_tree(root: TreeNode, rows: _Rows) -> None:
    """Append one tree; a node's patterns come from its parent's, so parents are written first."""
    waiting = [_Node(root, slot=0)]
    slots = 1
    while waiting:
        here = waiting.pop()
        if here.node.is_leaf():
            _append_path(here, rows)
            continue
        left, right = _children(here, slots)
        slots += 2
        rows.splits.append(_split_row(here, left, right))
        if _share_a_path(here, left, right):
            _append_path(left, rows, sibling=right)
        else:
            waiting += [right, left]
    rows.split_start.append(len(rows.splits))
    rows.path_start.append(len(rows.paths))
    rows.n_slots = max(rows.n_slots, slots)


def _children(here: _Node, slot: int) -> tuple[_Node, _Node]:
    children = []
    for place, child in enumerate((here.node.left, here.node.right)):
        share = child.cover / here.node.cover
        columns, ratios = here.columns, here.ratios
        if here.node.feature_name in columns:
            at = columns.index(here.node.feature_name)
            ratios = (*ratios[:at], ratios[at] * share, *ratios[at + 1 :])
        else:
            columns, ratios = (*columns, here.node.feature_name), (*ratios, share)
        children.append(_Node(child, slot + place, columns, ratios))
    if len(children[0].columns) > MAX_COLUMNS_ON_A_PATH:
        raise UnreadableTreesError(f"A path passes more than {MAX_COLUMNS_ON_A_PATH} different columns.")
    return children[0], children[1]


def _split_row(here: _Node, left: _Node, right: _Node) -> tuple[Any, ...]:
    """Return the split as fields of `Splits`; a repeated column can only lose the bit it has."""
    bit = 1 << left.columns.index(here.node.feature_name)
    is_new = len(left.columns) > len(here.columns)
    met, kept = (bit, 0xFFFFFFFF) if is_new else (0, 0xFFFFFFFF - bit)
    node = here.node
    return (node.feature_name, node.value, node.nan_go_left, met, kept, here.slot, left.slot, right.slot)


def _share_a_path(here: _Node, left: _Node, right: _Node) -> bool:
    is_new = len(left.columns) > len(here.columns)
    return bool(is_new and left.node.is_leaf() and right.node.is_leaf())


def _append_path(leaf: _Node, rows: _Rows, *, sibling: _Node | None = None) -> None:
    # A tree that is one leaf explains nothing: its value is in the expected value.
    if not leaf.columns:
        return
    other = (True, sibling.node.value, sibling.ratios[-1]) if sibling else (False, 0.0, 0.0)
    rows.paths.append((len(leaf.columns), len(rows.features), leaf.slot, leaf.node.value, *other))
    rows.features += [int(rows.owner[column]) for column in leaf.columns]
    rows.ratios += leaf.ratios


def _expected(root: TreeNode) -> float:
    return float(sum(leaf.value * (leaf.cover / root.cover) for leaf in root.get_all_leaves()))


def _as_forest(rows: _Rows, expected: float) -> Forest:
    splits = Splits._make([np.array(rows.split_start), *_columns(rows.splits, Splits)])
    values = _columns(rows.paths, Paths)
    table_start, n_values = _table_places(values[0])
    features, ratios = np.array(rows.features, dtype=np.int64), np.array(rows.ratios, dtype=np.float64)
    paths = Paths._make([np.array(rows.path_start), *values, table_start, features, ratios])
    return Forest(splits, paths, expected, rows.n_slots, n_values)


_DTYPES: Final = {
    Splits: (np.int64, np.float64, np.bool_, np.uint32, np.uint32, np.int64, np.int64, np.int64),
    Paths: (np.int64, np.int64, np.int64, np.float64, np.bool_, np.float64, np.float64),
}


def _columns(rows: list[tuple[Any, ...]], table: type) -> list[npt.NDArray[Any]]:
    columns = zip(*rows, strict=True) if rows else [()] * len(_DTYPES[table])
    return [np.array(column, dtype=dtype) for column, dtype in zip(columns, _DTYPES[table], strict=True)]


def _table_places(length: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], int]:
    """Return where each path's table starts (-1 = none) and the length of all tables.

    Short paths come first: the longest length is tabled up to which all tables fit.
    """
    sizes = length << length
    for longest in range(MAX_TABLE_COLUMNS, -1, -1):
        is_tabled = length <= longest
        total = int(sizes[is_tabled].sum())
        if total <= MAX_TABLE_VALUES:
            break
    places = np.cumsum(np.where(is_tabled, sizes, 0)) - sizes
    return np.where(is_tabled, places, -1), total
