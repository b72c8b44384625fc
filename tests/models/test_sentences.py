"""Every feature of the catalog says the lead's own value truly in every language."""

import math
import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import Feature, Measure, Phrase, as_dict, from_dict, over_windows
from features.families.everything import full_catalog
from models.languages import LANGUAGES, language
from models.quantities import as_shown, change, quantity
from models.wording import sentence

CATALOG = {feature.name: feature for feature in full_catalog()}
NUMBERS = [feature for feature in CATALOG.values() if feature.kind == "number"]
UP = {
    "en": ("up ", "times the usual"),
    "pt": ("acima", "vezes o"),
    "pl": ("powyżej", "krotność"),
    "ro": ("peste", "ori "),
}
DOWN = {"en": "down ", "pt": "abaixo", "pl": "poniżej", "ro": "sub "}
SAME = {"en": "unchanged", "pt": "ao nível habitual", "pl": "na zwykłym", "ro": "la nivelul obișnuit"}
VALUES = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 21.0, 22.0, 101.0, 1.5, 0.001, 0.5, 0.999, 1e9, 1e17]),
    st.floats(0, 1e6),
)  # fmt: skip


def said(feature: Feature, value: float | str | None, code: str) -> str:
    """Return the sentence in euros."""
    return sentence(feature, value, currency="EUR", language=language(code))


@given(st.sampled_from(NUMBERS), VALUES, st.sampled_from(LANGUAGES))
@settings(max_examples=500)
def test_a_sentence_holds_the_leads_own_number(feature, value, code):
    """Its quantity stands in the sentence, except where a phrase of its own says none or one in words."""
    near = float(as_shown(np.array([value]), feature.unit)[0])
    text = said(feature, value, code)
    if "{change}" in feature.phrase.many:
        assert change(near, language=language(code)) in text
    elif near == 0 and feature.phrase.zero:
        assert text == said(feature, 0.0, code) != said(feature, 2.0, code)
    elif near == 1 and feature.phrase.one:
        assert text == said(feature, 1.0, code) != said(feature, 2.0, code)
    else:
        assert quantity(near, feature.unit, currency="EUR", language=language(code)) in text


@given(st.sampled_from(list(CATALOG.values())), st.one_of(VALUES, st.none()), st.sampled_from(LANGUAGES))
@settings(max_examples=500)
def test_a_sentence_is_one_line_of_plain_text_with_nothing_left_to_fill_in(feature, value, code):
    """No placeholder, no markup, no control character, no doubled space, in any language."""
    if feature.kind == "category" and value is not None:
        value = str(value)
    text = said(feature, value, code)
    assert not set(text) & set("{}<>[]`\\\n\t")
    assert not any(unicodedata.category(c)[0] == "C" for c in text)
    assert text == text.strip()
    assert "  " not in text
    assert len(text) < 160


@given(st.floats(0.001, 1e7), st.sampled_from(LANGUAGES))
def test_a_rise_never_reads_as_a_fall(ratio, code):
    """In each language the words of a rise stand above the usual, those of a fall below it, and never both."""
    text = said(CATALOG["sessions_trend_7d"], ratio, code)
    percent = round((float(as_shown(np.array([ratio]), "ratio")[0]) - 1) * 100)
    assert any(word in text for word in UP[code]) == (percent > 0)
    assert (DOWN[code] in text) == (percent < 0)
    assert (SAME[code] in text) == (percent == 0)


@pytest.mark.parametrize("code", LANGUAGES)
def test_none_and_unknown_have_words_of_their_own(code):
    """Where a feature has a phrase for none or for what is not known, the language has one too."""
    for feature in NUMBERS:
        for value, phrase in ((0.0, feature.phrase.zero), (None, feature.phrase.missing)):
            if phrase:
                assert said(feature, value, code).startswith(language(code).gettext(phrase).split("{")[0])
        assert said(feature, math.nan, code) == said(feature, None, code)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_sentence_differs_from_english(code):
    """Nothing of the catalog is left in English, whatever the value."""
    for feature in NUMBERS:
        for value in (0.0, 1.0, 2.0, 5.0, 21.0, None):
            assert said(feature, value, code) != said(feature, value, "en"), feature.name


