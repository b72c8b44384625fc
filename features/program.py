"""What one walk carries, records and writes, put together from the outputs that are asked for.

Signals, left edges, totals and columns are numbered as the outputs ask for them, each once; so
features that look at the same rows or the same window share what the sweep does for them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from features import kernel_outputs as out
from features import moments
from features.bucket import BucketTable
from features.columns import frozen, stacked
from features.conditions import Conditions
from features.kernel_inputs import MOST_SIGNALS, Program, Rows
from features.plan import LAST_MOMENT, Closing, Output
from features.timeline import Int64Array

_Item = TypeVar("_Item", bound=Hashable)
_Edge: TypeAlias = "tuple[int, Closing | None]"

_FORMS = {
    "count": (out.AMOUNT, "count", ""),
    "sum": (out.AMOUNT, "sum", ""),
    "mean": (out.MEAN, "sum", ""),
    "distinct": (out.AMOUNT, "distinct", ""),
    "first": (out.NUMBER, "first", ""),
    "last": (out.NUMBER, "last", ""),
    "days_since_first": (out.DAYS_SINCE, "first", ""),
    "days_since_last": (out.DAYS_SINCE, "last", ""),
    "mean_gap": (out.MEAN_GAP, "first", "last"),
    "overdue": (out.OVERDUE, "first", "last"),
    "trend": (out.TREND, "count", "long count"),
    "open_count": (out.AMOUNT, "count", ""),
    "open_sum": (out.AMOUNT, "sum", ""),
    "open_age": (out.DAYS_SINCE, "first", ""),
    LAST_MOMENT: (out.MOMENT, "last", ""),
}
"""Per kind of output: its operation, and which two of the recorded numbers it works on."""


@dataclass(frozen=True)
class _Recorded:
    """One number that is recorded per snapshot: a count, a sum, distinct values, a first or last row."""

    what: str
    where: Conditions
    edge: _Edge | None
    column: str = ""


def walks(outputs: Sequence[Output]) -> list[list[Output]]:
    """Return the outputs of a table in as few walks as the signals' bits allow."""
    found: list[list[Output]] = []
    signals: set[Conditions] = set()
    for output in outputs:
        signals.add(output.where)
        if not found or len(signals) > MOST_SIGNALS:
            signals = {output.where}
            found.append([])
        found[-1].append(output)
    return found


