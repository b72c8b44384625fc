"""Small random shops as raw canonical tables, and what could be known of them at a moment.

A `Shop` answers the oracle from the raw rows: versions, cancellations, identity links and both
clocks are worked out anew for every question, by the rules alone.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import pyarrow as pa
from hypothesis import strategies as st
from worlds import DAY, MOMENT, MOMENTS, START, WHOLE, seeds

from features.resolve import ResolveOptions, resolve
from features.timeline import Coverage

LEADS = ("ann", "bob", "cat")
VISITORS = ("v1", "v2")
LOADED = START + 60 * DAY
HALF_HOUR = 30 * 60 * 1_000_000
MAX_LEADS = 2
COVERAGE = Coverage(START - DAY, START + 7 * DAY)

AMOUNTS = [0.0, 0.5, 10.0, 123.4567]
WORDS = [None, "a", "b"]
AGES = [None, 18.0, 40.5]
RECORDED = [None] * 14 + WHOLE
TIMES = {"created_at", "recorded_at", "ordered_at", "cancelled_at", "started_at", "occurred_at", "linked_at"}
NUMBERS = {"amount", "discount", "duration_s", "value", "age"}
COUNTS = {"items", "pages"}
CLOCK = {"orders": "ordered_at", "sessions": "started_at", "events": "occurred_at"}
IDS = {"orders": "order_id", "sessions": "session_id", "events": "event_id"}


@dataclass
class Shop:
    """Raw rows by canonical table, each a dict of canonical columns; times in microseconds."""

    raw: dict
    zone: str = "UTC"

    def timelines(self):
        """Return what the product makes of the raw rows."""
        tables = {name: arrow(rows) for name, rows in self.raw.items() if rows}
        spans = dict.fromkeys((*CLOCK, "leads", "identities"), COVERAGE)
        options = ResolveOptions(max_leads_per_visitor=MAX_LEADS, coverage=spans)
        return resolve(tables, loaded_at=datetime.fromtimestamp(LOADED // 1_000_000, UTC), options=options)

    def data_from(self, table):
        """Return from when on a table was collected."""
        return None if table == "attributes" else COVERAGE.data_from

    def exists_from(self, lead):
        """Return the first moment at which anything was known of a lead."""
        known = [max(r["created_at"], r["recorded_at"]) for r in self.raw["leads"] if r["lead_id"] == lead]
        known += [self._link_known(link) for link in self.raw["identities"] if link["lead_id"] == lead]
        for table in CLOCK:
            known += [_known(table, r) for r in self.raw[table] if r["lead_id"] == lead]
        return min(known, default=None)

    def visible(self, table, lead, as_of):
        """Return the lead's rows as they could be read at *as_of*; a link made exactly then counts."""
        return self._read(table, lead, as_of, link_counts=lambda link: self._link_known(link) <= as_of)

    def decided(self, table, lead, decided_at):
        """Return the lead's rows as known strictly before *decided_at*."""
        return self._read(table, lead, decided_at, link_counts=lambda link: self._link_known(link) < decided_at)

    def _read(self, table, lead, as_of, *, link_counts):
        if table == "attributes":
            return self._attributes(lead, as_of)
        links = [link for link in self.raw["identities"] if link_counts(link)]
        found = []
        for row in _newest_versions(table, self.raw[table], as_of):
            owner, since = (row["lead_id"], None) if row["lead_id"] is not None else self._owner(row, table, links)
            if owner == lead:
                found.append(_shown(table, row, since, as_of))
        return sorted(found, key=lambda r: (r["occurred"], r["known"], r["id"]))

    def _attributes(self, lead, as_of):
        versions = [
            r for r in self.raw["leads"] if r["lead_id"] == lead and max(r["created_at"], r["recorded_at"]) < as_of
        ]
        newest = max(versions, key=lambda r: r["recorded_at"], default=None)
        known = newest and max(newest["created_at"], newest["recorded_at"])
        return [{**newest, "occurred": known, "known": known, "id": lead}] if newest else []

    def _owner(self, row, table, links):
        """Return who owns a visitor's row given *links*, and since when that was known."""
        mine = [link for link in links if link["visitor_id"] == row["visitor_id"]]
        if len({link["lead_id"] for link in mine}) > MAX_LEADS:
            return None, None
        occurred = row[CLOCK[table]]
        owner, since = None, None
        # Replay the links as they became known: an owner has the row since it last took it over.
        for moment in sorted({self._link_known(link) for link in mine}):
            now = _best_link(occurred, [link for link in mine if self._link_known(link) <= moment])
            if now != owner:
                owner, since = now, moment
        return owner, since

    @staticmethod
    def _link_known(link):
        return max(link["linked_at"], link["recorded_at"] or 0)


def _best_link(occurred, links):
    """The latest link at or before the row, else the first one after it."""
    before = [link for link in links if link["linked_at"] <= occurred]
    after = [link for link in links if link["linked_at"] > occurred]
    if before:
        return max(before, key=lambda link: link["linked_at"])["lead_id"]
    return min(after, key=lambda link: link["linked_at"])["lead_id"] if after else None


