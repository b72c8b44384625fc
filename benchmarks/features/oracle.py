"""A slow, obvious loop that computes the 36 features of some leads from the raw rows.

It shares nothing with the contestants but the files: plain Python, one row and one snapshot after
the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.features.cases import MICROSECONDS_PER_DAY, WINDOW_DAYS, Case

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, object]
Value = float | str | None


def features(folder: Path, case: Case, leads: Sequence[int]) -> dict[tuple[int, int], dict[str, Value]]:
    """Return the features of *leads* by (lead_no, as_of in microseconds); None is missing.

    Args:
        folder: The generated files; only the first bucket is read.
        case: The snapshots asked for.
        leads: Numbers of leads in the first bucket.
    """
    rows = _rows(folder / "events" / "bucket-0000.parquet", leads)
    found: dict[tuple[int, int], dict[str, Value]] = {}
    for lead in leads:
        mine = [row for row in rows if row["lead_no"] == lead]
        for as_of in case.as_of_us:
            found[lead, as_of] = _snapshot(mine, as_of)
    return found


def _rows(path: Path, leads: Sequence[int]) -> list[Row]:
    table = pq.read_table(path)
    some = table.filter(pc.is_in(table["lead_no"], pa.array(leads, type=pa.int64())))
    times = ("occurred_at", "known_at", "superseded_at")
    for name in times:
        place = some.schema.get_field_index(name)
        some = some.set_column(place, name, some[name].cast(pa.int64()))
    return [dict(row) for row in some.to_pylist()]


def _snapshot(rows: list[Row], as_of: int) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for days in WINDOW_DAYS:
        seen = [row for row in rows if _is_in_window(row, as_of, days)]
        seen.sort(key=lambda row: (row["occurred_at"], row["known_at"], row["row_id"]))
        found |= {f"{name}_{days}d": value for name, value in _window(seen, as_of).items()}
    return found


def _is_in_window(row: Row, as_of: int, days: int) -> bool:
    occurred, known, superseded = (row[name] for name in ("occurred_at", "known_at", "superseded_at"))
    is_visible = known < as_of and (superseded is None or as_of <= superseded)  # type: ignore[operator]
    return is_visible and as_of - days * MICROSECONDS_PER_DAY <= occurred < as_of  # type: ignore[operator]


def _window(seen: list[Row], as_of: int) -> dict[str, Value]:
    times = [int(str(row["occurred_at"])) for row in seen]
    bought = [row for row in seen if row["type"] == "purchase"]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return {
        "count_all": float(len(seen)),
        **{f"count_{kind}": float(sum(row["type"] == kind for row in seen)) for kind in ("view", "cart", "purchase")},
        "distinct_category": float(len({row["category"] for row in seen})),
        "sum_value_all": sum(int(str(row["value"])) for row in seen) / 10_000,
        "sum_value_purchase": sum(int(str(row["value"])) for row in bought) / 10_000,
        "mean_gap_days": sum(gaps) / len(gaps) / MICROSECONDS_PER_DAY if gaps else None,
        "days_since_last": (as_of - times[-1]) / MICROSECONDS_PER_DAY if seen else None,
        "days_since_first": (as_of - times[0]) / MICROSECONDS_PER_DAY if seen else None,
        "first_source": str(seen[0]["source"]) if seen else None,
        "last_source": str(seen[-1]["source"]) if seen else None,
    }
