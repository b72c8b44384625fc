"""points.yaml: what it means, that a card written reads back equal, and what is refused, all at once."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from features.conditions import parse
from features.errors import LeadlightError
from models.points_card import Action, Caps, Cuts, Odds, PointsCard, Rule, Value
from pipeline import points_file
from pipeline.points_draft import draft
from pipeline.points_file import parse_card, read_card, spell_card

HERE = Path("points.yaml")
GOLDEN = """\
# A shop's card
base: 10
caps: {fit: 30, engagement: 60, total: 90}
grades: {a: 60, b: 40, c: 20}
temperatures: {hot: 50, warm: 25}
odds: {at_zero: 0.01, doubles_every: 8.5}
rules:
  - {name: opened the price page, group: engagement, points: 4, cap: 12, table: events, where: {type: price_view}, within: 7, per: each, decay: linear}
  - {name: came back, group: engagement, points: 3, table: sessions, where: {pages: {min: 2}}, within: 14, per: once, decay: {half_life: 7}}
  - {name: bought at all, group: fit, points: 5, table: orders, where: {category: [a, b]}, within: ever, per: each}
  - {name: from Poland, group: fit, points: 10, attribute: country, is: PL}
  - {name: "small: no", group: fit, points: -10, attribute: employees, below: 50, min: 5}
  - {name: never ordered, group: engagement, points: -5, feature: days_since_last_order_ever, missing: true}
"""  # noqa: E501 - as it is written
CARD = PointsCard(
    rules=(
        Rule("opened the price page", "engagement", 4, Action("events", parse({"type": "price_view"}), 7,
                                                              decay="linear"), 12),
        Rule("came back", "engagement", 3, Action("sessions", parse({"pages": {"min": 2}}), 14, is_once=True,
                                                  decay="half_life", half_life=7)),
        Rule("bought at all", "fit", 5, Action("orders", parse({"category": ["a", "b"]}))),
        Rule("from Poland", "fit", 10, Value("attribute", "country", parse({"country": "PL"}))),
        Rule("small: no", "fit", -10, Value("attribute", "employees", parse({"employees": {"below": 50, "min": 5}}))),
        Rule("never ordered", "engagement", -5, Value("feature", "days_since_last_order_ever",
                                                      parse({"days_since_last_order_ever": {"missing": True}}))),
    ),
    base=10, caps=Caps(30, 60, 90), cuts=Cuts(60, 40, 20, 50, 25), odds=Odds(0.01, 8.5),
)  # fmt: skip


def refused(text):
    """Return what a card's text is refused with."""
    with pytest.raises(LeadlightError) as caught:
        parse_card(text, place=HERE)
    assert "\n\nHint: " in str(caught.value)
    return str(caught.value)


def test_a_card_means_what_it_says():
    """The whole of a small card, rule by rule."""
    assert parse_card(GOLDEN, place=HERE) == CARD


def test_a_card_written_reads_back_equal():
    """What is printed is what is used: written and read again, the card and its label are the same."""
    again = parse_card(spell_card(CARD, head="learned\nfrom data"), place=HERE)
    assert again == CARD
    assert again.label == CARD.label


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**40), 2**40) | st.just(56.0)


@settings(max_examples=30)
@given(levels=st.lists(texts, min_size=1, max_size=4, unique=True), low=numbers, points=st.integers(1, 1000))
def test_any_level_and_any_bound_read_back_equal(levels, low, points):
    """Levels with quotes, colons, line ends or digits, and bounds to the last bit, are read as they were written."""
    card = PointsCard((
        Rule("a", "fit", points, Value("attribute", "x", parse({"x": levels}))),
        Rule("b", "engagement", -points, Value("feature", "y", parse({"y": {"min": low}}))),
        Rule("c", "engagement", points, Action("events", parse({"type": {"not": levels}}), 3)),
    ))  # fmt: skip
    again = parse_card(spell_card(card), place=HERE)
    assert again == card
    assert again.label == card.label


def test_all_faults_are_told_at_once_with_the_nearest_key():
    """Each fault is named by its rule, as people count, with what was likely meant."""
    text = refused("""
bas: 3
caps: {fit: 0}
rules:
  - {name: a, group: fits, points: 1.5, tble: events}
  - {name: b, group: fit, points: 0, attribute: country, is: [PL]}
  - {name: c, group: fit, points: 2, attribute: country, mn: 3}
  - {name: d, group: fit, points: 2, table: events, within: 3 weeks, decay: {half_life: 0}, where: {a: {mim: 3}}}
  - {name: e, group: fit, points: 2, table: events, within: ever, decay: linear}
  - {name: f, group: fit, points: 2, attribute: country, within: 3, is: PL}
  - {name: g, group: fit, points: 2, attribute: country}
  - {name: h, group: fit, points: 2, attribute: country, min: .nan}
""")
    for part in (
        "bas: unknown setting (did you mean 'base'?)",
        "caps.fit: ",
        "rule 1 (a), group: input should be 'fit' or 'engagement', got 'fits'",
        "rule 1 (a), points: ",
        "rule 1 (a), tble: unknown setting (did you mean 'table'?)",
        "rule 2 (b), points: a rule of 0 points gives nothing",
        "rule 2 (b), is: a plain value is wanted",
        "rule 3 (c), mn: unknown setting (did you mean 'min'?)",
        "rule 4 (d), within is a number of days or ever, not '3 weeks'; half_life is a number of days, not 0; a: unkn",
        "rule 5 (e), linear decay needs within",
        "rule 6 (f), within is for an action (table)",
        "rule 7 (g), say which values of the attribute give points",
        "rule 8 (h), min: a number is wanted",
    ):
        assert part in text, text


