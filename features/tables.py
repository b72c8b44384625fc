"""The canonical tables: which columns each has, what they mean, and in which unit they are kept.

A shop's own names are mapped onto these once, at the door; everything behind it speaks only
this language.

================  =======================================  ==========================
kind              what a shop hands over                   what is kept
================  =======================================  ==========================
``id``, ``text``  anything that reads as text              string
``time``          time, date or text; naive = local        timestamp[us, UTC]
``amount``        currency units, finite, >= 0             int64 in 1/10,000
``duration``      seconds, finite, >= 0                    int64 milliseconds
``count``         whole number >= 0                        int64
``number``        finite number                            float64
================  =======================================  ==========================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from features.errors import LeadlightError, nearest, wrong_input

KINDS = ("id", "text", "time", "amount", "duration", "count", "number")
"""What a column can be."""
EXTRA_KINDS = ("text", "number", "time", "date")
"""What an extra column or an attribute of a shop's own can be; a date is a time at 00:00 local."""


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes:
        name: The name that a shop maps its own onto.
        kind: One of `KINDS`.
        means: One line for the documentation.
        is_required: Whether the table is nothing without it.
        kept_as: Its name in the timelines; empty means `name`.
    """

    name: str
    kind: str
    means: str
    is_required: bool = False
    kept_as: str = ""

    @property
    def stored_name(self) -> str:
        """The column's name in facts and timelines."""
        return self.kept_as or self.name


