"""What the walk must record at each snapshot, so that an output can be written from it.

An output ("mean order value in the last 30 days") is one operation (a mean) on at most three recorded numbers: the
count of its rows, and one or two more (the sum of their amounts). Outputs that need the same number share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from features import kernel_outputs as out
from features.conditions import Conditions
from features.kernel_inputs import OCCURRED
from features.plan import LAST_MOMENT, Closing, Output


@dataclass(frozen=True)
class Edge:
    """The left edge of a window.

    Attributes:
        window: Days, 0 = ever.
        since: What closes what was open before; None = nothing does.
        is_partial: Whether the window holds what there is where it reaches before the data; else it is missing.
    """

    window: int
    since: Closing | None = None
    is_partial: bool = False


@dataclass(frozen=True)
class Recorded:
    """One number that is recorded per snapshot.

    Attributes:
        what: ``count``, ``sum``, ``distinct``, ``decayed``, ``first`` (a row) or ``last`` (a row).
        where: The signal.
        edge: Since which edge; None for the last row, which is the same for all.
        column: What is summed, or whose distinct values are counted; else empty.
        half_life: For ``decayed``: days after which a row counts half.
    """

    what: str
    where: Conditions
    edge: Edge | None
    column: str = ""
    half_life: int = 0


class _Form(NamedTuple):
    """How an output is made: its operation, and what that works on besides the count; see `features.kernel_outputs`."""

    operation: int
    value: str
    other: str = ""


_LONG_COUNT = "count in the long window"
_OCCURRED = "sum of the times"

_FORMS = {
    "count": _Form(out.AMOUNT, "count"),
    "sum": _Form(out.AMOUNT, "sum"),
    "mean": _Form(out.MEAN, "sum"),
    "distinct": _Form(out.AMOUNT, "distinct"),
    "first": _Form(out.NUMBER, "first"),
    "last": _Form(out.NUMBER, "last"),
    "days_since_first": _Form(out.DAYS_SINCE, "first"),
    "days_since_last": _Form(out.DAYS_SINCE, "last"),
    "mean_gap": _Form(out.MEAN_GAP, "first", "last"),
    "overdue": _Form(out.OVERDUE, "first", "last"),
    "trend": _Form(out.TREND, "count", _LONG_COUNT),
    "open_count": _Form(out.AMOUNT, "count"),
    "open_sum": _Form(out.AMOUNT, "sum"),
    "open_age": _Form(out.DAYS_SINCE, "first"),
    "decayed_linear": _Form(out.DECAYED, _OCCURRED),
    "decayed_half_life": _Form(out.AMOUNT, "decayed"),
    LAST_MOMENT: _Form(out.MOMENT, "last"),
}


def operation_of(output: Output) -> int:
    """Return the operation of `features.kernel_outputs` that writes *output*."""
    return out.CODE if is_code(output) else _FORMS[output.kind].operation


def is_code(output: Output) -> bool:
    """Whether an output is a category and is written to the block of codes."""
    return output.kind in ("first", "last") and output.is_category


def edge_of(output: Output) -> Edge:
    """Return the left edge of an output's window."""
    return Edge(output.window, output.since, output.is_partial)


def long_edge_of(output: Output) -> Edge:
    """Return the left edge of a trend's longer window; of any other output the one it has."""
    return Edge(output.long_window or output.window, output.since, output.is_partial)


def recorded_for(output: Output) -> list[Recorded]:
    """Return what an output needs recorded: the count of its rows, then what its operation works on."""
    _, value, other = _FORMS[output.kind]
    operands = [_operand(what, output) for what in (value, other) if what]
    return [Recorded("count", output.where, edge_of(output)), *operands]


def _operand(what: str, output: Output) -> Recorded:
    if what == _LONG_COUNT:
        return Recorded("count", output.where, long_edge_of(output))
    if what == _OCCURRED:
        return Recorded("sum", output.where, edge_of(output), OCCURRED)
    if what == "decayed":
        return Recorded("decayed", output.where, edge_of(output), half_life=output.half_life)
    if what == "last":
        return Recorded("last", output.where, None)
    column = output.column if what in ("sum", "distinct") else ""
    return Recorded(what, output.where, edge_of(output), column)
