"""One value as a sentence: the feature's phrase in a language, with the lead's own value put in.

A sentence says the lead's own value and nothing else: whether that speaks for or against it is the sign of
the points, never the choice of words. Text from outside is made harmless first.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Final

import numpy as np

from models.languages import ENGLISH, N_, Language
from models.quantities import as_shown, change, quantity

if TYPE_CHECKING:
    from features.catalog import Feature, Phrase

LONGEST_LEVEL: Final = 60
"""Characters of a category level that a sentence shows."""
UNKNOWN: Final = N_("{name} not known")
_LONGEST_NAME: Final = 100
_HARMLESS: Final = str.maketrans({"<": "(", ">": ")", "[": "(", "]": ")", "{": "(", "}": ")", "`": "'", "\\": "/"})


def sentence(feature: Feature, value: float | str | None, *, currency: str = "", language: Language = ENGLISH) -> str:
    """Return what *feature* says of a lead.

    Args:
        feature: Gives unit and phrase.
        value: The lead's own value; None or NaN = missing.
        currency: ISO code of amounts ("USD"); empty = amounts without currency.
        language: In which it is said.

    Returns:
        One line of plain text: no control characters, no markup.

    Example:
        With the phrase "{n} orders {window}" and 3: "3 orders in the last 30 days".
    """
    phrase = feature.phrase
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _filled(language.gettext(phrase.missing or UNKNOWN), feature, language)
    if isinstance(value, str):
        return said_of(feature, plain(value), language=language)
    near = float(as_shown(np.array([value], dtype=np.float64), feature.unit)[0])
    return shown_sentence(feature, near, currency=currency, language=language)


def shown_sentence(feature: Feature, near: float, *, currency: str = "", language: Language = ENGLISH) -> str:
    """Return what *feature* says of a number that is rounded already, as `models.quantities.as_shown` does.

    Args:
        feature: Gives unit and phrase.
        near: The number, finite.
        currency: ISO code of amounts.
        language: In which it is said.
    """
    said = _filled(_template(feature.phrase, near, language), feature, language)
    if "{change}" in said:
        said = said.replace("{change}", change(near, language=language))
    return said.replace("{n}", quantity(near, feature.unit, currency=currency, language=language))


def said_of(feature: Feature, value: str, *, count: float = 2, language: Language = ENGLISH) -> str:
    """Return the phrase of *feature* for any value, with *value* put in as it is: a level, or a range of numbers.

    Args:
        feature: Gives the phrase.
        value: Stands for ``{n}`` and ``{change}``; harmless text.
        count: The number whose plural *value* takes; 1 is taken as several.
        language: In which it is said.
    """
    phrase = feature.phrase
    said = language.ngettext(phrase.one, phrase.many, _several(count)) if phrase.one else language.gettext(phrase.many)
    return _filled(said, feature, language).replace("{change}", value).replace("{n}", value)


def window_words(days: int, *, language: Language = ENGLISH) -> str:
    """Return how far a feature looks back: "in the last 30 days", "so far" (0)."""
    if not days:
        return language.gettext("so far")
    said = language.ngettext("in the last day", "in the last {days} days", days)
    return said.replace("{days}", language.number(days))


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: "1 rule", "1,200 rules"; *noun* is one of them, its plural ends in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plain(text: str, *, longest: int = LONGEST_LEVEL) -> str:
    """Return text from outside as harmless plain text for a sentence: `one_line`, without brackets that open markup."""
    return one_line(text[: 20 * longest].translate(_HARMLESS), longest=longest)


def one_line(text: str, *, longest: int) -> str:
    """Return text from outside on one line of at most *longest* characters.

    Control, formatting and direction-changing characters are dropped, runs of white space become one space, and what is
    longer is cut and ends in "…". Markup stays: who draws a page escapes it.
    """
    # Whatever comes later is cut anyway; white space may shrink, so look at somewhat more.
    head = text[: 20 * longest]
    # What prints as it is, as nearly all text does, needs no look at each character.
    tidy = " ".join((head if head.isprintable() else _without_control(head)).split())
    return tidy if len(tidy) <= longest else tidy[: longest - 1].rstrip() + "…"


def _without_control(text: str) -> str:
    return "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")


def begun(sentence: str) -> str:
    """Return *sentence* with a capital at its beginning: most of our words are written as parts of one."""
    return sentence[:1].upper() + sentence[1:]


def is_harmless(text: str) -> bool:
    """Return whether *text* may stand in a sentence as it is: one line without control characters and markup."""
    has_control = any(unicodedata.category(c)[0] in "CZ" and c != " " for c in text)
    return not has_control and text.translate(_HARMLESS) == text and " ".join(text.split()) == text


def _template(phrase: Phrase, near: float, language: Language) -> str:
    """Return the translated phrase for a number, its placeholders still to be filled."""
    if near == 0 and phrase.zero:
        return language.gettext(phrase.zero)
    if not phrase.one:
        return language.gettext(phrase.many)
    return language.ngettext(phrase.one, phrase.many, 1 if near == 1 else _several(near))


def _several(number: float) -> int:
    """Return the whole number whose plural *number* takes: 1.5 of a thing are several."""
    whole = int(abs(number))
    return 2 if whole == 1 else whole


def _filled(said: str, feature: Feature, language: Language) -> str:
    """Return *said* with the window and the shop's own name for the thing; the value is still to be put in."""
    if "{window}" in said:
        said = said.replace("{window}", window_words(feature.phrase.window, language=language))
    if "{name}" in said:
        name = feature.phrase.name or feature.name.replace("_", " ")
        said = said.replace("{name}", language.pgettext("name", plain(name, longest=_LONGEST_NAME)))
    return said
