"""What is told of a whole run: who moved most, what each group expects, how scores are spread."""

# ruff: noqa: S608 - names of columns are ours; whatever comes from outside is bound

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from features.errors import LeadlightError, nearest, wrong_input
from pipeline.published.finder import Finder
from pipeline.published.rows import ListRow

GROUPS: Final = (
    "grade", "temperature", "stage", "segment", "source", "campaign", "owner", "action", "channel", "cell", "play",
)  # fmt: skip
"""What leads can be counted by."""
POINTS_A_COLUMN: Final = 5
_MOVED: Final = {
    "risers": ("change > 0", "change DESC"),
    "fallers": ("change < 0", "change"),
    "newly_hot": ("temperature = 'hot' AND previous_temperature <> 'hot'", "position"),
    "gone_cold": ("temperature = 'cold' AND previous_temperature <> 'cold'", "change"),
}


@dataclass(frozen=True)
class Movers:
    """Leads that moved since the run before.

    Attributes:
        risers: The greatest rises first.
        fallers: The greatest falls first.
        newly_hot: Hot now and not before, best rank first.
        gone_cold: Cold now and not before, greatest falls first.
    """

    risers: list[ListRow]
    fallers: list[ListRow]
    newly_hot: list[ListRow]
    gone_cold: list[ListRow]


@dataclass(frozen=True)
class Group:
    """Leads that share a value.

    Attributes:
        value: The value; empty = not known.
        leads: How many.
        expected_conversions: Sum of their probabilities; None where none has one.
    """

    value: str
    leads: int
    expected_conversions: float | None


@dataclass(frozen=True)
class ScoreColumn:
    """One column of the distribution: leads with a score from *start* to *end*, both included."""

    start: int
    end: int
    leads: int


def moved(finder: Finder, path: Path, most: int) -> dict[str, np.ndarray]:
    """Return the positions of those who moved, at most *most* of each kind of `Movers`."""
    found = {}
    for name, (condition, order) in _MOVED.items():
        query = f"SELECT position FROM read_parquet(?) WHERE {condition} ORDER BY {order}, position LIMIT ?"
        rows = finder.rows(path, query, most)
        found[name] = np.array([position for (position,) in rows], dtype=np.int64)
    return found


def groups(finder: Finder, path: Path, column: str) -> list[Group]:
    """Return leads and expected conversions by a column of `GROUPS`, most leads first.

    Raises:
        LeadlightError: There is no such column.
    """
    if column not in GROUPS:
        raise _no_such_group(column)
    value = "unnest(segments)" if column == "segment" else column
    query = f"""
        SELECT coalesce(value, ''), count(*) AS leads, sum(probability)
        FROM (SELECT {value} AS value, probability FROM read_parquet(?))
        GROUP BY 1 ORDER BY leads DESC, 1
    """
    return [Group(*row) for row in finder.rows(path, query)]


def spread(finder: Finder, path: Path) -> list[ScoreColumn]:
    """Return how many leads have which score, in columns of `POINTS_A_COLUMN` from 0 to 100; the last holds 100 too."""
    last = 100 // POINTS_A_COLUMN - 1
    query = """
        WITH scored AS (SELECT score FROM read_parquet(?) WHERE score IS NOT NULL)
        SELECT least(score // ?, ?)::INTEGER, count(*) FROM scored GROUP BY 1
    """
    counts = dict(finder.rows(path, query, POINTS_A_COLUMN, last))
    return [
        ScoreColumn(
            start=POINTS_A_COLUMN * place,
            end=100 if place == last else POINTS_A_COLUMN * (place + 1) - 1,
            leads=counts.get(place, 0),
        )
        for place in range(last + 1)
    ]


def _no_such_group(column: str) -> LeadlightError:
    near = nearest(column, GROUPS)
    fact = "Leads cannot be counted by that" + (f"; did you mean '{near}'?" if near else ".")
    return wrong_input(fact, hint=f"they are counted by one of {', '.join(GROUPS)}.")
