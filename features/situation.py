"""The situation of a lead at a moment: what a rule of the shop may ask before it says what to do.

A closed vocabulary, the same for every shop: rules (the funnel stage, the playbook, the segments) name facts, never
columns or events of a shop's own. The facts that rows of the past tell are ordinary features, computed by the one
sweep, so none is from the future; they are passed beside the model's features under names that no feature has, and
the model never reads them.

Every fact counts what there is: where the data reach back only 10 days, ``visits_30d`` are the visits of those 10. A
fact that a shop's tables cannot tell is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from features.catalog import Feature, Measure, Phrase
from features.cohorts import SALES
from features.conditions import Conditions, parse
from features.families.offering import EVENT_TYPES
from features.plan import columns_read
from features.tables import FACT_TABLES

PREFIX: Final = "situation."
"""Begins the name of every column that holds a fact; no feature of a model is called so."""
ATTRIBUTE: Final = "lead."
"""Begins the name by which a rule asks for an attribute of the lead: ``lead.country``."""
UNSUBSCRIBED: Final = "is_unsubscribed"
OPEN_DEAL: Final = "has_open_deal"
SALES_STAGE: Final = "sales_stage"


@dataclass(frozen=True)
class Fact:
    """One fact of the vocabulary.

    Attributes:
        means: One line for people.
        kind: ``number``, ``text`` or ``truth``.
        unit: As a feature's.
    """

    means: str
    kind: str = "number"
    unit: str = "count"


FACTS: Final[Mapping[str, Fact]] = MappingProxyType(
    {
        "orders": Fact("Orders so far that were not cancelled."),
        "spending": Fact("What they were worth, in the shop's currency.", unit="money"),
        "days_since_last_order": Fact("Days since the last of them; missing without one.", unit="days"),
        "days_since_first_order": Fact("Days since the first of them; missing without one.", unit="days"),
        "visits_30d": Fact("Visits in the last 30 days."),
        "days_since_last_visit": Fact("Days since the last visit; missing without one.", unit="days"),
        "product_views_30d": Fact("Products viewed in the last 30 days."),
        "price_views_30d": Fact("Visits to the price page in the last 30 days."),
        "open_cart_items": Fact("Additions to the cart since the last order, in the last 30 days."),
        "open_cart_value": Fact("Their value, in the shop's currency.", unit="money"),
        "open_cart_age": Fact("Days since the first of them; missing without one.", unit="days"),
        "emails_opened_30d": Fact("E-mails opened in the last 30 days."),
        "emails_clicked_30d": Fact("E-mails clicked in the last 30 days."),
        "downloads_90d": Fact("Downloads in the last 90 days."),
        "webinars_90d": Fact("Webinars attended in the last 90 days."),
        "days_known": Fact("Days since the lead exists.", unit="days"),
        "source": Fact("Source of the latest visit that names one.", kind="text", unit="category"),
        "campaign": Fact("Campaign of the latest visit that names one.", kind="text", unit="category"),
        SALES_STAGE: Fact("Stage of the lead as sales last set it in the CRM.", kind="text", unit="category"),
        UNSUBSCRIBED: Fact("Unsubscribed, and has not subscribed again since.", kind="truth"),
        OPEN_DEAL: Fact("A deal was opened with the lead, and none was closed since.", kind="truth"),
        "is_registered": Fact("The lead stands in the shop's own list of leads.", kind="truth"),
        "has_email": Fact("An e-mail address is known.", kind="truth"),
        "has_phone": Fact("A phone number is known.", kind="truth"),
    }
)
"""Everything that a rule may ask of a lead's situation."""


@dataclass(frozen=True)
class Naming:
    """How a shop calls what opens and closes, and its events.

    Attributes:
        event_types: The shop's names of event types, by ours; by default those of `EVENT_TYPES`.
        unsubscribes: Types of events by which a lead unsubscribes.
        subscribes: Types of events by which it subscribes.
        deal_opens: Outcomes that open a deal.
        deal_closes: Outcomes that close it.
    """

    event_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsubscribes: tuple[str, ...] = ("unsubscribe", "unsubscribed", "email_unsubscribed", "opt_out")
    subscribes: tuple[str, ...] = ("subscribe", "subscribed", "email_subscribed", "opt_in")
    deal_opens: tuple[str, ...] = ("open", "opened", "deal_open", "deal_opened", "opportunity")
    deal_closes: tuple[str, ...] = ("won", "lost", "closed", "closed_won", "closed_lost")


def _spellings(names: Iterable[str]) -> list[str]:
    """Return *names* as CRMs spell them as well: Closed Won, CLOSED_WON, closed-won, closedwon."""
    joined = {name.replace("_", by) for name in names for by in ("_", " ", "-", "")}
    return sorted({form(name) for name in joined for form in (str, str.lower, str.upper, str.title, str.capitalize)})


def column_of(fact: str) -> str:
    """Return the name of the column that holds *fact* beside the features."""
    return PREFIX + fact


