"""Small random worlds: timelines with few distinct moments, so that ties and edges happen often.

A `TimelineWorld` holds timeline rows as dicts in stored units; it answers the oracle's questions
by looking at every row, and turns itself into `Timelines` for the product.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from features.catalog import Feature, Measure, Phrase
from features.conditions import parse
from features.snapshots import Snapshots
from features.timeline import Coverage, Timelines

DAY = 86_400_000_000
START = int(datetime(2024, 3, 8, tzinfo=UTC).timestamp()) * 1_000_000
N_LEADS = 3
MOMENT = pa.timestamp("us", tz="UTC")

WHOLE = [START + k * DAY // 2 for k in range(14)]
NEAR = [moment + tick for moment in WHOLE[::2] for tick in (-1, 1)]
# Ends of label windows: plain moments, and New York midnights around the change to summer time.
ENDS = [*WHOLE[6::3], *(START + d * DAY + h * DAY // 24 for d, h in ((1, 5), (2, 5), (3, 4), (4, 4), (4, 5)))]
MOMENTS = [*WHOLE, *WHOLE, *NEAR]
moments = st.sampled_from(MOMENTS)
seeds = st.integers(0, 2**32)
"""Rows are drawn from seeds: hypothesis alone prefers worlds so small that nothing meets in them."""

MONEY = [0, 1, 5_000, 10_000, 123_456, 10**9]
TEXT = [None, "a", "b", "Ab", ""]
CONTENT = {
    "orders": {"amount": MONEY, "discount": [None, None, *MONEY], "items": [None, 0, 1, 2, 3], "category": TEXT,
               "is_cancelled": [False, False, True]},
    "sessions": {"duration": [None, 0, 1, 1500, 60_000], "pages": [None, 0, 1, 2, 3], "source": TEXT,
                 "medium": [None, "cpc", "organic"], "campaign": TEXT, "device": [None, "mobile", "computer"]},
    "events": {"type": ["email_sent", "email_opened", "cart_add", "download"], "value": [None, *MONEY],
               "campaign": TEXT, "ends_on": ENDS, "weight": [None, -0.5, 0.0, 1.25, 3.0]},
    "attributes": {"plan": TEXT, "age": [None, 18.0, 40.5]},
}  # fmt: skip
"""What the columns of each table may hold, in stored units."""
TYPES = {
    "amount": pa.int64(), "discount": pa.int64(), "value": pa.int64(), "duration": pa.int64(), "items": pa.int64(),
    "pages": pa.int64(), "is_cancelled": pa.bool_(), "weight": pa.float64(), "age": pa.float64(),
    "ends_on": MOMENT,
}  # fmt: skip
STORED_PER_UNIT = {"amount": 10_000, "discount": 10_000, "value": 10_000, "duration": 1_000}
LAYOUTS = ("plain", "dictionary", "chunked", "sliced")


@dataclass
class TimelineWorld:
    """Timeline rows of three leads and when their tables were collected."""

    rows: dict
    coverage: dict
    exists: list
    layout: str = "plain"
    zone: str = "America/New_York"
    tables: dict = field(default_factory=dict)

    def visible(self, table, lead, as_of):
        """Return what can be seen at *as_of*: known before, and not replaced before."""
        return self._seen(table, lead, lambda r: r["known"] < as_of <= _until(r))

    def decided(self, table, lead, decided_at):
        """Return what counts for labels: the microsecond granted to links is taken back."""
        return self._seen(
            table,
            lead,
            lambda r: (
                r["known"] + (r["bits"] & 1) < decided_at <= _until(r) + (r["bits"] >> 1) * (r["until"] is not None)
            ),
        )

    def data_from(self, table):
        """Return from when on a table was collected, or None."""
        return self.coverage.get(table, (None, None))[0]

    def exists_from(self, lead):
        """Return when a lead came to exist."""
        return self.exists[lead]

    def timelines(self):
        """Return the world as the product wants it."""
        exists = pa.array(self.exists, MOMENT)
        ids = pa.array([f"lead-{no}" for no in range(len(self.exists))])
        leads = pa.table(
            {"lead_no": pa.array(range(len(self.exists)), pa.int64()), "lead_id": ids, "exists_from": exists}
        )
        spans = {name: Coverage(*span) for name, span in self.coverage.items()}
        tables = {name: arranged(table_of(name, rows), self.layout) for name, rows in self.rows.items()}
        return Timelines(leads, tables, spans)

    def _seen(self, table, lead, is_seen):
        found = [user_row(table, r) for r in self.rows[table] if r["lead"] == lead and is_seen(r)]
        return sorted(found, key=lambda r: (r["occurred"], r["known"], r["id"]))


def _until(row):
    return float("inf") if row["until"] is None else row["until"]


def user_row(table, row):
    """Return a stored row in the shop's units."""
    shown = {"occurred": row["occurred"], "known": row["known"], "id": row["id"], "table": table}
    for name in CONTENT[table]:
        value = row[name]
        scale = STORED_PER_UNIT.get(name)
        shown[name] = Fraction(value, scale) if scale and value is not None else value
    return shown


