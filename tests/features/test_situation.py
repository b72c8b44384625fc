"""A lead's situation: facts by name, never from the future, beside what a model reads."""

import numpy as np
import pyarrow as pa
import pytest
import worlds
from hypothesis import given, settings
from worlds import DAY

from features import situation
from features.cohorts import Cohort
from features.conditions import mask
from features.deleting import differing, without_future
from features.labels import Conversion
from features.matrix import FeatureTable
from features.situation import FACTS, Naming, column_of
from features.snapshots import Grid, Trigger
from features.training_table import Question, scoring_table

NAMING = Naming(unsubscribes=("email_sent",), subscribes=("download",))
KEYS = {"lead_no", "occurred_at", "known_at", "superseded_at"}
AVAILABLE = {name: set(columns) | KEYS for name, columns in worlds.CONTENT.items()}
FEATURES = (worlds.number("orders_count", situation.Measure("count", "orders")),)
ON_GRID = Question(Conversion("orders"), Grid(days=1), Cohort(), horizon_days=2)
AT_EVENTS = Question(Conversion("orders"), Trigger("events"), Cohort(), horizon_days=2)
TOLD = situation.situation(AVAILABLE, NAMING)


def at(world, as_of, question=ON_GRID, features=FEATURES):
    """Return the scoring table of a world's leads with their situation beside it."""
    return scoring_table(world.timelines(), question, features, as_of=as_of, beside=TOLD)


@settings(max_examples=60)
@given(world=worlds.timeline_worlds(), as_of=worlds.moments)
def test_what_was_known_later_changes_no_situation(world, as_of):
    """With every row known at or after the moment deleted, each fact is the same to the bit."""
    timelines = world.timelines()
    past = without_future(timelines, np.full(worlds.N_LEADS, as_of))
    found = [scoring_table(t, ON_GRID, FEATURES, as_of=as_of, beside=TOLD) for t in (timelines, past)]
    assert differing(*(FeatureTable(one.keys, one.beside, TOLD) for one in found)) == {}


@settings(max_examples=60)
@given(world=worlds.timeline_worlds(), as_of=worlds.moments)
def test_a_situation_beside_changes_nothing_that_a_model_reads(world, as_of):
    """Features are bitwise the same with and without the situation beside them."""
    plain = scoring_table(world.timelines(), ON_GRID, FEATURES, as_of=as_of)
    asked = at(world, as_of)
    assert asked.keys.equals(plain.keys)
    assert asked.features == plain.features
    assert differing(plain, asked) == {}


@settings(max_examples=60)
@given(world=worlds.timeline_worlds(), as_of=worlds.moments)
def test_a_trigger_of_before_is_answered_with_the_situation_of_now(world, as_of):
    """Whenever a trigger was pulled, its lead's facts are those that the same lead has on a grid at the moment."""
    now = at(world, as_of)
    of_lead = dict(zip(now.keys["lead_id"].to_pylist(), now.beside.to_pylist(), strict=True))
    triggered = at(world, as_of, AT_EVENTS)
    for lead, facts in zip(triggered.keys["lead_id"].to_pylist(), triggered.beside.to_pylist(), strict=True):
        if lead in of_lead:
            assert str(facts) == str(of_lead[lead])


@settings(max_examples=100)
@given(world=worlds.timeline_worlds(), as_of=worlds.moments)
def test_each_fact_is_what_looking_at_every_row_finds(world, as_of):
    """Orders, spending, unsubscribing and the open cart agree with a count by hand."""
    asked = at(world, as_of)
    for lead, facts in zip(asked.keys["lead_id"].to_pylist(), asked.beside.to_pylist(), strict=True):
        number = int(lead.removeprefix("lead-"))
        sales = [row for row in world.visible("orders", number, as_of) if not row["is_cancelled"]]
        events = world.visible("events", number, as_of)
        recent = [row for row in sales if row["occurred"] < as_of]
        assert facts[column_of("orders")] == len(recent)
        assert facts[column_of("spending")] == float(sum(row["amount"] for row in recent))
        ended = max([row["occurred"] for row in events if row["type"] == "download" and row["occurred"] < as_of],
                    default=-1)  # fmt: skip
        left = [row for row in events if row["type"] == "email_sent" and ended < row["occurred"] < as_of]
        assert (facts[column_of("is_unsubscribed")] > 0) == bool(left)
        bought = max([row["occurred"] for row in recent], default=-1)
        since = max(bought + 1, as_of - 30 * DAY)
        cart = [row for row in events if row["type"] == "cart_add" and since <= row["occurred"] < as_of]
        assert facts[column_of("open_cart_items")] == len(cart)


def test_what_a_shop_cannot_tell_is_left_out():
    """Without sessions there are no visits, without webinars among the events none that could be missed."""
    told = situation.situation({"orders": AVAILABLE["orders"], "events": AVAILABLE["events"]}, NAMING,
                               event_types={"cart_add", "price_view"})  # fmt: skip
    names = {feature.name.removeprefix(situation.PREFIX) for feature in told}
    assert names == {
        "orders", "spending", "days_since_last_order", "days_since_first_order", "price_views_30d", "days_known",
        "open_cart_items", "open_cart_value", "open_cart_age",
    }  # fmt: skip


def test_only_what_is_asked_for_is_computed():
    """A shop whose rules ask for two facts pays for two."""
    told = situation.situation(AVAILABLE, NAMING, wanted={"orders", "days_known"})
    assert [feature.name for feature in told] == [column_of("orders"), column_of("days_known")]


def test_a_table_of_leads_without_a_history_has_no_situation():
    """Nothing happened that could be told; attributes can be asked for all the same."""
    assert situation.situation({"attributes": {"plan"}}, NAMING) == ()
    asked = situation.attributes(["lead.plan", "lead.unknown"], {"plan": "text"})
    assert [(feature.name, feature.kind) for feature in asked] == [("situation.lead.plan", "category")]


@pytest.mark.parametrize("name", [name for name, fact in FACTS.items() if fact.kind != "truth"])
def test_every_counted_fact_can_be_told_by_some_shop(name):
    """No word of the vocabulary is without a meaning."""
    shops = {**AVAILABLE, "outcomes": KEYS | {"outcome", "value"}, "lead_states": KEYS | {"stage"}}
    assert column_of(name) in {feature.name for feature in situation.situation(shops, NAMING)}


@pytest.mark.parametrize("spelt", ["unsubscribed", "Unsubscribed", "OPT_OUT", "Opt Out", "opt-out"])
def test_words_that_stop_or_close_are_read_as_crms_spell_them(spelt):
    """Neither case nor what joins words decides whether a lead is left alone."""
    found = situation.situation(AVAILABLE, Naming(), event_types={spelt}, wanted={situation.UNSUBSCRIBED})
    assert [feature.name for feature in found] == [column_of(situation.UNSUBSCRIBED)]


@pytest.mark.parametrize(
    ("opened", "closed"), [("open", "Closed Won"), ("Deal Open", "closedlost"), ("OPPORTUNITY", "WON")]
)
def test_a_deal_is_open_until_it_is_closed_in_any_spelling(opened, closed):
    """What opens it is seen, and what closes it ends it."""
    shops = {**AVAILABLE, "outcomes": KEYS | {"outcome", "value"}}
    [feature] = situation.situation(shops, Naming(), wanted={situation.OPEN_DEAL})
    outcomes = pa.table({"outcome": [opened, closed, "called"]})
    assert mask(feature.measure.where, outcomes).tolist() == [True, False, False]
    assert mask(feature.measure.since_where, outcomes).tolist() == [False, True, False]