def _known(table, row):
    """When a row became known: it occurred, it was recorded, the session ended."""
    clocks = [row[CLOCK[table]]]
    if row["recorded_at"] is not None:
        clocks.append(row["recorded_at"])
    if table == "sessions":
        lasted = HALF_HOUR if row["duration_s"] is None else int(row["duration_s"] * 1_000_000)
        clocks.append(row["started_at"] + lasted)
    return max(clocks)


def _newest_versions(table, rows, as_of):
    """Of each fact, the newest version known before *as_of*."""
    facts = {}
    for row in rows:
        if _known(table, row) < as_of:
            best = facts.get(row[IDS[table]])
            age = row["recorded_at"] if row["recorded_at"] is not None else _known(table, row)
            if best is None or age > best[0]:
                facts[row[IDS[table]]] = (age, row)
    return [row for _, row in facts.values()]


def _shown(table, row, owned_since, as_of):
    shown = {name: Fraction(str(v)) if name in NUMBERS and v is not None else v for name, v in row.items()}
    known = _known(table, row)
    if owned_since is not None:
        known = max(known, owned_since - 1)  # a link counts at its own moment, a row only after its own
    if table == "orders":
        cancelled = None if row["cancelled_at"] is None else max(_known(table, row), row["cancelled_at"])
        shown["is_cancelled"] = cancelled is not None and cancelled < as_of
        known = max(known, cancelled) if shown["is_cancelled"] else known
    if table == "sessions":
        shown["duration"] = shown["duration_s"]
    return {**shown, "occurred": row[CLOCK[table]], "known": known, "id": row[IDS[table]], "table": table}


def arrow(rows):
    """Return raw rows as the Arrow table that a shop would hand over."""
    columns = {}
    for name in rows[0]:
        kind = (
            MOMENT
            if name in TIMES
            else pa.float64()
            if name in NUMBERS
            else pa.int64()
            if name in COUNTS
            else pa.string()
        )
        columns[name] = pa.array([row[name] for row in rows], kind)
    return pa.table(columns)


CONTENT = {
    "orders": {"amount": AMOUNTS, "discount": [None, *AMOUNTS], "items": [None, 0, 1, 2], "category": WORDS,
               "cancelled_at": [None] * 40 + MOMENTS},
    "sessions": {"duration_s": [None, 0.0, 60.5, 43_200.0], "pages": [None, 0, 1, 2], "source": WORDS},
    "events": {"type": ["email_sent", "email_opened", "cart_add"], "value": [None, *AMOUNTS], "campaign": WORDS},
}  # fmt: skip
"""What a row says beside its keys."""


@st.composite
def shops(draw):
    """Draw a shop of three leads and two visitors."""
    how = random.Random(draw(seeds))
    raw = {table: _facts(how, table) for table in CLOCK}
    raw["leads"] = [row for lead in LEADS for row in _versions_of(how, lead)]
    raw["identities"] = _identities(how)
    return Shop(raw)


def _facts(how, table):
    """Return at least one row: a first version of some facts, and newer versions of a few."""
    has_visitors = table != "orders"
    rows = []
    for number in range(how.randint(1, 16)):
        visitor = how.choice([None, *VISITORS, *VISITORS]) if has_visitors else None
        lead = how.choice([None, None, *LEADS]) if visitor else how.choice(LEADS)
        keys = {IDS[table]: f"{table}-{number}", "lead_id": lead, **({"visitor_id": visitor} if has_visitors else {})}
        row = {**keys, CLOCK[table]: how.choice(MOMENTS), "recorded_at": how.choice(RECORDED), **_content(how, table)}
        rows.append(row)
        first = row["recorded_at"] or _known(table, row)
        newer = [at for at in sorted(how.sample(WHOLE, how.choice([0, 0, 1, 2]))) if at > first]
        rows += [{**row, **_content(how, table), "recorded_at": at} for at in newer]
    return rows


def _content(how, table):
    return {name: how.choice(choices) for name, choices in CONTENT[table].items()}


def _versions_of(how, lead):
    created = how.choice(MOMENTS)
    return [
        {"lead_id": lead, "created_at": created, "recorded_at": at, "plan": how.choice(WORDS), "age": how.choice(AGES)}
        for at in sorted(how.sample(WHOLE, how.randint(1, 3)))
    ]


def _identities(how):
    """Return links, at distinct moments per visitor; some become known late."""
    rows = [{"visitor_id": "nobody's", "lead_id": "ann", "linked_at": START + 7 * DAY, "recorded_at": None}]
    for visitor in VISITORS:
        moments = sorted(how.sample(sorted(set(MOMENTS)), how.randint(0, 4)))
        links = [{"visitor_id": visitor, "lead_id": how.choice(LEADS), "linked_at": at} for at in moments]
        rows += [{**link, "recorded_at": how.choice(RECORDED)} for link in links]
    return rows
