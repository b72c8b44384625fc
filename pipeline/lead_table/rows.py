"""The rows of a table of leads, judged one by one, and put together with those of before.

Within one file a lead stands once; equal rows count once, and different ones are refused. Of several files the one
whose name sorts last holds, and of several loads the newest. A lead keeps the place of its first row.
"""

# ruff: noqa: S608 - names are quoted and texts escaped; nothing of a user's reaches SQL otherwise

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.facts import FUTURE, NOTE, parsed_sql, too_long_sql
from features.parsing import literal, quoted
from pipeline.lead_table.intake import ATTRIBUTE, CONVERTED_AT, DATE, LABEL, LEAD_ID, PERSON, Incoming
from pipeline.settings_lead_table import LabelSettings, spellings
from pipeline.sources.relations import FILE, MALFORMED, ROW
from pipeline.sources.staging import REJECTS_KEPT, malformed_lines

EARLY = "converted before it came in"
NEITHER = "is neither a conversion nor none"
_TOLD = ("date", "label", "converted_at")
"""What is kept of every lead beside its id, its place and its attributes; times are naive UTC."""
_FAULT = "_fault_of_lead"
_EXAMPLES = 5
_FRESH_BESIDE_KEPT = "fresh LEFT JOIN kept_before USING (lead_id)"
_UNSEEN = "FROM kept_before ANTI JOIN fresh USING (lead_id)"
"""The kept leads that a reading does not have."""


@dataclass(frozen=True)
class Judged:
    """The rows of one reading.

    Attributes:
        rows_read: Rows and malformed lines.
        faults: Rows per fault.
        conflicts: Leads that one file tells differently; a few of them, where they name nobody.
        repeats: Rows equal to another of the same file.
        strange: A few outcomes that are neither a conversion nor none.
        moved_times: Local dates that do not exist and were moved forward.
        ambiguous_times: Local dates that happen twice.
    """

    rows_read: int
    faults: Mapping[str, int]
    conflicts: tuple[int, tuple[str, ...]]
    repeats: int
    strange: tuple[str, ...]
    moved_times: int
    ambiguous_times: int

    @property
    def rejected(self) -> int:
        """How many rows are turned away."""
        return sum(self.faults.values())


@dataclass(frozen=True)
class Merged:
    """What a reading changed among the kept leads.

    Attributes:
        new: Leads that were not there before.
        changed: Leads that were, and are told differently now.
        gone: Leads that were, and that the whole export no longer has.
        total: Leads that are kept now.
    """

    new: int
    changed: int
    gone: int
    total: int


def judge(connection: duckdb.DuckDBPyConnection, incoming: Incoming, label: LabelSettings) -> Judged:
    """Read every row into the temporary table ``judged``, each with its fault.

    Args:
        connection: DuckDB.
        incoming: The table.
        label: Which outcomes are conversions.
    """
    connection.execute(f"CREATE TEMP TABLE judged AS {_judged_sql(incoming, label)}")
    counted = connection.execute(f"SELECT {_FAULT}, {NOTE}, count(*) FROM judged GROUP BY ALL ORDER BY 1").fetchall()
    faults: dict[str, int] = {}
    for fault, _, count in counted:
        if fault is not None:
            faults[fault] = faults.get(fault, 0) + count
    malformed = malformed_lines(connection, incoming.relation)
    return Judged(
        rows_read=sum(count for *_, count in counted) + malformed,
        faults=faults | ({MALFORMED: malformed} if malformed else {}),
        conflicts=_conflicts(connection, incoming),
        repeats=_repeats(connection),
        strange=_strange(connection, incoming, label),
        moved_times=sum(count for fault, note, count in counted if note == 1 and fault is None),
        ambiguous_times=sum(count for fault, note, count in counted if note == 2 and fault is None),
    )


