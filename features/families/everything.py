"""The catalog of a shop that has everything: every phrase that Leadlight can say of a lead."""

from __future__ import annotations

from features import families
from features.catalog import Feature
from features.tables import FACT_TABLES, TABLES

_ALWAYS = {"lead_no", "occurred_at", "known_at", "superseded_at", "link_bits", "row_id", "is_cancelled"}


def full_catalog() -> tuple[Feature, ...]:
    """Return every built-in feature of a shop with all tables, columns and event types, an attribute and a trigger."""
    columns = {name: _ALWAYS | {column.stored_name for column in TABLES[name].columns} for name in FACT_TABLES}
    attributes = {"country": "text", "employees": "number"}
    columns["attributes"] = _ALWAYS | set(attributes)
    return families.catalog(columns, families.Choice(), attributes=attributes, trigger={"channel": "text"})
