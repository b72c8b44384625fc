"""Purchase: how often, how much, how regularly and how willingly the lead has bought."""

from __future__ import annotations

from functools import partial

from features.catalog import Feature, Measure, Phrase
from features.cohorts import SALES
from features.conditions import parse
from features.families.offering import Draft, Offering

_draft = partial(Draft, family="purchase")
_DISCOUNTED = parse({"discount": {"above": 0}})
_CANCELLED = parse({"is_cancelled": True})


def features(offering: Offering) -> list[Feature]:
    """Return the purchase features over the offered windows and since the data begin."""
    return [*_volumes(offering), *_rhythm(), *_habits((offering.longest, 0))]


def _volumes(offering: Offering) -> list[Feature]:
    windows = (*offering.windows, 0)
    count = _draft(
        name="orders_count", unit="count", concept="orders",
        phrase=Phrase("{n} orders {window}", "1 order {window}", "no orders {window}",
                      "number of orders {window} not known"),
        description="Number of orders {window}.",
    )  # fmt: skip
    money = _draft(
        name="orders_amount", unit="money", concept="spending",
        phrase=Phrase("spent {n} {window}", zero="spent nothing {window}", missing="spending {window} not known"),
        description="Sum of order amounts {window}.",
    )  # fmt: skip
    average = _draft(
        name="order_value_mean", unit="money", concept="order_value",
        phrase=Phrase("average order of {n} {window}", missing="no orders {window} to average"),
        description="Average order value {window}.",
    )  # fmt: skip
    return [
        *count.over(windows, Measure("count", "orders", SALES)),
        *money.over(windows, Measure("sum", "orders", SALES, "amount")),
        *average.over((offering.longest, 0), Measure("mean", "orders", SALES, "amount")),
    ]


def _rhythm() -> list[Feature]:
    last = _draft(
        name="days_since_last_order", unit="days", concept="last_order",
        phrase=Phrase("last order {n} ago", missing="no orders so far"),
        description="Days since the last order.",
    )  # fmt: skip
    tenure = _draft(
        name="days_since_first_order", unit="days", concept="customer_tenure",
        phrase=Phrase("customer for {n}", missing="not a customer yet"),
        description="Days since the first order: tenure as a customer.",
    )  # fmt: skip
    gap = _draft(
        name="order_gap_mean", unit="days", concept="order_rhythm",
        phrase=Phrase("{n} between orders on average", missing="too few orders to see a rhythm"),
        description="Mean days between orders.",
    )  # fmt: skip
    overdue = _draft(
        name="order_overdue", unit="ratio", concept="order_rhythm",
        phrase=Phrase("time since the last order is {n} times the usual gap",
                      "time since the last order equals the usual gap",
                      missing="too few orders to see a rhythm"),
        description="Days since the last order over the mean gap between orders.",
    )  # fmt: skip
    return [
        *last.over((0,), Measure("days_since_last", "orders", SALES)),
        *tenure.over((0,), Measure("days_since_first", "orders", SALES)),
        *gap.over((0,), Measure("mean_gap", "orders", SALES)),
        *overdue.over((0,), Measure("overdue", "orders", SALES)),
    ]


def _habits(windows: tuple[int, ...]) -> list[Feature]:
    discount = _draft(
        name="discounted_share", unit="share", concept="discounts",
        phrase=Phrase("{n} of orders {window} were at a discount", zero="no order {window} was at a discount",
                      missing="no orders {window}"),
        description="Share of orders {window} that had a discount.",
    )  # fmt: skip
    cancelled = _draft(
        name="cancelled_share", unit="share", concept="cancellations",
        phrase=Phrase("{n} of orders {window} were cancelled", zero="no order {window} was cancelled",
                      missing="no orders {window}"),
        description="Share of orders {window} known to be cancelled.",
    )  # fmt: skip
    categories = _draft(
        name="order_categories", unit="count", concept="breadth",
        phrase=Phrase("bought from {n} categories {window}", "bought from 1 category {window}",
                      "bought from no category {window}",
                      "categories bought from {window} not known"),
        description="Number of different categories bought {window}.",
    )  # fmt: skip
    items = _draft(
        name="order_items", unit="count", concept="items",
        phrase=Phrase("bought {n} items {window}", "bought 1 item {window}", "bought no items {window}",
                      "number of items bought {window} not known"),
        description="Number of items bought {window}.",
    )  # fmt: skip
    return [
        *discount.over(windows, Measure("share", "orders", SALES, of=_DISCOUNTED)),
        *cancelled.over(windows, Measure("share", "orders", of=_CANCELLED)),
        *categories.over(windows, Measure("distinct", "orders", SALES, "category")),
        *items.over(windows, Measure("sum", "orders", SALES, "items")),
    ]
