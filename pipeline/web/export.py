"""The list as CSV, made safe for spreadsheets (`pipeline.spreadsheets`)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from pipeline.published.editions import Edition
from pipeline.published.list_columns import PERSONAL
from pipeline.spreadsheets import safe
from pipeline.web.listing import Standing, standings_of, words_of
from pipeline.web.visit import Visit

COLUMNS: Final = (
    "rank", "lead_id", "display_name", "company", "owner", "email", "phone", "source", "campaign", "score",
    "previous_score", "probability", "probability_low", "probability_high", "grade", "temperature", "cell", "stage",
    "action", "channel", "segments", "held", "reason_code", "reasons", "as_of", "trigger_id",
)  # fmt: skip
LEAVE_ALONE: Final = "leave_alone"
"""The action of a lead that is held, in a file."""
_BLOCK: Final = 2_000


def csv_of(batches: Iterator[pa.RecordBatch], visit: Visit, edition: Edition) -> Iterator[str]:
    """Return the rows of *batches* as CSV, a block at a time, the columns' names first.

    The first batch is read at once: what cannot be read is told before an answer has begun.
    """
    first = list(islice(batches, 1))
    return _blocks(chain(first, batches), visit, edition)


def _blocks(batches: Iterable[pa.RecordBatch], visit: Visit, edition: Edition) -> Iterator[str]:
    allowed = visit.house.settings.app.personal
    columns = [name for name in COLUMNS if name not in PERSONAL or name in allowed]
    yield "\ufeff" + _lines([columns])  # spreadsheets take it as the sign of UTF-8
    for batch in batches:
        for start in range(0, batch.num_rows, _BLOCK):
            yield _lines(_cells(batch.slice(start, _BLOCK), columns, visit, edition))


def export_name(as_of: datetime, zone: str) -> str:
    """Return the name of the file."""
    return f"leads_{as_of.astimezone(ZoneInfo(zone)):%Y-%m-%d}.csv"


def _cells(batch: pa.RecordBatch, columns: list[str], visit: Visit, edition: Edition) -> Iterator[list[str]]:
    scorer = visit.house.words.of(edition.run.model_version)
    rows = batch.to_pylist()
    standings = standings_of(visit, [row["lead_id"] for row in rows])
    for row in rows:
        row["held"] = standings.get(row["lead_id"], Standing()).held(row.get("held") or ())
        if row["held"]:  # whoever works through a file must not have to read two columns
            row |= {"action": LEAVE_ALONE, "channel": None}
        row["reasons"] = "; ".join(
            f"{why.text} ({why.points:+d})" for why in words_of(row.get("reasons"), scorer, visit)
        )
        yield [_cell(row.get(name)) for name in columns]


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return safe("; ".join(map(str, value)))
    return safe(value) if isinstance(value, str) else str(value)


def _lines(rows: Any) -> str:  # noqa: ANN401 - any rows of cells
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
