"""A points card: sums that can be checked by hand, and what it refuses."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Measure, Phrase
from features.conditions import parse
from features.errors import LeadlightError
from features.matrix import FeatureTable
from models.points_card import Action, Caps, PointsCard, Rule, Value
from models.points_card_columns import bind, fading_column, times_column, value_column
from models.points_card_totals import card_points
from models.wording import sentence

AVAILABLE = {"events": {"lead_no", "occurred_at", "known_at", "superseded_at", "type"}}
ATTRIBUTES = {"country": "text", "employees": "number"}
AGE = Feature("lead_age", "fit", "number", "days", "age", Phrase("known for {n}"), "", measure=Measure("lead_age"))

OPENED = Rule("opened", "engagement", 4, Action("events", parse({"type": "open"}), within=8), cap=10)
FADING = Rule("viewed", "engagement", 6, Action("events", within=8, decay="linear"))
LATEST = Rule("called", "engagement", 8, Action("events", within=8, is_once=True, decay="half_life", half_life=2))
POLISH = Rule("from Poland", "fit", 10, Value("attribute", "country", parse({"country": "PL"})))
SMALL = Rule("small", "fit", -7, Value("attribute", "employees", parse({"employees": {"below": 10}})))
OLD = Rule("old", "fit", 3, Value("feature", "lead_age", parse({"lead_age": {"min": 30}})))
CARD = PointsCard((OPENED, FADING, LATEST, POLISH, SMALL, OLD), base=5)
NAN = float("nan")


def table(**columns):
    """Return a table of the card's columns, the last four of nine leads like the first but for what is given."""
    n = 9
    values = {
        times_column(OPENED): [0.0, 1, 2, 3, 100, NAN, 0, 0, 0],
        times_column(FADING): [0.0, 1, 2, 0, 0, 0, 0, 0, 0],
        fading_column(FADING): [0.0, 0.75, 1.25, 0, 0, 0, 0, 0, 0],
        times_column(LATEST): [0.0, 1, 3, 0, 0, 0, 0, 0, 0],
        fading_column(LATEST): [NAN, 2.0, 4.0, NAN, NAN, NAN, NAN, NAN, NAN],
        value_column(POLISH.asks): pa.array(["PL", "DE", None, "PL", "", "pl", None, "PL", "DE"]).dictionary_encode(),
        value_column(SMALL.asks): [3.0, 10, NAN, 9.99, 200, NAN, NAN, 1, 50],
        **columns,
    }
    keys = {
        "lead_id": [f"lead-{place}" for place in range(n)],
        "as_of": pa.array([1_700_000_000_000_000] * n, pa.timestamp("us", tz="UTC")),
        "trigger_id": pa.nulls(n, pa.string()),
    }
    beside = {name: column for name, column in values.items() if name != "lead_age"}
    age = pa.table({"lead_age": values.get("lead_age", [29.9, 30.0, NAN, 31, 0, 0, 0, 0, 0])})
    return FeatureTable(pa.table(keys), age, (AGE,), beside=pa.table(beside))


def bound(card=CARD):
    """Return *card* with what it reads."""
    return bind(card, available=AVAILABLE, attributes=ATTRIBUTES, catalog=(AGE,))


def test_points_by_hand():
    """Each rule of each of nine leads: times 4 up to 10, faded times 6, the latest call, and values."""
    given = card_points(CARD, table())
    assert given.per_rule.T.tolist() == [
        [0, 4, 8, 10, 10, 0, 0, 0, 0],
        [0, 5, 8, 0, 0, 0, 0, 0, 0],  # 6 · .75 = 4.5 and 6 · 1.25 = 7.5: halves away from zero
        [0, 4, 2, 0, 0, 0, 0, 0, 0],  # 8 · 2^-1, 8 · 2^-2
        [10, 0, 0, 10, 0, 0, 0, 10, 0],
        [-7, 0, 0, -7, 0, 0, 0, -7, 0],
        [0, 3, 0, 3, 0, 0, 0, 0, 0],
    ]
    assert given.total.tolist() == [8, 21, 23, 21, 15, 5, 5, 8, 5]


def test_negative_halves_round_away_from_zero_too():
    """-6 times .75 is -4.5 and gives -5, as +6 gives +5: signs change nothing but the sign."""
    card = PointsCard((replace(FADING, points=-6),))
    assert card_points(card, table()).per_rule[:3, 0].tolist() == [0, -5, -8]


def test_a_rules_cap_holds_with_decay():
    """A capped rule gives the cap where its faded points would be more."""
    capped = PointsCard((replace(FADING, cap=6),))
    assert card_points(capped, table()).per_rule[:3, 0].tolist() == [0, 5, 6]


