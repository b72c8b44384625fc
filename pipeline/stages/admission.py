"""Admission: the rows of every source staged and judged, all tables before any row is let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from features.errors import LeadlightError, wrong_input
from pipeline.progress import Progress
from pipeline.sources.staging import Staged, stage
from pipeline.stages.intake import Incoming

_SHOWN = 12


def stage_all(
    connection: duckdb.DuckDBPyConnection,
    incoming: Sequence[Incoming],
    *,
    folder: Path,
    max_rejected_share: float,
    progress: Progress,
) -> dict[str, Staged]:
    """Return every source's staged rows by its name.

    Raises:
        LeadlightError: Tables are empty or have too many unfit rows (all at once), or one is in another encoding.
    """
    staged = {}
    for done, source in enumerate(incoming):
        progress(f"reading {source.table}", done, len(incoming))
        with readable_csv(f"table '{source.table}'", source.source.encoding):
            staged[source.name] = stage(
                connection,
                source.relation,
                source.reading,
                path=folder / "staged" / f"{source.name}.parquet",
                rejects=folder / "rejects" / f"{source.name}.csv",
            )
    progress("reading", len(incoming), len(incoming))
    if faults := [line for source in incoming for line in _row_faults(source, staged[source.name], max_rejected_share)]:
        raise _too_many_rejected(faults, max_rejected_share)
    return staged


@contextmanager
def readable_csv(what: str, encoding: str) -> Iterator[None]:
    """Say which source's text cannot be read, and why, instead of how DuckDB puts it.

    Args:
        what: The source, for messages: "table 'orders'".
        encoding: What the config says of it.
    """
    try:
        yield
    except duckdb.InvalidInputException as error:
        if "encoded" in str(error):
            raise _not_that_encoding(what, encoding) from error
        if "CSV" not in str(error):
            raise
        raise _not_one_shape(what, error) from error


def _row_faults(source: Incoming, staged: Staged, max_share: float) -> list[str]:
    if not staged.rows_read and source.record is None and not source.source.crm:
        return [f"{source.table}: is empty: its source has no rows"]
    if staged.overflowing:
        names = ", ".join(staged.overflowing)
        return [
            f"{source.table}: the sum of {names} is too large to be exact: is it in the shop's currency, in seconds?"
        ]
    if staged.rejected <= max_share * staged.rows_read:
        return []
    share = staged.rejected / staged.rows_read
    head = f"{source.table}: {staged.rejected:,} of {staged.rows_read:,} rows ({share:.1%}) would be rejected"
    reasons = [
        f"{source.table}:   {count:,} rows: {reason}{_remedy(reason)}" for reason, count in staged.faults.items()
    ]
    return [head, *reasons[:_SHOWN]]


_REMEDIES = {
    "is negative": "map refunds as cancelled orders, or leave them out",
    "is not a time": "give tables.*.columns.NAME a format, such as {column: day, format: '%d/%m/%Y'}",
    "later than the load": "check shop.time_zone, the unit of times, or the format's order of day and month",
    "is not a number": "set tables.*.decimal to ',' if numbers are written 1.234,50",
    "lead_id is empty": "rows of nobody cannot be used; map visitor_id and identities, or leave them out",
    "malformed": "check tables.*.delimiter, tables.*.encoding and the quotes around texts",
    "is not finite": "leave rows with infinite or missing amounts out",
}


def _remedy(reason: str) -> str:
    return next((f" ({remedy})" for sign, remedy in _REMEDIES.items() if sign in reason), "")


def _not_that_encoding(what: str, encoding: str) -> LeadlightError:
    return wrong_input(
        f"The rows of {what} are not {encoding} as far as it can be read.",
        hint="save its files as UTF-8 and drop `encoding` from the config; of UTF-16, emoji cannot be read.",
    )


def _too_many_rejected(faults: Sequence[str], max_share: float) -> LeadlightError:
    hint = f"mend the rows, or raise ingest.max_rejected_share (now {max_share:g}). Nothing was written."
    return wrong_input("Too many rows cannot be used:", faults, hint=hint)


def _not_one_shape(what: str, error: duckdb.Error) -> LeadlightError:
    where = [line for line in str(error).splitlines() if line.strip()][:1]
    hint = "are line ends mixed (Windows and Unix), or is a quote left open? Save it anew with one kind of line end."
    return wrong_input(f"The source of {what} cannot be read as CSV:", where, hint=hint)