class Assembly:
    """The parts of one walk, numbered.

    Args:
        outputs: What the walk writes: see `is_code` for the order of its two blocks.

    Attributes:
        signals: Conditions of each signal.
        closings: What closes open rows, in the order of ``Asked.since``.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        self.signals = _numbered(output.where for output in outputs)
        self.closings = _numbered(output.since for output in outputs if output.since)
        self._edges = _numbered(edge for output in outputs for edge in (_edge(output), _long_edge(output)))
        recorded = _numbered(key for output in outputs for key in _recorded(output))
        self._counted = _numbered((key.where, key.column) for key in recorded if key.what == "distinct")
        self._firsts = [key for key in recorded if key.what == "first"]
        self._listed = _numbered(key.where for key in recorded if key.what in ("first", "last"))
        self._summed = _numbered((key.where, key.column) for key in recorded if key.what == "sum")
        self._totals = _numbered([*((where, "") for where in self.signals), *self._summed])
        self._sums = _numbered(column for _, column in self._summed)
        read = [output for output in outputs if output.kind in ("first", "last")]
        self._numbers = _numbered(output.column for output in read if not is_code(output))
        categories = [column for _, column in self._counted] + [o.column for o in read if is_code(o)]
        self._codes = _numbered(categories)

    def rows(self, table: BucketTable) -> Rows:
        """Return the columns of *table* that the walk reads."""
        return Rows(
            *table.times(),
            frozen(self._bits(table)),
            stacked([table.integers(column) for column in self._sums], rows=len(table), dtype=np.int64),
            stacked([table.codes(column) for column in self._codes], rows=len(table), dtype=np.int32),
            stacked([table.floats(column) for column in self._numbers], rows=len(table), dtype=np.float64),
        )

    def n_levels(self, table: BucketTable) -> int:
        """Return how many levels are counted, over all that is counted."""
        return sum(len(table.levels(column)) for _, column in self._counted)

    def program(self, table: BucketTable, data_from: Callable[[Closing | None], int]) -> Program:
        """Return what the walk does.

        Args:
            table: The table walked.
            data_from: Gives the first moment of the data that rows open since a closing need.
        """
        begins = np.cumsum([0, *(len(table.levels(column)) for _, column in self._counted)])
        return Program(
            summed=_array(((self.signals[where], self._sums[c]) for where, c in self._summed), columns=2),
            listed=_array(((self.signals[where],) for where in self._listed), columns=1),
            edges=_array(
                (
                    (window * moments.DAY, data_from(since), self.closings[since] if since else -1)
                    for window, since in self._edges
                ),
                columns=3,
            ),
            counted=_array(
                ((self.signals[where], self._codes[column], begins[c]) for (where, column), c in self._counted.items()),
                columns=3,
            ),
            firsts=_array(((self._number_of_edge(key), self._listed[key.where]) for key in self._firsts), columns=2),
            ops=self._ops(table),
        )

    def _bits(self, table: BucketTable) -> Int64Array:
        """Return which signals each row belongs to, bit by bit; put together in bytes, which is quicker."""
        bits = np.zeros(len(table), dtype=np.int64)
        signals = list(self.signals)
        for first in range(0, len(signals), 8):
            byte = np.zeros(len(table), dtype=np.uint8)
            for bit, where in enumerate(signals[first : first + 8]):
                byte |= table.mask(where).view(np.uint8) << bit
            bits |= byte.astype(np.int64) << first
        return bits

    def _ops(self, table: BucketTable) -> Int64Array:
        """Return the rows of ``ops``: numbers and codes are each written from row 0 on."""
        ops = np.zeros((len(self._outputs), out.N_FIELDS), dtype=np.int64)
        n_written = {True: 0, False: 0}
        for op, output in zip(ops, self._outputs, strict=True):
            operation, _, _ = _FORMS[output.kind]
            places = [self._place(key) for key in _recorded(output)]
            op[out.OPERATION] = out.CODE if is_code(output) else operation
            op[out.OUT] = n_written[is_code(output)]
            op[out.EDGE], op[out.OTHER_EDGE] = self._edges[_edge(output)], self._edges[_long_edge(output)]
            op[out.COUNT], op[out.VALUE], op[out.OTHER] = places[0], places[1], places[-1]
            op[out.COLUMN] = self._column(output, table)
            n_written[is_code(output)] += 1
        return frozen(ops)

    def _column(self, output: Output, table: BucketTable) -> int:
        """Return the column that an output reads, or what its sum is divided by."""
        if output.kind in ("first", "last"):
            return (self._codes if is_code(output) else self._numbers)[output.column]
        return table.divisor(output.column) if output.kind in ("sum", "mean", "open_sum") else 1

    def _place(self, key: _Recorded) -> int:
        """Return where a number is recorded, see `kernel_inputs.Walk`."""
        by_edge = len(self._totals) + len(self._counted)
        if key.what in ("count", "sum"):
            return self._number_of_edge(key) * by_edge + self._totals[key.where, key.column]
        if key.what == "distinct":
            return self._number_of_edge(key) * by_edge + len(self._totals) + self._counted[key.where, key.column]
        place = len(self._edges) * by_edge
        return place + (self._firsts.index(key) if key.what == "first" else len(self._firsts) + self._listed[key.where])

    def _number_of_edge(self, key: _Recorded) -> int:
        return self._edges[key.edge] if key.edge else 0


def is_code(output: Output) -> bool:
    """Whether an output is a category and is written to the block of codes."""
    return output.kind in ("first", "last") and output.is_category


def _recorded(output: Output) -> list[_Recorded]:
    """Return what an output needs recorded: the count of its rows, then what its operation works on."""
    _, value, other = _FORMS[output.kind]
    found = [_Recorded("count", output.where, _edge(output))]
    for what in (value, other):
        if what == "long count":
            found.append(_Recorded("count", output.where, _long_edge(output)))
        elif what == "last":
            found.append(_Recorded("last", output.where, None))
        elif what in ("sum", "distinct"):
            found.append(_Recorded(what, output.where, _edge(output), output.column))
        elif what:
            found.append(_Recorded(what, output.where, _edge(output)))
    return found


def _edge(output: Output) -> _Edge:
    return output.window, output.since


def _long_edge(output: Output) -> _Edge:
    return output.long_window or output.window, output.since


def _numbered(items: Iterable[_Item]) -> dict[_Item, int]:
    """Return each distinct item's place in the order in which they come."""
    return {item: place for place, item in enumerate(dict.fromkeys(items))}


def _array(rows: Iterable[Iterable[object]], *, columns: int) -> npt.NDArray[np.int64]:
    return frozen(np.asarray([tuple(row) for row in rows], dtype=np.int64).reshape(-1, columns))
