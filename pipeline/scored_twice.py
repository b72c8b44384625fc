"""The leads of two stored runs side by side, in the parts in which they are read again."""

# ruff: noqa: S608 - this module writes SQL; every value is a parameter

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.moment_type import MOMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_OF_A_RUN: Final = {"as_of": MOMENT, "score": pa.int64(), "points_total": pa.int64(), "features_hash": pa.string()}
PAIRS: Final = pa.schema(
    {
        "lead_id": pa.string(),
        "trigger_id": pa.string(),
        "in_old": pa.bool_(),
        "in_new": pa.bool_(),
        **{f"old_{name}": kind for name, kind in _OF_A_RUN.items()},
        **{f"new_{name}": kind for name, kind in _OF_A_RUN.items()},
    }
)
"""One row per lead and trigger of either run; what a run does not have of it is null."""


@dataclass(frozen=True)
class StoredScore:
    """What is stored of one lead (and trigger) in one run.

    Attributes:
        as_of: The moment of its snapshot (aware).
        score: 0–100; None where a reason code stands instead.
        points_total: Hundredths; None where a reason code stands instead.
        features_hash: What was read of the lead; None where only the score is kept, and its run is gone.
        points: Hundredths per feature; empty where they are not at hand.
    """

    as_of: datetime
    score: int | None
    points_total: int | None
    features_hash: str | None
    points: Mapping[str, int]


def stored_score(path: Path, lead_id: str, trigger_id: str | None) -> StoredScore | None:
    """Return what the run in the file *path* has of a lead, or None."""
    is_lead, trigger = pc.field("lead_id") == lead_id, pc.field("trigger_id")
    same_trigger = trigger.is_null() if trigger_id is None else trigger == trigger_id
    columns = [*_OF_A_RUN, "points"]
    found = pq.read_table(path, columns=columns, filters=is_lead & same_trigger, partitioning=None).to_pylist()
    return StoredScore(**{**found[0], "points": found[0]["points"] or {}}) if found else None


def one_pair(lead_id: str, trigger_id: str | None, old: StoredScore | None, new: StoredScore | None) -> pa.Table:
    """Return one lead of two runs as `PAIRS`."""
    row: dict[str, object] = {"lead_id": lead_id, "trigger_id": trigger_id}
    for which, score in (("old", old), ("new", new)):
        row[f"in_{which}"] = score is not None
        row |= {f"{which}_{name}": getattr(score, name, None) for name in _OF_A_RUN}
    return pa.Table.from_pylist([row], schema=PAIRS)


def all_pairs(old: Path, new: Path, *, parts: int) -> Sequence[pa.Table]:
    """Return the leads of two runs as `PAIRS`, one table per part; see `pipeline.replay.Replay.parts`.

    Args:
        old: The file of the older run.
        new: The file of the newer run.
        parts: How many parts.
    """
    import duckdb

    keys = ", ".join(f"coalesce(old.{name}, new.{name}) AS {name}" for name in ("lead_id", "trigger_id"))
    columns = ", ".join(f"{which}.{name} AS {which}_{name}" for which in ("old", "new") for name in _OF_A_RUN)
    query = f"""
        SELECT {keys}, old.as_of IS NOT NULL AS in_old, new.as_of IS NOT NULL AS in_new, {columns},
            (md5_number_lower(coalesce(old.lead_id, new.lead_id)) % $parts)::INTEGER AS part
        FROM read_parquet($old, hive_partitioning = false) AS old
        FULL JOIN read_parquet($new, hive_partitioning = false) AS new
            ON old.lead_id = new.lead_id AND old.trigger_id IS NOT DISTINCT FROM new.trigger_id
        ORDER BY part, 1, 2
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.sql(query, params={"old": str(old), "new": str(new), "parts": parts}).to_arrow_table()
    counts = {row["values"]: row["counts"] for row in found["part"].value_counts().to_pylist()}
    tables, begin = [], 0
    for part in range(parts):
        tables.append(found.slice(begin, counts.get(part, 0)).select(PAIRS.names).cast(PAIRS))
        begin += counts.get(part, 0)
    return tables
