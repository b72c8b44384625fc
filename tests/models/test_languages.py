"""Numbers, plurals and translations follow the language; what is not translated is English."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.languages import ENGLISH, LANGUAGES, Language, language

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
POLISH = (
    HEAD + '"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"\n'
)
VISITS = (
    'msgid "1 visit"\nmsgid_plural "{n} visits"\nmsgstr[0] "1 wizyta"\nmsgstr[1] "{n} wizyty"\nmsgstr[2] "{n} wizyt"\n'
)


@pytest.fixture
def polish_with(tmp_path):
    """Return a Polish that reads the given domains, an earlier one first."""

    def written(**domains: str) -> Language:
        for name, entries in domains.items():
            folder = tmp_path / name / "pl"
            folder.mkdir(parents=True)
            (folder / f"{name}.po").write_text(f"{POLISH}\n{entries}", encoding="utf-8")
        return Language("pl", "pl_PL", tuple((tmp_path / name, name) for name in domains))

    return written


@pytest.mark.parametrize(
    ("code", "number", "percent", "amount", "day"),
    [
        ("en", "1,234.5", "40%", "$1,250", "Mar 4, 2026"),
        ("pt", "1 234,5", "40%", "1 250 US$", "04/03/2026"),
        ("pt-BR", "1.234,5", "40%", "US$ 1.250", "4 de mar. de 2026"),
        ("pl", "1 234,5", "40%", "1 250 USD", "4 mar 2026"),
        ("ro", "1.234,5", "40 %", "1.250 USD", "4 mar. 2026"),
    ],
)
def test_numbers_are_written_as_the_place_writes_them(code, number, percent, amount, day):
    """Signs, the place of the currency and the order of a date are those of the language."""
    said = language(code)
    written = (said.number(1234.5), said.percent(0.4), said.money(1250, "USD"), said.date(date(2026, 3, 4)))
    assert tuple(text.replace("\xa0", " ") for text in written) == (number, percent, amount, day)


def test_amounts_keep_sign_and_cents():
    """Whole amounts have no decimals, others two; the sign stands first; a currency may lack."""
    assert [ENGLISH.money(x, "EUR") for x in (-12.5, 0, 0.05)] == ["-€12.50", "€0", "€0.05"]
    assert language("pl").money(-12.5, "PLN") == "-12,50\xa0zł"
    assert ENGLISH.money(5, "PLN") == "PLN\xa05"
    assert ENGLISH.money(5, "") == "5"


def test_a_moment_is_told_in_its_own_zone():
    """The time of day is that of the zone that the moment is in."""
    assert language("pl").moment(datetime(2026, 3, 4, 15, 5, tzinfo=UTC)) == "4 mar 2026, 15:05"


def test_lengths_of_time_are_said_in_two_parts_at_most():
    """Seconds beside hours say nothing."""
    assert [ENGLISH.duration(s) for s in (0, 59, 125, 7384, -60)] == ["0 s", "59 s", "2 min 5 s", "2 h 3 min", "-1 min"]


@given(st.sampled_from(LANGUAGES), st.floats(-1e12, 1e12))
def test_numbers_read_back(code, number):
    """Whatever the signs, the digits are those of the number, to two decimals."""
    written = language(code).number(number)
    back = written.replace({"en": ",", "ro": "."}.get(code, "\xa0"), "").replace(",", ".")
    assert float(back) == pytest.approx(number, abs=0.00501)
    assert written != "-0"


@pytest.mark.parametrize(("n", "said"), [(1, "1 wizyta"), (3, "{n} wizyty"), (5, "{n} wizyt"), (22, "{n} wizyty")])
def test_the_plural_follows_the_languages_own_rule(polish_with, n, said):
    """Polish has one form for 1, one for 2 to 4, 22 to 24 and so on, and one for the rest."""
    assert polish_with(reasons=VISITS).ngettext("1 visit", "{n} visits", n) == said


def test_an_earlier_domain_is_asked_first(polish_with):
    """A word of the app wins over the same word of the models, and the models' other words are still known."""
    said = polish_with(app='msgid "cart"\nmsgstr "koszyk"\n', reasons=f'msgid "cart"\nmsgstr "wózek"\n\n{VISITS}')
    assert said.gettext("cart") == "koszyk"
    assert said.ngettext("1 visit", "{n} visits", 1) == "1 wizyta"


def test_what_is_not_translated_is_said_in_english(polish_with):
    """A missing, an empty and a fuzzy translation all leave the English sentence."""
    said = polish_with(reasons='msgid "hot"\nmsgstr ""\n\n#, fuzzy\nmsgid "cold"\nmsgstr "ciepły"\n')
    assert [said.gettext(text) for text in ("hot", "cold", "warm", "")] == ["hot", "cold", "warm", ""]
    assert said.ngettext("1 call", "{n} calls", 1) == "1 call"
    assert said.ngettext("1 call", "{n} calls", 5) == "{n} calls"


def test_a_word_may_mean_something_else_in_another_context(polish_with):
    """The translation of a word in one context is not used in another."""
    said = polish_with(reasons='msgctxt "name"\nmsgid "source"\nmsgstr "źródło"\n')
    assert [said.pgettext("name", "source"), said.pgettext("event", "source"), said.gettext("source")] == [
        "źródło", "source", "source",
    ]  # fmt: skip


@given(st.text())
def test_any_code_names_a_language(code):
    """What a browser or a person calls a language ends as one of ours."""
    assert language(code).code in LANGUAGES


def test_codes_are_read_in_every_usual_spelling():
    """Case and the sign between language and country do not count; an unknown country is the language's home."""
    spelled = ("PT_br", "pt-BR", "pt-AO", "en-GB", "pl-PL", "de")
    assert [language(code).tag for code in spelled] == ["pt-BR", "pt-BR", "pt-PT", "en-GB", "pl-PL", "en"]
