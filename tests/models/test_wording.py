"""Values are said as a person would say them, and text from outside can do no harm."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalog import Feature, Phrase
from models.quantities import as_shown, change
from models.wording import LONGEST_LEVEL, counted, plain, sentence

UNITS = ("count", "money", "days", "share", "ratio", "seconds", "pages", "number")


def feature(unit: str, **phrase: str) -> Feature:
    """Return a feature with this unit and phrase."""
    kind = "category" if unit == "category" else "number"
    return Feature("a_thing", "purchase", kind, unit, "thing", Phrase(**{"many": "{n}", **phrase}), "")


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("count", 3, "3"), ("count", 1234, "1,234"), ("count", 0, "0"),
        ("money", 12.346, "$12.35"), ("money", 1249.6, "$1,250"), ("money", -3, "-$3"), ("money", 0.5, "$0.50"),
        ("days", 12.4, "12 days"), ("days", 1.2, "1 day"), ("days", 0.3, "less than a day"),
        ("share", 0.4, "40%"), ("share", 0.001, "under 1%"), ("share", 0.9999, "over 99%"), ("share", 1, "100%"),
        ("ratio", 1.638, "1.64"), ("seconds", 125, "2 min 5 s"), ("seconds", 7384, "2 h 3 min"),
        ("number", 1984, "1984"), ("number", 120000, "120,000"),
        ("number", 3.14159, "3.14"), ("number", 0.00123, "0.00123"),
    ],
)  # fmt: skip
def test_numbers_carry_their_unit(unit, value, words):
    """Each unit is said in its own way."""
    assert sentence(feature(unit), value, currency="USD") == words


def test_other_currencies_follow_the_amount():
    """A currency without a common sign is said by its code; none at all is left out."""
    assert sentence(feature("money"), 5.0, currency="PLN") == "PLN\xa05"
    assert sentence(feature("money"), 5.0) == "5"


def test_one_zero_and_missing_have_their_own_words():
    """The phrase for exactly this many is used where there is one."""
    orders = feature("count", many="{n} orders", one="1 order", zero="no order", missing="orders not read")
    said = [sentence(orders, value) for value in (2.0, 1.0, 0.0, None, float("nan"))]
    assert said == ["2 orders", "1 order", "no order", "orders not read", "orders not read"]
    assert sentence(feature("count"), None) == "a thing not known"


@given(st.floats(0.001, 1000))
def test_a_rise_never_reads_as_a_fall(ratio):
    """Above 1 is up or a multiple, below 1 is down, and what rounds to 1 is unchanged."""
    words = change(ratio)
    if ratio > 1.005:
        assert words.startswith("up ") or words.endswith(" times the usual")
    elif ratio < 0.995:
        assert words.startswith("down ")
    assert (words == "unchanged") == (round(ratio * 100) == 100)


@given(st.sampled_from(UNITS), st.floats(allow_nan=False))
def test_any_number_is_said_in_a_few_words(unit, value):
    """The largest numbers, the smallest and infinity itself end in a short line, whether or not it tells a change."""
    for phrase in ("{n}", "{change}", "{n}, {change}"):
        assert len(sentence(feature(unit, many=phrase), abs(value))) < 90
    assert len(sentence(feature(unit), value)) < 90


def test_numbers_beyond_all_sense_are_capped_in_words():
    """An amount of three hundred digits, and a rise to it, are said as more than a number that one can read."""
    assert sentence(feature("money"), 1e308, currency="USD") == "over $1,000,000,000,000,000"
    assert change(1e308) == "over 1,000,000 times the usual"
    assert change(1e6) == "1,000,000 times the usual"


@given(st.sampled_from(UNITS), st.floats(-1e6, 1e6))
def test_words_depend_on_what_is_shown_alone(unit, value):
    """Rounding to what is shown first changes no sentence, so equal words can be written once."""
    near = float(as_shown(np.array([value]), unit)[0])
    assert sentence(feature(unit), near) == sentence(feature(unit), value)


def test_one_of_a_thing_is_no_plural():
    """One rule, no rules and many rules."""
    assert [counted(number, "rule") for number in (0, 1, 1200)] == ["0 rules", "1 rule", "1,200 rules"]


@given(st.text())
def test_text_from_outside_is_harmless(text):
    """No control or direction character, no markup bracket, no line break, never long."""
    safe = plain(text)
    assert len(safe) <= LONGEST_LEVEL
    assert not any(unicodedata.category(c)[0] == "C" for c in safe)
    assert not set(safe) & set("<>[]{}`\\\n\t")
    assert plain(safe) == safe


def test_hostile_levels_read_as_plain_text():
    """Escape codes, markup, direction overrides and braces of our own phrases end as letters."""
    source = feature("category", many="came by {n}")
    hostile = "\x1b[31m<script>{n}\u202e[bold]\r\n" + "x" * 500
    assert sentence(source, hostile) == "came by (31m(script)(n)(bold) " + "x" * 37 + "…"