@dataclass(frozen=True)
class CanonicalTable:
    """One canonical table.

    Attributes:
        name: The table's name in the config.
        columns: Its columns; more may be added by a shop.
        id_column: The column whose equal values mean the same fact.
        time_column: The column that says when it occurred.
        is_owned_by_visitors: Whether a visitor_id may stand in for the lead_id.
    """

    name: str
    columns: tuple[Column, ...]
    id_column: str
    time_column: str
    is_owned_by_visitors: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns it cannot do without."""
        return tuple(column.name for column in self.columns if column.is_required)

    def column(self, name: str) -> Column:
        """Return the column called *name*."""
        return next(column for column in self.columns if column.name == name)


_LEAD = Column("lead_id", "id", "Whose row it is.", is_required=True)
_MAYBE_LEAD = Column("lead_id", "id", "Whose row it is; wins over the visitor's owner.")
_VISITOR = Column("visitor_id", "id", "The browser or device, where the lead is not known yet.")
_RECORDED = Column("recorded_at", "time", "When the row, as it stands, became known.")

TABLES: dict[str, CanonicalTable] = {
    table.name: table
    for table in (
        CanonicalTable(
            "leads",
            (
                Column("lead_id", "id", "The lead.", is_required=True),
                Column("created_at", "time", "When the lead came to exist.", is_required=True),
                _RECORDED,
                Column("display_name", "text", "How people call the lead."),
                Column("company", "text", "The company the lead works for."),
                Column("email", "text", "Where to write."),
                Column("phone", "text", "Where to call."),
                Column("owner", "text", "Who looks after the lead."),
                Column("consent", "text", "What the lead agreed to."),
                Column("crm_ids", "text", "The lead's ids in other systems."),
            ),
            id_column="lead_id",
            time_column="created_at",
        ),
        CanonicalTable(
            "orders",
            (
                _LEAD,
                Column("ordered_at", "time", "When the order was placed.", is_required=True),
                Column("amount", "amount", "What was paid, in the shop's currency.", is_required=True),
                _RECORDED,
                Column("order_id", "id", "Equal ids are the same order."),
                Column("status", "text", "The order's state; some states mean cancelled."),
                Column("cancelled_at", "time", "When it was cancelled; empty = it was not."),
                Column("discount", "amount", "What was taken off, >= 0."),
                Column("coupon", "text", "The coupon used."),
                Column("items", "count", "How many things were bought."),
                Column("category", "text", "What kind of thing was bought, mainly."),
                Column("channel", "text", "Where it was bought: web, shop, app."),
            ),
            id_column="order_id",
            time_column="ordered_at",
        ),
        CanonicalTable(
            "sessions",
            (
                _MAYBE_LEAD,
                _VISITOR,
                Column("started_at", "time", "When the visit began.", is_required=True),
                _RECORDED,
                Column("session_id", "id", "Equal ids are the same session."),
                Column("duration_s", "duration", "How long it lasted, in seconds.", kept_as="duration"),
                Column("pages", "count", "How many pages were seen."),
                Column("source", "text", "Where the visitor came from."),
                Column("medium", "text", "The kind of source: organic, cpc, email."),
                Column("campaign", "text", "The campaign that brought the visitor."),
                Column("device", "text", "Phone, tablet, computer."),
                Column("landing_page", "text", "The first page seen."),
            ),
            id_column="session_id",
            time_column="started_at",
            is_owned_by_visitors=True,
        ),
        CanonicalTable(
            "events",
            (
                _MAYBE_LEAD,
                _VISITOR,
                Column("occurred_at", "time", "When it happened.", is_required=True),
                Column("type", "text", "What happened: email_open, product_view, …", is_required=True),
                _RECORDED,
                Column("event_id", "id", "Equal ids are the same event."),
                Column("value", "amount", "What it was worth, in the shop's currency."),
                Column("item", "text", "The thing it was about."),
                Column("category", "text", "The kind of thing."),
                Column("campaign", "text", "The campaign it belongs to."),
            ),
            id_column="event_id",
            time_column="occurred_at",
            is_owned_by_visitors=True,
        ),
        CanonicalTable(
            "identities",
            (
                Column("visitor_id", "id", "The browser or device.", is_required=True),
                Column("lead_id", "id", "Who was using it.", is_required=True),
                Column("linked_at", "time", "From when the two belong together.", is_required=True),
                _RECORDED,
            ),
            id_column="",
            time_column="linked_at",
        ),
        CanonicalTable(
            "outcomes",
            (
                _LEAD,
                Column("occurred_at", "time", "When it happened.", is_required=True),
                Column("outcome", "text", "What came of the lead: won, lost, …", is_required=True),
                _RECORDED,
                Column("outcome_id", "id", "Equal ids are the same outcome."),
                Column("value", "amount", "What it was worth, in the shop's currency."),
            ),
            id_column="outcome_id",
            time_column="occurred_at",
        ),
        CanonicalTable(
            "lead_states",
            (
                _LEAD,
                Column("occurred_at", "time", "From when on it stood so.", is_required=True),
                _RECORDED,
                Column("state_id", "id", "Equal ids are the same state."),
                Column("owner", "text", "Who looks after the lead since; empty = as leads says."),
                Column("stage", "text", "How far sales has come with the lead."),
            ),
            id_column="state_id",
            time_column="occurred_at",
        ),
    )
}
"""Every canonical table by name."""

FACT_TABLES = ("orders", "sessions", "events", "outcomes", "lead_states")
"""The tables whose rows become timeline rows."""
HEARD_TABLES = ("outcomes", "lead_states")
"""Those that a CRM can tell."""


def table_named(name: str) -> CanonicalTable:
    """Return the canonical table called *name*.

    Raises:
        LeadlightError: There is none; the nearest is suggested.
    """
    if name not in TABLES:
        raise unknown_table(name)
    return TABLES[name]


def missing_columns(table: str, mapped: Iterable[str], *, found: Iterable[str]) -> list[str]:
    """Return what *table* lacks among *mapped*, one line per required column that is not there.

    Args:
        table: A canonical table's name.
        mapped: Canonical columns that the source fills.
        found: Columns that the source has, to guess at renames.
    """
    there = set(mapped)
    spare = [name for name in found if name not in there]
    lines = [_lacks(name, nearest(name, spare)) for name in TABLES[table].required if name not in there]
    if TABLES[table].is_owned_by_visitors and not there & {"lead_id", "visitor_id"}:
        lines.append("lead_id or visitor_id")
    return lines


def columns_missing(table: str, lines: Iterable[str]) -> LeadlightError:
    """Return the error for a table without required columns."""
    hint = (
        f"map your names under tables.{table}.columns in the config, "
        "or run `leadlight check` to see what each table needs."
    )
    return wrong_input(f"Table '{table}' lacks required columns:", lines, hint=hint)


def unknown_table(name: str) -> LeadlightError:
    """Return the error for a table that is not canonical."""
    near = nearest(name, TABLES)
    fact = f"There is no table '{name}'" + (f"; did you mean '{near}'?" if near else ".")
    return wrong_input(fact, hint="the tables are " + ", ".join(TABLES) + ".")


def _lacks(name: str, near: str | None) -> str:
    return f"{name}   (found '{near}': a rename?)" if near else name