def merge(
    connection: duckdb.DuckDBPyConnection, incoming: Incoming, *, before: Path | None, is_whole: bool, path: Path
) -> Merged:
    """Write the leads of ``judged`` and those of before to the Parquet file *path*.

    Args:
        connection: DuckDB, in which `judge` has run.
        incoming: The table.
        before: The kept leads, or None at a first load.
        is_whole: Whether leads that are not in this reading are gone.
        path: Where the leads go, by place.
    """
    content = _content(incoming)
    _stage_both(connection, incoming, before)
    differs = " OR ".join(f"fresh.{name} IS DISTINCT FROM kept_before.{name}" for name in content)
    new, changed = connection.execute(
        f"SELECT count(*) FILTER (kept_before.place IS NULL), "
        f"count(*) FILTER (kept_before.place IS NOT NULL AND ({differs})) FROM {_FRESH_BESIDE_KEPT}"
    ).fetchall()[0]
    gone = _count(connection, f"SELECT count(*) {_UNSEEN}") if is_whole else 0
    rows = _merged_sql(content, keeps_places=before is not None and not is_whole, keeps_unseen=not is_whole)
    connection.execute(
        f"COPY (FROM ({rows}) ORDER BY place, lead_id) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    )
    total = _count(connection, f"SELECT count(*) FROM read_parquet({literal(str(path))})")
    return Merged(new, changed, gone, total)


def _stage_both(connection: duckdb.DuckDBPyConnection, incoming: Incoming, before: Path | None) -> None:
    """Put the leads of this reading into ``fresh`` and those of before into ``kept_before``, with equal columns."""
    connection.execute(f"CREATE TEMP TABLE fresh AS {_latest_sql(['lead_id', 'place', *_content(incoming)])}")
    old = f"SELECT * FROM read_parquet({literal(str(before))})" if before else "FROM fresh LIMIT 0"
    connection.execute(f"CREATE TEMP TABLE kept_before AS {old}")
    kinds = {
        ATTRIBUTE + name: "DOUBLE" if kind == "number" else "VARCHAR" for name, kind in incoming.attributes.items()
    }
    for name, sql_type in {**kinds, **{PERSON + name: "VARCHAR" for name in incoming.people}}.items():
        # A column that the table has only since this load was unknown before.
        connection.execute(f"ALTER TABLE kept_before ADD COLUMN IF NOT EXISTS {quoted(name)} {sql_type}")


def _merged_sql(content: list[str], *, keeps_places: bool, keeps_unseen: bool) -> str:
    """Return the query of all leads: a lead keeps the place of its first row, and new ones come after the last."""
    last = "(SELECT coalesce(max(place), 0) FROM kept_before)"
    order = "row_number() OVER (PARTITION BY kept_before.place IS NULL ORDER BY fresh.place)"
    place = f"coalesce(kept_before.place, {last} + {order})" if keeps_places else "fresh.place"
    columns = ", ".join(f"fresh.{name}" for name in content)
    rows = f"SELECT lead_id, {place} AS place, {columns} FROM {_FRESH_BESIDE_KEPT}"
    if keeps_unseen:
        rows += f" UNION ALL SELECT {', '.join(['lead_id', 'place', *content])} {_UNSEEN}"
    return rows


def _content(incoming: Incoming) -> list[str]:
    """Return the kept columns in which two rows of a lead may differ."""
    attributes = (quoted(ATTRIBUTE + name) for name in incoming.attributes)
    return [*_TOLD, *attributes, *(quoted(PERSON + name) for name in incoming.people)]


def vanished(connection: duckdb.DuckDBPyConnection, before: Path) -> int:
    """Return how many kept leads the reading does not have."""
    old = f"read_parquet({literal(str(before))})"
    return _count(connection, f"SELECT count(*) FROM {old} ANTI JOIN judged USING (lead_id)")


def write_rejects(
    connection: duckdb.DuckDBPyConnection, incoming: Incoming, label: LabelSettings, *, path: Path
) -> None:
    """Write the rows with a fault to the CSV file *path*: the reason, the file, and what was read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in incoming.relation.columns)
    rows = _judged_sql(incoming, label, also=(f"{FILE} AS file", columns))
    query = f"SELECT {_FAULT} AS reason, * EXCLUDE ({_FAULT}) FROM ({rows}) WHERE {_FAULT} IS NOT NULL"
    query = f"{query} LIMIT {REJECTS_KEPT}"
    if incoming.relation.rejects:
        lines = f"SELECT {literal(MALFORMED)} AS reason, csv_line AS line FROM {quoted(incoming.relation.rejects)}"
        query = f"FROM ({query}) UNION ALL BY NAME SELECT DISTINCT * FROM ({lines})"
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT csv, HEADER)")


def _judged_sql(incoming: Incoming, label: LabelSettings, *, also: tuple[str, ...] = ()) -> str:
    """Return the query of all rows with their faults; with *also* instead of the values where that is given."""
    said = incoming.said
    place = f"row_number() OVER (ORDER BY {FILE}, {ROW})"
    lead = _value(LEAD_ID) if LEAD_ID in said else f"{place}::VARCHAR"
    values = [
        f"{place} AS place",
        f"{lead} AS lead_id",
        f"{_value(DATE) if DATE in said else 'NULL::TIMESTAMP'} AS date",
        f"{_outcome(label) if LABEL in said else 'NULL::BOOLEAN'} AS label",
        f"{_value(CONVERTED_AT) if CONVERTED_AT in said else 'NULL::TIMESTAMP'} AS converted_at",
        *(f"{_value(name)} AS {quoted(ATTRIBUTE + name)}" for name in incoming.attributes),
        *(f"{_value(PERSON + name)} AS {quoted(PERSON + name)}" for name in incoming.people),
        f"{FILE} AS file",
        *([f"{_value(LABEL)} AS outcome"] if LABEL in said else []),
        NOTE,
    ]
    parsed = parsed_sql(incoming.reading, incoming.relation.sql, keep_source=True)
    return f"SELECT {', '.join([*(also or values), f'{_fault(incoming, label)} AS {_FAULT}'])} FROM ({parsed})"


def _fault(incoming: Incoming, label: LabelSettings) -> str:
    said = incoming.said
    unreadable = "_unreadable"
    for name, column in said.items():
        unreadable = f"replace({unreadable}, {literal(name)}, {literal(column)})"
    cases = [f"WHEN _unreadable IS NOT NULL THEN {unreadable}"]
    if LEAD_ID in said:
        cases.append(f"WHEN {_value(LEAD_ID)} IS NULL THEN {literal(f'{said[LEAD_ID]} is empty')}")
        cases.append(too_long_sql(_value(LEAD_ID), said[LEAD_ID]))
    if LABEL in said:
        strange = literal(f"{said[LABEL]} {NEITHER}")
        cases.append(f"WHEN lower({_value(LABEL)}) NOT IN ({_known_outcomes(label)}) THEN {strange}")
    now = f"make_timestamp({incoming.reading.loaded_at}::BIGINT)"
    cases += [
        f"WHEN {_value(name)} > {now} THEN {literal(f'{said[name]} is {FUTURE}')}"
        for name in (DATE, CONVERTED_AT)
        if name in said
    ]
    if DATE in said and CONVERTED_AT in said:
        cases.append(f"WHEN {_value(CONVERTED_AT)} < {_value(DATE)} THEN {literal(EARLY)}")
    return f"CASE {' '.join(cases)} END"


def _outcome(label: LabelSettings) -> str:
    positive, negative = (_listed(spellings(values)) for values in (label.positive, label.negative))
    outcome = f"lower({_value(LABEL)})"
    return f"CASE WHEN {outcome} IN ({positive}) THEN TRUE WHEN {outcome} IN ({negative}) THEN FALSE END"


def _latest_sql(columns: list[str]) -> str:
    """Return the query of each lead's row in the last file that has it."""
    picked = f"row_number() OVER (PARTITION BY lead_id ORDER BY file DESC, place) = 1 AND {_FAULT} IS NULL"
    return f"SELECT {', '.join(columns)} FROM judged WHERE {_FAULT} IS NULL QUALIFY {picked}"


def _conflicts(connection: duckdb.DuckDBPyConnection, incoming: Incoming) -> tuple[int, tuple[str, ...]]:
    found = connection.execute(
        f"SELECT lead_id, count(*) OVER () FROM judged WHERE {_FAULT} IS NULL GROUP BY file, lead_id "
        f"HAVING count(*) > 1 AND count(DISTINCT md5(row({', '.join(_content(incoming))})::VARCHAR)) > 1 "
        f"ORDER BY lead_id LIMIT {_EXAMPLES}"
    ).fetchall()
    # An id may be an address: nobody's is shown.
    return (found[0][1] if found else 0), tuple(str(lead) for lead, _ in found if "@" not in str(lead))


def _repeats(connection: duckdb.DuckDBPyConnection) -> int:
    rows = f"SELECT count(*) - count(DISTINCT (file, lead_id)) FROM judged WHERE {_FAULT} IS NULL"
    return _count(connection, rows)


def _strange(connection: duckdb.DuckDBPyConnection, incoming: Incoming, label: LabelSettings) -> tuple[str, ...]:
    if LABEL not in incoming.said:
        return ()
    found = connection.execute(
        f"SELECT outcome FROM judged WHERE lower(outcome) NOT IN ({_known_outcomes(label)}) "
        # What looks like an address is nobody's business.
        f"AND NOT contains(outcome, '@') "
        f"GROUP BY outcome ORDER BY count(*) DESC, outcome LIMIT {_EXAMPLES}"
    ).fetchall()
    return tuple(str(outcome) for (outcome,) in found)


def _known_outcomes(label: LabelSettings) -> str:
    return _listed(spellings(label.positive) | spellings(label.negative) | spellings(label.open))


def _listed(words: set[str]) -> str:
    return ", ".join(literal(word) for word in sorted(words)) or "NULL"


def _value(name: str) -> str:
    return quoted(f"_value_{name}")


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