def situation(
    available: Mapping[str, AbstractSet[str]],
    naming: Naming,
    *,
    event_types: AbstractSet[str] | None = None,
    wanted: AbstractSet[str] | None = None,
) -> tuple[Feature, ...]:
    """Return the features that tell a lead's situation, as far as a shop's tables can.

    Args:
        available: Columns per timeline table.
        naming: The shop's words.
        event_types: The types of events that occur, or None where unknown; what is counted of others cannot be told.
        wanted: The facts that somebody asks for; None = all.

    Returns:
        Features in the order of `FACTS`, each called `column_of` its fact; none where there is no history. Truth values
        count rows: above 0 is true.
    """
    if not any(table in available for table in FACT_TABLES):
        return ()
    measures = _measures(naming, event_types)
    return tuple(
        feature
        for name in FACTS
        if name in measures and (wanted is None or name in wanted)
        for feature in [_feature(name, measures[name])]
        if _is_served(feature, available)
    )


def attributes(named: Iterable[str], kinds: Mapping[str, str]) -> tuple[Feature, ...]:
    """Return the features that tell attributes of leads to rules, by the names that rules give them.

    Args:
        named: Names that begin with `ATTRIBUTE`.
        kinds: The usable attributes: name to ``text`` or ``number``; others cannot be told.
    """
    found = [(name, name.removeprefix(ATTRIBUTE)) for name in sorted(named)]
    return tuple(_attribute(name, plain, kinds[plain]) for name, plain in found if plain in kinds)


def _measures(naming: Naming, occurring: AbstractSet[str] | None) -> dict[str, Measure]:
    """Return how each fact is measured that rows of the past can tell."""
    measures = {
        "orders": _partial("count", "orders", SALES),
        "spending": _partial("sum", "orders", SALES, "amount"),
        "days_since_last_order": _partial("days_since_last", "orders", SALES),
        "days_since_first_order": _partial("days_since_first", "orders", SALES),
        "visits_30d": _partial("count", "sessions", window=30),
        "days_since_last_visit": _partial("days_since_last", "sessions"),
        "days_known": Measure("lead_age"),
        "source": _partial("last", "sessions", parse({"source": {"missing": False}}), "source"),
        "campaign": _partial("last", "sessions", parse({"campaign": {"missing": False}}), "campaign"),
        SALES_STAGE: _partial("last", "lead_states", column="stage"),
        OPEN_DEAL: Measure(
            "open_count",
            "outcomes",
            parse({"outcome": _spellings(naming.deal_opens)}),
            since_table="outcomes",
            since_where=parse({"outcome": _spellings(naming.deal_closes)}),
            is_partial=True,
        ),
    }
    for name, (ours, window) in _COUNTED_EVENTS.items():
        types = naming.event_types.get(ours) or EVENT_TYPES[ours]
        if _occurs(types, occurring):
            measures[name] = _partial("count", "events", parse({"type": list(types)}), window=window)
    return measures | _open_cart(naming, occurring) | _unsubscribed(naming, occurring)


_COUNTED_EVENTS: Final = {
    "product_views_30d": ("product_view", 30),
    "price_views_30d": ("price_view", 30),
    "emails_opened_30d": ("email_opened", 30),
    "emails_clicked_30d": ("email_clicked", 30),
    "downloads_90d": ("download", 90),
    "webinars_90d": ("webinar", 90),
}


def _open_cart(naming: Naming, occurring: AbstractSet[str] | None) -> dict[str, Measure]:
    types = naming.event_types.get("cart_add") or EVENT_TYPES["cart_add"]
    if not _occurs(types, occurring):
        return {}
    kinds = {"open_cart_items": "open_count", "open_cart_value": "open_sum", "open_cart_age": "open_age"}
    return {
        name: Measure(
            kind,
            "events",
            parse({"type": list(types)}),
            "value" if kind == "open_sum" else "",
            window=30,
            since_table="orders",
            since_where=SALES,
            is_partial=True,
        )
        for name, kind in kinds.items()
    }


def _unsubscribed(naming: Naming, occurring: AbstractSet[str] | None) -> dict[str, Measure]:
    unsubscribes = _spellings(naming.unsubscribes)
    if not _occurs(unsubscribes, occurring):
        return {}
    return {
        UNSUBSCRIBED: Measure(
            "open_count",
            "events",
            parse({"type": unsubscribes}),
            since_table="events",
            since_where=parse({"type": _spellings(naming.subscribes)}),
            is_partial=True,
        )
    }


def _partial(kind: str, table: str, where: Conditions = (), column: str = "", *, window: int = 0) -> Measure:
    return Measure(kind, table, where, column, window, is_partial=True)


def _occurs(types: Iterable[str], occurring: AbstractSet[str] | None) -> bool:
    return occurring is None or bool(occurring & set(types))


def _is_served(feature: Feature, available: Mapping[str, AbstractSet[str]]) -> bool:
    needed = columns_read([feature])
    return all(columns <= available.get(table, set()) for table, columns in needed.items())


def _feature(fact: str, measure: Measure) -> Feature:
    known = FACTS[fact]
    return _told(column_of(fact), known.means, measure, is_text=known.kind == "text", unit=known.unit)


def _attribute(name: str, plain: str, kind: str) -> Feature:
    is_text = kind != "number"
    words = f"The lead's {plain.replace('_', ' ')}."
    measure = Measure("last", "attributes", (), plain)
    return _told(column_of(name), words, measure, is_text=is_text, unit="category" if is_text else "number")


def _told(name: str, means: str, measure: Measure, *, is_text: bool, unit: str) -> Feature:
    return Feature(
        name=name,
        family="fit",
        kind="category" if is_text else "number",
        unit=unit,
        concept=name,
        phrase=Phrase("{n}"),
        description=f"For rules: {means}",
        measure=measure,
    )
