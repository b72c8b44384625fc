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
    "product_view": EventWords(
        "product viewed", "products viewed", "product_views",
        count=Phrase("looked at products {n} times {window}", "looked at a product once {window}",
                     "looked at no products {window}", "number of products viewed {window} not known"),
        latest=Phrase("last looked at a product {n} ago", missing="looked at no product so far"),
    ),
    "price_view": EventWords(
        "visit to the price page", "visits to the price page", "price_page",
        count=Phrase("looked at the price page {n} times {window}", "looked at the price page once {window}",
                     "did not look at the price page {window}", "visits to the price page {window} not known"),
        latest=Phrase("last looked at the price page {n} ago", missing="has not looked at the price page so far"),
    ),
    "cart_add": EventWords(
        "addition to the cart", "additions to the cart", "cart",
        count=Phrase("added to the cart {n} times {window}", "added to the cart once {window}",
                     "added nothing to the cart {window}", "additions to the cart {window} not known"),
        latest=Phrase("last added to the cart {n} ago", missing="has added nothing to the cart so far"),
    ),
    "checkout": EventWords(
        "checkout begun", "checkouts begun", "checkout",
        count=Phrase("began to check out {n} times {window}", "began to check out once {window}",
                     "did not begin to check out {window}", "number of checkouts begun {window} not known"),
        latest=Phrase("last began to check out {n} ago", missing="has not begun to check out so far"),
    ),
}  # fmt: skip


def features(offering: Offering) -> list[Feature]:
    """Return the funnel features over the offered windows."""
    return [*of_event_types(offering, _COUNTED, family="funnel"), *_open_cart(offering)]


def _open_cart(offering: Offering) -> list[Feature]:
    if not offering.has_events("cart_add"):
        return []
    items = _draft(
        name="open_cart_items", unit="count", concept="open_cart",
        phrase=Phrase("{n} items in the open cart", "1 item in the open cart", "no open cart",
                      "items in the open cart not known"),
        description="Additions to the cart since the last order, {window}.",
    )  # fmt: skip
    value = _draft(
        name="open_cart_value", unit="money", concept="open_cart",
        phrase=Phrase("open cart worth {n}", zero="no open cart", missing="value of the open cart not known"),
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