def sort_key(row):
    """Order timeline rows as ingest does."""
    return (row["lead"], row["occurred"], row["known"], row["id"])


def table_of(name, rows):
    """Return timeline rows as an Arrow table, sorted."""
    rows = sorted(rows, key=sort_key)
    columns = {
        "lead_no": pa.array([r["lead"] for r in rows], pa.int64()),
        "occurred_at": pa.array([r["occurred"] for r in rows], MOMENT),
        "known_at": pa.array([r["known"] for r in rows], MOMENT),
        "superseded_at": pa.array([r["until"] for r in rows], MOMENT),
        "link_bits": pa.array([r["bits"] for r in rows], pa.int8()),
        "row_id": pa.array([r["id"] for r in rows], pa.string()),
    }
    for column in CONTENT[name]:
        columns[column] = pa.array([r[column] for r in rows], TYPES.get(column, pa.string()))
    return pa.table(columns)


def arranged(table, layout):
    """Return the same rows laid out in memory another way."""
    if layout == "sliced":
        return pa.concat_tables([table.slice(0, 1), table, table.slice(0, 1)]).slice(min(1, len(table)), len(table))
    if layout == "plain":
        return table
    cuts = [0, len(table)] if layout == "dictionary" else [0, len(table) // 3, len(table) // 2, len(table)]
    parts = [table.slice(begin, end - begin) for begin, end in pairwise(cuts)]
    texts = [f.name for f in table.schema if pa.types.is_string(f.type) and f.name != "row_id"]
    for name in texts:
        parts = [
            part.set_column(part.schema.get_field_index(name), name, part[name].dictionary_encode()) for part in parts
        ]
    return pa.concat_tables(parts)


def timeline_rows(how, table, *, n, n_leads=N_LEADS):
    """Return *n* rows of one table: some late, some replaced later, at few distinct moments."""
    rows = []
    for place in range(n):
        occurred, late = how.choice(MOMENTS), how.choice([0, 0, 0, 1, DAY // 2, 3 * DAY])
        spell = how.choice([None, None, 1, DAY // 2, 2 * DAY])
        bits = how.randrange(4) & ((1 if late else 0) | (2 if spell else 0))
        until = None if spell is None else occurred + late + spell
        row = {"lead": how.randrange(n_leads), "occurred": occurred, "known": occurred + late, "until": until}
        content = {name: how.choice(choices) for name, choices in CONTENT[table].items()}
        rows.append({**row, "bits": bits, "id": f"{place:02d}", **content})
    return rows


@st.composite
def timeline_worlds(draw, tables=tuple(CONTENT), *, most=24):
    """Draw a world of three leads."""
    how = random.Random(draw(seeds))
    edges = [START - 60 * DAY, START - 60 * DAY, START - DAY, START, START + DAY]
    rows = {table: timeline_rows(how, table, n=how.randint(0, most)) for table in tables}
    coverage = {table: (how.choice(edges), START + 6 * DAY) for table in tables if table != "attributes"}
    exists = [how.choice([START - DAY, START, START + DAY]) for _ in range(N_LEADS)]
    return TimelineWorld(rows, coverage, exists, draw(st.sampled_from(LAYOUTS)))


@st.composite
def asked(draw):
    """Draw snapshots as sorted (lead, as_of) pairs; the same moment may be asked twice."""
    how = random.Random(draw(seeds))
    return sorted((how.randrange(N_LEADS), how.choice(MOMENTS)) for _ in range(how.choice([0, 6, 12, 12])))


def snapshots_of(pairs, *, days=2):
    """Return (lead, as_of) pairs as the product's snapshots."""
    lead, as_of = (np.asarray([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
    return Snapshots(lead, as_of, as_of + days * DAY)


def number(name, measure):
    """Return a feature that is a number."""
    return Feature(name, "engagement", "number", "number", name, Phrase("{n}"), "", measure=measure)


def category(name, measure):
    """Return a feature that is a category."""
    return Feature(name, "acquisition", "category", "category", name, Phrase("{n}"), "", measure=measure)


_WHERE = {
    "all": None,
    "sales": {"is_cancelled": False},
    "dear": {"amount": {"min": 1, "below": 100_000}, "discount": {"missing": True}},
}


def every_measure(windows=(1, 2, 5, 0)):
    """Return features of every kind of measure over windows of days (0 = ever)."""
    found = []
    for days in windows:
        for label, where in _WHERE.items():
            found += _of_orders(f"{label}_{days}", parse(where), days)
        found += faded(f"sales_{days}", parse(_WHERE["sales"]), days)
        found += _of_events(days)
    found += [
        number(f"trend_{s}_{e}", Measure("trend", "orders", window=s, long_window=e)) for s, e in ((1, 2), (2, 5))
    ]
    found += [number(kind, Measure(kind)) for kind in ("lead_age", "weekday", "month", "day_of_month", "trigger_days")]
    found.append(category("plan", Measure("last", "attributes", (), "plan")))
    found.append(number("age", Measure("last", "attributes", (), "age")))
    return found


def _of_orders(end, where, days):
    found = [
        number(f"{kind}_{end}", Measure(kind, "orders", where, window=days))
        for kind in ("count", "days_since_first", "days_since_last", "mean_gap", "overdue")
    ]
    found += [
        number(f"{kind}_{column}_{end}", Measure(kind, "orders", where, column, days))
        for kind in ("sum", "mean", "distinct", "first", "last")
        for column in ("amount", "discount", "items")
    ]
    found += [
        category(f"{kind}_category_{end}", Measure(kind, "orders", where, "category", days))
        for kind in ("first", "last")
    ]
    found.append(number(f"distinct_category_{end}", Measure("distinct", "orders", where, "category", days)))
    found.append(
        number(f"share_{end}", Measure("share", "orders", where, window=days, of=parse({"items": {"above": 1}})))
    )
    return found


def faded(end, where, days):
    """Return rows that count less as they age, and what a window holds that reaches before the data."""
    found = [number(f"partial_{end}", Measure("count", "orders", where, window=days, is_partial=True))]
    found += [
        number(f"half_{life}_{end}", Measure("decayed_half_life", "orders", where, window=days, half_life=life,
                                             is_partial=life > 1))
        for life in (1, 3)
    ]  # fmt: skip
    if days:
        found.append(number(f"linear_{end}", Measure("decayed_linear", "orders", where, window=days)))
    return found


def _of_events(days):
    sent, opened, cart = (
        parse({"type": "email_sent"}),
        parse({"type": ["email_opened"]}),
        parse({"type": {"contains": "CART"}}),
    )
    closing = {"since_table": "orders", "since_where": parse({"is_cancelled": False})}
    return [
        number(f"rate_{days}", Measure("rate", "events", sent, window=days, of=opened)),
        number(f"weight_sum_{days}", Measure("sum", "events", (), "weight", days)),
        number(
            f"weight_mean_{days}", Measure("mean", "events", parse({"type": {"not": ["download"]}}), "weight", days)
        ),
        number(f"weight_last_{days}", Measure("last", "events", (), "weight", days)),
        number(f"open_count_{days}", Measure("open_count", "events", cart, window=days, **closing)),
        number(f"open_sum_{days}", Measure("open_sum", "events", cart, "value", days, **closing)),
        number(f"open_age_{days}", Measure("open_age", "events", cart, window=days, **closing)),
    ]
