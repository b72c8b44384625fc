"""The question in words, drawn from the config."""

from pathlib import Path

import pytest

from pipeline import settings, shipped
from pipeline.card_setting import asked_in_words


def asked(name):
    """Return the question of a shipped config in words."""
    raw = settings.read_yaml(shipped.config(name))
    return asked_in_words(settings.parse({**raw, "data": ""}, place=shipped.config(name)))


def test_a_question_at_a_trigger():
    """The campaign's own end is the horizon, and only its own coupons count."""
    assert asked("complete_journey") == {
        "A conversion is": "an event, where type is coupon_redeemed, of the same campaign",
        "Asked about": "every lead",
        "Asked when": "at every row of events where type is campaign_sent",
        "Horizon": "until ends_on of that row",
    }


def test_a_question_on_a_grid():
    """Every fourth Monday, four weeks ahead, with a week for late news."""
    assert asked("synthetic_shop") == {
        "A conversion is": "an order that was not cancelled",
        "Asked about": "every lead",
        "Asked when": "every 28 days",
        "Horizon": "28 days; what becomes known up to 7 days later still counts",
    }


@pytest.mark.parametrize(("every", "said"), [("1mo", "every month"), ("1d", "every day"), ("2w", "every 2 weeks")])
def test_one_is_not_many(every, said):
    """A step of one is said without its number."""
    raw = {"shop": {"name": "Test"}, "tables": {"orders": {"path": "orders.csv"}}}
    found = settings.parse({**raw, "question": {"snapshots": {"every": every}}}, place=Path("shop.yaml"))
    assert asked_in_words(found)["Asked when"] == said


@pytest.mark.parametrize("name", shipped.config_names())
def test_every_shipped_question_can_be_said(name):
    """No part is left empty."""
    assert all(asked(name).values())
