"""Funnel: product and price pages, carts and checkouts, and what still lies in the open cart."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from features.catalog import Feature, Measure, Phrase
from features.cohorts import SALES
from features.families.event_types import EventWords, of_event_types
from features.families.offering import Draft, Offering

_draft = partial(Draft, family="funnel")
_COUNTED = {
    "product_view": EventWords("products viewed", "product viewed", "product_views"),
    "price_view": EventWords("visits to the price page", "visit to the price page", "price_page"),
    "cart_add": EventWords("additions to the cart", "addition to the cart", "cart"),
    "checkout": EventWords("checkouts begun", "checkout begun", "checkout"),
}


def features(offering: Offering) -> list[Feature]:
    """Return the funnel features over the offered windows."""
    return [*of_event_types(offering, _COUNTED, family="funnel"), *_open_cart(offering)]


def _open_cart(offering: Offering) -> list[Feature]:
    if not offering.has_events("cart_add"):
        return []
    items = _draft(
        name="open_cart_items", unit="count", concept="open_cart",
        phrase=Phrase("{n} items in the open cart", "1 item in the open cart", "no open cart"),
        description="Additions to the cart since the last order, {window}.",
    )  # fmt: skip
    value = _draft(
        name="open_cart_value", unit="money", concept="open_cart",
        phrase=Phrase("open cart worth {n}", zero="no open cart"),
        description="Value added to the cart since the last order, {window}.",
    )  # fmt: skip
    age = _draft(
        name="open_cart_age", unit="days", concept="open_cart",
        phrase=Phrase("cart open for {n}", missing="no open cart"),
        description="Days since the first addition to the cart after the last order, {window}.",
    )  # fmt: skip
    in_cart = Measure("", "events", offering.events("cart_add"), since_table="orders", since_where=SALES)
    window = (offering.longest,)
    return [
        *items.over(window, replace(in_cart, kind="open_count")),
        *value.over(window, replace(in_cart, kind="open_sum", column="value")),
        *age.over(window, replace(in_cart, kind="open_age")),
    ]