def test_caps_of_groups_hold_in_both_directions_and_add_up():
    """What a cap takes away or gives back is a line of its own: the rules and the limits sum to the groups."""
    card = replace(CARD, caps=Caps(fit=5, engagement=12))
    given = card_points(card, table())
    rules = np.array([rule.group == "fit" for rule in card.rules])
    for group, mine in (("fit", rules), ("engagement", ~rules)):
        raw = given.per_rule[:, mine].sum(axis=1)
        cap = getattr(card.caps, group)
        assert np.array_equal(raw + given.limits[group], given.groups[group])
        assert np.abs(given.groups[group]).max() <= cap
    assert np.array_equal(given.total, card.base + given.groups["fit"] + given.groups["engagement"])
    negative = card_points(replace(card, rules=(replace(SMALL, points=-70),)), table())
    assert negative.groups["fit"].min() == -5


def test_the_score_stays_on_the_scale():
    """The total may leave the scale, the score may not."""
    card = replace(CARD, base=-10, caps=Caps(total=7))
    given = card_points(card, table())
    assert given.total.min() < 0
    assert given.total.max() > 7
    assert np.array_equal(given.score, np.clip(given.total, 0, 7))


def test_the_order_of_rows_changes_no_points():
    """Shuffled leads get the same points; a lead alone gets what it gets among others."""
    order = np.random.default_rng(0).permutation(9)
    whole = card_points(CARD, table())
    assert np.array_equal(card_points(CARD, table().take(order)).per_rule, whole.per_rule[order])
    for row in range(9):
        alone = card_points(CARD, table().take(np.array([row])))
        assert alone.per_rule.tolist() == [whole.per_rule[row].tolist()]


def test_no_rule_gives_more_than_can_be_stored():
    """A million times is ten thousand points at most, cap or not."""
    card = PointsCard((replace(OPENED, points=1000, cap=None),))
    given = card_points(card, table(**{times_column(OPENED): [1e6] * 9}))
    assert given.per_rule.max() == 10_000


def test_what_is_not_there_is_named_at_once():
    """Every rule whose table, column, attribute or feature is missing is named, each with the nearest that exists."""
    card = PointsCard((
        replace(OPENED, name="a", asks=Action("event")),
        replace(OPENED, name="b", asks=Action("events", parse({"typ": "x"}))),
        replace(POLISH, name="c", asks=Value("attribute", "countryy", parse({"countryy": "PL"}))),
        replace(OLD, name="d", asks=Value("feature", "leadage", parse({"leadage": {"min": 1}}))),
    ))  # fmt: skip
    with pytest.raises(LeadlightError) as caught:
        bound(card)
    assert str(caught.value).splitlines()[1:5] == [
        "  - a: no table 'event'   (did you mean 'events'?)",
        "  - b: no column 'events.typ'   (did you mean 'type'?)",
        "  - c: no attribute 'countryy'   (did you mean 'country'?)",
        "  - d: no feature 'leadage'   (did you mean 'lead_age'?)",
    ]


def test_values_that_cannot_be_tested_so_are_named_at_once():
    """A number asked of text, text asked of a number and a column that was never computed are told together."""
    card = PointsCard((
        replace(POLISH, name="a", asks=Value("attribute", "country", parse({"country": {"min": 3}}))),
        replace(SMALL, name="b", asks=Value("attribute", "employees", parse({"employees": "many"}))),
        replace(OPENED, name="c"),
    ))  # fmt: skip
    with pytest.raises(LeadlightError) as caught:
        card_points(card, table())
    assert [line[4:6] for line in str(caught.value).splitlines() if line.startswith("  - ")] == ["a:", "b:", "c:"]


def test_a_card_reads_each_column_once_and_says_each_rule_in_its_own_words():
    """Two rules of one attribute share its column; an action's words tell how often and in how many days."""
    twice = PointsCard((POLISH, replace(POLISH, name="from Germany"), OPENED, LATEST))
    found = bound(twice)
    assert [feature.name for feature in found.features] == [
        "points/attribute country", "points/opened/times", "points/called/times", "points/called/fading"
    ]  # fmt: skip
    assert [sentence(word, 3.0 if word.kind == "number" else "x") for word in found.words] == [
        "from Poland", "from Germany", "opened 3 times in the last 8 days",
        "called in the last 8 days, older counts less",
        "limit of fit", "limit of engagement",
    ]  # fmt: skip


def test_a_label_changes_with_anything_that_the_card_says():
    """Equal cards share a label; other points, caps or cuts give another."""
    assert CARD.label == replace(CARD).label
    others = [replace(CARD, base=6), replace(CARD, caps=Caps(fit=3)), replace(CARD, rules=CARD.rules[:-1])]
    assert len({CARD.label, *(card.label for card in others)}) == 4