@pytest.mark.parametrize(
    ("n", "pl", "ro"),
    [
        (1, "1 zamówienie w ciągu ostatnich 30 dni", "1 comandă în ultimele 30 de zile"),
        (2, "2 zamówienia w ciągu ostatnich 30 dni", "2 comenzi în ultimele 30 de zile"),
        (5, "5 zamówień w ciągu ostatnich 30 dni", "5 comenzi în ultimele 30 de zile"),
        (12, "12 zamówień w ciągu ostatnich 30 dni", "12 comenzi în ultimele 30 de zile"),
        (20, "20 zamówień w ciągu ostatnich 30 dni", "20 de comenzi în ultimele 30 de zile"),
        (22, "22 zamówienia w ciągu ostatnich 30 dni", "22 de comenzi în ultimele 30 de zile"),
        (101, "101 zamówień w ciągu ostatnich 30 dni", "101 comenzi în ultimele 30 de zile"),
    ],
)
def test_plurals_are_those_of_the_language(n, pl, ro):
    """2 to 4, 22 to 24 and so on have a form in Polish; from 20 on Romanian counts with "de"."""
    orders = CATALOG["orders_count_30d"]
    assert [said(orders, float(n), code) for code in ("pl", "ro")] == [pl, ro]


def test_the_window_is_said_in_the_language():
    """A day, several days and all the time are words that the phrase takes in."""
    visits = Feature("visits", "engagement", "number", "count", "visits", Phrase("{n} visits {window}"), "")
    windows = over_windows(visits, (1, 7, 0))
    assert [said(one, 3.0, "en") for one in windows] == [
        "3 visits in the last day", "3 visits in the last 7 days", "3 visits so far",
    ]  # fmt: skip
    orders = [said(CATALOG[f"orders_count_{window}"], 3.0, "pt") for window in ("7d", "ever")]
    assert orders == ["3 compras nos últimos 7 dias", "3 compras até agora"]


def test_a_bundle_of_an_older_version_is_still_read():
    """Its phrases have their window filled in already; they are said in English, with numbers of the place."""
    older = as_dict(CATALOG["orders_count_30d"])
    older["phrase"] = {"many": "{n} orders in the last 30 days", "one": "1 order", "zero": "no order", "missing": ""}
    feature = from_dict(older)
    assert [said(feature, value, "pl") for value in (1234.0, 1.0, 0.0)] == [
        "1\xa0234 orders in the last 30 days", "1 order", "no order",
    ]  # fmt: skip
    assert said(feature, None, "en") == "orders count 30d not known"


def test_the_shops_own_names_stay_and_usual_ones_are_translated():
    """A column that many shops have is said in the language, one of the shop's own as the shop calls it."""
    country, own = (
        Feature(name, "fit", "category", "category", name, Phrase("{name}: {n}", name=name), "", 0, Measure("last"))
        for name in ("country", "loyalty {tier}")
    )
    assert [said(country, "PL", code) for code in LANGUAGES] == ["country: PL", "país: PL", "kraj: PL", "țară: PL"]
    assert [said(own, None, code) for code in ("en", "pl")] == [
        "loyalty (tier) not known",
        "loyalty (tier): brak danych",
    ]


def test_a_level_cannot_fill_in_a_placeholder():
    """Text from outside that looks like a placeholder is said as text."""
    assert said(CATALOG["country"], "{window} {name}", "pl") == "kraj: (window) (name)"


@given(st.floats(1.01, 1e5), st.sampled_from(LANGUAGES))
def test_numbers_of_a_phrase_with_a_form_for_one_are_several(value, code):
    """1.5 times the usual gap is no single gap."""
    overdue = CATALOG["order_overdue_ever"]
    near = float(as_shown(np.array([value]), "ratio")[0])
    if near != 1:
        assert re.search(r"\d", said(overdue, value, code))
        assert said(overdue, value, code) != said(overdue, 1.0, code)
