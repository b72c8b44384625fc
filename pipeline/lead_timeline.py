"""One lead's timeline in words: what was known of it at a moment, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from features import moments
from features.timeline import microseconds
from features.units import scale_of
from models.quantities import quantity
from models.wording import plain
from pipeline.event_names import event_name
from pipeline.ingested import Tables
from pipeline.languages import ENGLISH, Language
from pipeline.settings import Settings

_DETAILS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("category", "channel"),
    "sessions": ("source", "device"),
    "events": ("category", "item", "campaign"),
    "outcomes": ("category", "item", "campaign"),
}
"""What is told with its name, by table."""
_TELLING: Final[Mapping[str, set[str]]] = {
    "orders": {*_DETAILS["orders"], "amount", "items", "is_cancelled"},
    "sessions": {*_DETAILS["sessions"], "pages", "duration"},
    "events": {*_DETAILS["events"], "type"},
    "outcomes": {*_DETAILS["outcomes"], "outcome"},
}
"""The columns that are told of beside the keys, by table."""
_MOST = 12


@dataclass(frozen=True)
class Happening:
    """One thing that happened: when (ISO, in the shop's zone) and what, in words."""

    at: str
    text: str


def latest(
    tables: Tables,
    lead_id: str,
    *,
    as_of: datetime,
    settings: Settings,
    language: Language = ENGLISH,
    most: int = _MOST,
) -> list[Happening]:
    """Return the latest things known of a lead before *as_of*, newest first.

    Args:
        tables: The ingested tables.
        lead_id: The lead.
        as_of: What was known later stays unseen (aware).
        settings: Gives the currency, and the shop's names of event types.
        language: In which they are told.
        most: How many to tell.
    """
    moment = moments.to_us(as_of)
    found = tables.timelines_of(lead_id, columns=_TELLING)
    own = found.tables if found else {}
    rows = [row for name in _TELLING if name in own for row in _visible(own[name], name, as_of=moment)]
    rows.sort(key=lambda row: row["occurred_at"], reverse=True)
    zone = ZoneInfo(settings.shop.time_zone)
    return [
        Happening(row["occurred_at"].astimezone(zone).isoformat(), _told(row, settings, language))
        for row in rows[:most]
    ]


def is_known(tables: Tables, lead_id: str) -> bool:
    """Return whether there is such a lead."""
    return tables.timelines_of(lead_id, columns={}) is not None


def _visible(own: pa.Table, name: str, *, as_of: int) -> list[dict[str, Any]]:
    known, superseded = microseconds(own["known_at"]), microseconds(own["superseded_at"])
    seen = [moments.is_visible(k, s, as_of) for k, s in zip(known.tolist(), superseded.tolist(), strict=True)]
    return [{"table": name, **row} for row in own.filter(pa.array(seen, pa.bool_())).to_pylist()]


def _told(row: Mapping[str, Any], settings: Settings, language: Language) -> str:
    if row["table"] == "orders":
        return _order(row, settings.shop.currency, language)
    if row["table"] == "sessions":
        return _session(row, language)
    what = event_name(str(row.get("type") or row.get("outcome") or ""), settings.features.event_types, language)
    return ", ".join([what, *_details(row, language)])


def _order(row: Mapping[str, Any], currency: str, language: Language) -> str:
    amount = quantity(row["amount"] / scale_of("amount"), "money", currency=currency, language=language)
    if row.get("is_cancelled"):
        said = language.gettext("cancelled order of {amount}")
    else:
        said = language.gettext("order of {amount}")
    items = []
    if row.get("items"):
        many = language.ngettext("{n} item", "{n} items", row["items"])
        items.append(many.replace("{n}", language.number(row["items"])))
    return ", ".join([said.replace("{amount}", amount), *items, *_details(row, language)])


def _session(row: Mapping[str, Any], language: Language) -> str:
    parts = [language.gettext("visit")]
    if row.get("pages"):
        pages = language.ngettext("{n} page", "{n} pages", row["pages"])
        parts.append(pages.replace("{n}", language.number(row["pages"])))
    if row.get("duration"):
        parts.append(language.duration(row["duration"] / scale_of("duration")))
    return ", ".join([*parts, *_details(row, language)])


def _details(row: Mapping[str, Any], language: Language) -> list[str]:
    """Return what else a row says, each with its name: "category shoes"."""
    pattern = language.pgettext("detail", "{name} {value}")
    return [
        pattern.replace("{name}", language.pgettext("name", name)).replace("{value}", plain(str(row[name])))
        for name in _DETAILS[row["table"]]
        if row.get(name)
    ]
