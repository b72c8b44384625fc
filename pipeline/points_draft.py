"""The card that `leadlight points init` writes: sensible rules, those that the shop's tables can serve switched on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from features.families.offering import EVENT_TYPES
from models.wording import plain
from pipeline.yaml_lines import one_line

_HEAD = """\
# A points card: what a lead does and who it is, in points. The printed points are the points used.
# `leadlight points check` tries it on your data; `leadlight score` uses it while there is no trained model.

base: 0                              # what every lead begins with
caps: {fit: 40, engagement: 60}      # most points of a group, in either direction; total: the highest score, 100
grades: {a: 60, b: 40, c: 20}        # least scores; the rest is D
temperatures: {hot: 50, warm: 25}    # the rest is cold

# A rule has a name (reasons say it so), a group (fit: who the lead is; engagement: what it does), whole points
# (negative ones count against a lead), and asks for one of three:
#   an action      table, where (conditions on its rows), within (days, or ever), per (each, or once),
#                  decay (linear: points shrink to nothing over `within`; {half_life: 14}: they halve every 14 days)
#   an attribute   of the lead, with is, in, not, min, max, above, below, contains or missing
#   a feature      of the catalog (see the data dictionary of `leadlight features`), with the same tests
# cap is the most that one rule gives. Points are rounded to whole ones, halves away from zero.
rules:
"""


@dataclass(frozen=True)
class _Draft:
    """One rule to offer: the line, and the event type of ours that it needs, if any."""

    line: str
    table: str
    event: str = ""


_DRAFTS = (
    _Draft("{name: looked at a price, group: engagement, points: 4, cap: 12, table: events, where: WHERE, within: 7,"
           " decay: linear}", "events", "price_view"),
    _Draft("{name: put something into the cart, group: engagement, points: 8, cap: 16, table: events, where: WHERE,"
           " within: 14, decay: linear}", "events", "cart_add"),
    _Draft("{name: began a checkout, group: engagement, points: 12, table: events, where: WHERE, within: 14,"
           " per: once}", "events", "checkout"),
    _Draft("{name: looked at a product, group: engagement, points: 1, cap: 8, table: events, where: WHERE, within: 14}",
           "events", "product_view"),
    _Draft("{name: clicked in an e-mail, group: engagement, points: 5, cap: 15, table: events, where: WHERE,"
           " within: 30, decay: {half_life: 14}}", "events", "email_clicked"),
    _Draft("{name: opened an e-mail, group: engagement, points: 1, cap: 5, table: events, where: WHERE, within: 30}",
           "events", "email_opened"),
    _Draft("{name: downloaded a guide, group: engagement, points: 8, cap: 16, table: events, where: WHERE, within: 90}",
           "events", "download"),
    _Draft("{name: attended a webinar, group: engagement, points: 10, cap: 20, table: events, where: WHERE,"
           " within: 90}", "events", "webinar"),
    _Draft("{name: visited the shop, group: engagement, points: 2, cap: 10, table: sessions, within: 30,"
           " decay: {half_life: 7}}", "sessions"),
    _Draft("{name: no visit for a month, group: engagement, points: -5, feature: days_since_last_session_ever,"
           " above: 30}", "sessions"),
    _Draft("{name: ordered, group: engagement, points: 6, cap: 24, table: orders, where: {is_cancelled: false},"
           " within: 90}", "orders"),
    _Draft("{name: has ordered before, group: fit, points: 10, table: orders, where: {is_cancelled: false},"
           " within: ever, per: once}", "orders"),
    _Draft("{name: no order for half a year, group: engagement, points: -10, feature: days_since_last_order_ever,"
           " above: 180}", "orders"),
)  # fmt: skip
_MOST_OWN_EVENTS = 8


def draft(
    tables: AbstractSet[str],
    *,
    attributes: Sequence[str] = (),
    event_names: Mapping[str, Sequence[str]] = EVENT_TYPES,
    event_types: AbstractSet[str] | None = None,
) -> str:
    """Return the text of a card to start from.

    Args:
        tables: The tables that the shop has.
        attributes: The leads' attributes.
        event_names: The shop's names of event types, by ours.
        event_types: The types of events that occur, or None where unknown.
    """
    lines = [_line(one, tables, event_names, event_types) for one in _DRAFTS]
    lines += [_own_event(one) for one in _own_events(event_names, event_types)]
    lines.append("")
    lines.append("  # Who the lead is: take the values that your best customers have.")
    examples = [_attribute(name) for name in attributes] or [_attribute("country")]
    return _HEAD + "\n".join([*lines, *examples]) + "\n"


def _line(
    one: _Draft, tables: AbstractSet[str], names: Mapping[str, Sequence[str]], occurring: AbstractSet[str] | None
) -> str:
    types = list(names.get(one.event, ())) if one.event else []
    if occurring is not None and one.event:
        types = [name for name in types if name in occurring]
    is_served = one.table in tables and (bool(types) or not one.event)
    spelled = one.line.replace("WHERE", one_line({"type": (types or [one.event])[0] if len(types) < 2 else types}))
    return f"  - {spelled}" if is_served else f"  # - {spelled}   # your data have none"


def _own_events(names: Mapping[str, Sequence[str]], occurring: AbstractSet[str] | None) -> list[str]:
    """Return the types of events that only this shop has; what the shop does itself (sends) is no action of a lead."""
    ours = {name for listed in names.values() for name in listed}
    own = sorted(name for name in set(occurring or ()) - ours if not name.endswith("sent"))
    return own[:_MOST_OWN_EVENTS]


def _own_event(name: str) -> str:
    rule = {"name": plain(name.replace("_", " ")), "group": "engagement", "points": 5, "cap": 20, "table": "events",
            "where": {"type": name}, "within": 90}  # fmt: skip
    return f"  - {one_line(rule)}"


def _attribute(name: str) -> str:
    rule = {"name": f"{name} as it should be", "group": "fit", "points": 10, "attribute": name, "is": "VALUE"}
    return f"  # - {one_line(rule)}"