def test_two_rules_of_one_name_are_refused():
    """Reasons are told by the rule's name, so each has its own; capitals do not make another."""
    rule = "{name: NAME, group: fit, points: 1, attribute: x, is: y}"
    assert "twice" in refused(f"rules: [{rule.replace('NAME', 'hot')}, {rule.replace('NAME', 'Hot')}]")


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "rules", "rules: []", "rules: {}", "rules: *a", "a: &a [1]\nrules: *a", "rules: [&b {name: x}]",
        "base: 1\nbase: 2\nrules: []", "rules: " + "[" * 1500, "rules: [{", "rules: !!python/object:os.system {}",
        "rules: [1, null, text]", "base: 10000000000000000000000\nrules: []", "\x00", "? [a]\n: b", "1: 2",
        "rules: [{name: [x], group: fit, points: 1, attribute: x, is: y}]", "odds: {at_zero: 0, doubles_every: 1}",
        "grades: {a: 10, b: 20}", "rules: [{name: 'x{n}', group: fit, points: 1, attribute: x, is: y}]",
        'rules: [{name: "x\\e[31m", group: fit, points: 1, attribute: x, is: y}]',
        "rules: [{name: limit of fit, group: fit, points: 1, attribute: x, is: y}]",
        "rules: [{name: x, group: fit, points: yes, attribute: x, is: y}]",
        "rules: [{name: x, group: fit, points: 1, attribute: x, is: y, table: events}]",
        "rules: [{name: x, group: fit, points: 1, attribute: x, is: 2024-01-01}]",
        "base: " + "9" * 5000,
        *(
            f"rules: [{{name: x, group: fit, points: 1, attribute: x, {test}}}]"
            for test in (
                "min: " + "9" * 400, "is: " + "9" * 400, "below: 0x" + "f" * 5000, "max: -.inf", "in: []",
                "contains: []",
                "min: 9, max: 8", "above: 5, max: 5", "min: 5, below: 5",
                "min: 6, above: 4, max: 5",
            )
        ),
    ],
)  # fmt: skip
def test_hostile_text_is_refused_in_words(text):
    """Whatever is no card is refused with a message and a hint; nothing is run, and nothing of it is kept."""
    refused(text)


def test_bounds_that_meet_leave_one_value():
    """From 5 to 5, both included, is 5 and no fault."""
    card = parse_card("rules: [{name: x, group: fit, points: 1, attribute: x, min: 5, max: 5}]", place=HERE)
    assert len(card.rules) == 1


def test_a_card_that_is_not_there_or_too_large_is_refused(tmp_path, monkeypatch):
    """A missing file names the way to one; a file of the wrong kind is not even read."""
    with pytest.raises(LeadlightError, match="leadlight points init"):
        read_card(tmp_path / "points.yaml")
    path = tmp_path / "big.yaml"
    path.write_text(GOLDEN)
    monkeypatch.setattr(points_file, "LARGEST", 100)
    with pytest.raises(LeadlightError, match="larger than 100 bytes"):
        read_card(path)
    path.write_bytes(b"rules: \xff")
    with pytest.raises(LeadlightError, match="UTF-8"):
        read_card(path)


def test_the_card_to_start_from_is_one_and_every_rule_switched_off_would_be_valid_too():
    """Rules that the tables cannot serve stand there as comments, ready to be switched on."""
    everything = parse_card(draft({"orders", "sessions", "events"}), place=HERE)
    few = draft({"orders"}, attributes=["plan: x", "land"], event_types={"pdf", "mail_sent"})
    assert len(parse_card(few, place=HERE).rules) < len(everything.rules)
    switched_on = few.replace("  # - {", "  - {").replace("   # your data have none", "")
    names = {rule.name for rule in parse_card(switched_on, place=HERE).rules}
    assert {rule.name for rule in everything.rules} <= names
    assert {"pdf", "plan: x as it should be", "land as it should be"} <= names
    assert not any("mail" in name and "sent" in name for name in names)
    assert yaml.safe_load(few)["caps"] == {"fit": 40, "engagement": 60}
