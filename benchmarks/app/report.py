"""What the readers saw, as figures against the bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.app.mix import KINDS, LIST_KINDS

LIST_P95_MS, LEAD_P95_MS, MOST_GB = 150.0, 100.0, 1.5


def judged(found: Mapping[str, Any], nights: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures, and whether they keep the bounds.

    Args:
        found: What the reading process printed: seconds per kind, errors, mixed answers, editions, memory.
        nights: What the nightly run printed.
    """
    seconds: Mapping[str, list[float]] = found["seconds"]
    of_lists = [value for kind in LIST_KINDS for value in seconds.get(kind, [])]
    rows = {"list": of_lists, **{kind: seconds.get(kind, []) for kind in KINDS}}
    told: dict[str, Any] = {
        "asks": {name: len(values) for name, values in rows.items()},
        "median_ms": {name: _at(values, 50) for name, values in rows.items()},
        "p95_ms": {name: _at(values, 95) for name, values in rows.items()},
        "most_ms": {name: _at(values, 100) for name, values in rows.items()},
        "errors": len(found["errors"]),
        "first_errors": found["errors"][:3],
        "mixed": found["mixed"],
        "editions": found["editions"],
        "peak_gb": round(found["peak_gb"], 3),
        "nights": list(nights),
    }
    for name in ("seen", "inside"):
        if name in found:
            told[f"{name}_p95_ms"] = _p95_of(found[name])
    # Readers who never saw the scores replaced have not been measured beside a nightly run.
    told["is_replaced"] = told["editions"] > 1
    told["is_within_bounds"] = (
        told["is_replaced"]
        and told["p95_ms"]["list"] <= LIST_P95_MS
        and told["p95_ms"]["lead"] <= LEAD_P95_MS
        and not told["errors"]
        and not told["mixed"]
        and told["peak_gb"] <= MOST_GB
    )
    return told


def _p95_of(seconds: Mapping[str, list[float]]) -> dict[str, float | None]:
    of_lists = [value for kind in LIST_KINDS for value in seconds.get(kind, [])]
    return {"list": _at(of_lists, 95), **{kind: _at(seconds.get(kind, []), 95) for kind in KINDS}}


def _at(values: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)) * 1000, 1) if values else None


def table_of(told: Mapping[str, Any], way: str) -> Table:
    """Return the table for people."""
    heads = ("", "asks", "median, ms", "p95, ms", "most, ms", "p95 at most", "p95 inside", "p95 as seen")
    table = Table(*heads, title=f"pages under load, over {way}")
    bounds = {"list": f"{LIST_P95_MS:.0f}", "lead": f"{LEAD_P95_MS:.0f}"}
    for name, asks in told["asks"].items():
        figures = [str(told[of][name]) for of in ("median_ms", "p95_ms", "most_ms")]
        beside = [str(told.get(of, {}).get(name, "")) for of in ("inside_p95_ms", "seen_p95_ms")]
        table.add_row(name, f"{asks:,}", *figures, bounds.get(name, ""), *beside)
    table.caption = (
        f"{told['errors']} errors, {told['mixed']} answers of two runs, {told['editions']} editions seen, "
        f"{len(told['nights'])} nights published{'' if told['is_replaced'] else ', none while readers read'}; "
        f"peak {told['peak_gb']:.2f} GB"
    )
    return table
