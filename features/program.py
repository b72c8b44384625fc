"""What one walk carries, records and writes, put together from the outputs that are asked for.

Signals, left edges, totals and columns are numbered as the outputs ask for them, each once; so features that look at
the same rows or the same window share what the sweep does for them.

Example: "orders in the last 30 days", "their mean amount" and "days since the last order, ever" become

    signals   0: sales    1: sales with an amount
    edges     0: 30 days    1: ever
    totals    0: count of signal 0    1: count of signal 1    2: sum of the amounts of signal 1
    listed    0: the rows of signal 0, because its last row is asked for
    recorded  three totals since edge 0, three totals since edge 1, the last row of list 0: seven numbers a snapshot
    ops       AMOUNT of number 0    MEAN of number 2 over number 1    DAYS_SINCE row 6, if number 3 is not zero
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from features import kernel_outputs as out
from features import moments
from features.bucket import BucketTable
from features.columns import frozen, stacked
from features.conditions import Conditions
from features.kernel_inputs import MOST_SIGNALS, OCCURRED, WHOLE_WEIGHT, Program, RecordLayout, Rows
from features.plan import Closing, Output
from features.recording import Recorded, edge_of, is_code, long_edge_of, operation_of, recorded_for
from features.timeline import Int64Array

_Item = TypeVar("_Item", bound=Hashable)


def walks(outputs: Sequence[Output]) -> list[list[Output]]:
    """Return the outputs of a table in their order, cut into walks of at most `MOST_SIGNALS` signals each."""
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
    """The parts of one walk, numbered: each dictionary gives the number of each of its keys.

    Args:
        outputs: What the walk writes: see `features.recording.is_code` for the order of its two blocks.

    Attributes:
        signals: Conditions of each signal.
        closings: What closes open rows, in the order of ``Asked.since``.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        self.signals = _numbered(output.where for output in outputs)
        self.closings = _numbered(output.since for output in outputs if output.since)
        self._edges = _numbered(edge for output in outputs for edge in (edge_of(output), long_edge_of(output)))
        recorded = _numbered(number for output in outputs for number in recorded_for(output))
        self._summed = _numbered((r.where, r.column) for r in recorded if r.what == "sum")
        self._counted = _numbered((r.where, r.column) for r in recorded if r.what == "distinct")
        self._firsts = _numbered(r for r in recorded if r.what == "first")
        self._decayed = _numbered(r for r in recorded if r.what == "decayed")
        self._listed = _numbered(r.where for r in recorded if r.what in ("first", "last", "decayed"))
        # Totals are the counts, one per signal, and behind them the sums.
        self._totals = _numbered([*((where, "") for where in self.signals), *self._summed])
        self._sums = _numbered(column for _, column in self._summed)
        read = [output for output in outputs if output.kind in ("first", "last")]
        self._numbers = _numbered(output.column for output in read if not is_code(output))
        categories = [column for _, column in self._counted] + [output.column for output in read if is_code(output)]
        self._codes = _numbered(categories)
        self._layout = RecordLayout(
            n_edges=len(self._edges),
            n_totals=len(self._totals),
            n_counted=len(self._counted),
            n_firsts=len(self._firsts),
            n_listed=len(self._listed),
            n_decayed=len(self._decayed),
        )

    def rows(self, table: BucketTable) -> Rows:
        """Return the columns of *table* that the walk reads."""
        return Rows(
            *table.times,
            frozen(self._bits(table)),
            stacked([_summed(table, column) for column in self._sums], rows=len(table), dtype=np.int64),
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
                    (
                        edge.window * moments.DAY,
                        moments.ALWAYS if edge.is_partial else data_from(edge.since),
                        self.closings[edge.since] if edge.since else -1,
                    )
                    for edge in self._edges
                ),
                columns=3,
            ),
            counted=_array(
                ((self.signals[where], self._codes[column], begins[c]) for (where, column), c in self._counted.items()),
                columns=3,
            ),
            firsts=_array(((self._edge(first), self._listed[first.where]) for first in self._firsts), columns=2),
            decayed=_array(
                ((self._edge(r), self._listed[r.where], r.half_life * moments.DAY) for r in self._decayed), columns=3
            ),
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
            count, *operands = (self._place(number) for number in recorded_for(output))
            op[out.OPERATION] = operation_of(output)
            op[out.OUT] = n_written[is_code(output)]
            op[out.EDGE], op[out.OTHER_EDGE] = self._edges[edge_of(output)], self._edges[long_edge_of(output)]
            op[out.COUNT], op[out.VALUE], op[out.OTHER] = count, operands[0], operands[-1]
            op[out.COLUMN] = self._column(output, table)
            n_written[is_code(output)] += 1
        return frozen(ops)

    def _column(self, output: Output, table: BucketTable) -> int:
        """Return the column that an output reads, or what its sum is divided by."""
        if output.kind in ("first", "last"):
            return (self._codes if is_code(output) else self._numbers)[output.column]
        if output.kind == "decayed_half_life":
            return WHOLE_WEIGHT
        return table.divisor(output.column) if output.kind in ("sum", "mean", "open_sum") else 1

    def _place(self, number: Recorded) -> int:
        """Return where a number is recorded."""
        if number.what in ("count", "sum"):
            return self._layout.total(self._edge(number), self._totals[number.where, number.column])
        if number.what == "distinct":
            return self._layout.distinct(self._edge(number), self._counted[number.where, number.column])
        if number.what == "first":
            return self._layout.first(self._firsts[number])
        if number.what == "decayed":
            return self._layout.decayed(self._decayed[number])
        return self._layout.last(self._listed[number.where])

    def _edge(self, number: Recorded) -> int:
        return self._edges[number.edge] if number.edge else 0


def _summed(table: BucketTable, column: str) -> Int64Array:
    return table.milliseconds if column == OCCURRED else table.integers(column)


def _numbered(items: Iterable[_Item]) -> dict[_Item, int]:
    """Return each distinct item's place in the order in which they come."""
    return {item: place for place, item in enumerate(dict.fromkeys(items))}


def _array(rows: Iterable[Iterable[object]], *, columns: int) -> npt.NDArray[np.int64]:
    return frozen(np.asarray([tuple(row) for row in rows], dtype=np.int64).reshape(-1, columns))
