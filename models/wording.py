"""One value as words: numbers with their units, and text from outside made harmless.

A sentence says the lead's own value and nothing else: whether that speaks for or against it is the sign of
the points, never the choice of words. Only ``{change}`` names a direction, and takes it from the value
itself, so that a rise never reads as a fall.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from features.catalog import Feature

LONGEST_LEVEL: Final = 60
"""Characters of a category level that a sentence shows."""
SYMBOLS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}
LESS_THAN_A_DAY: Final = 0.5
LARGEST: Final = 1e15
"""What is larger is said as "over" it: its digits would fill the line."""
BEYOND: Final = 1e18
"""Stands for every value beyond it: rounding larger ones would leave the range of numbers."""
MOST_TIMES: Final = 1e6
"""What rose more is said as "over" so many times."""
ALMOST_NONE, ALMOST_ALL = 0.001, 0.999
"""What stands for every value between: these are not rounded to nothing or to all."""
_HARMLESS: Final = str.maketrans({"<": "(", ">": ")", "[": "(", "]": ")", "{": "(", "}": ")", "`": "'", "\\": "/"})


def sentence(feature: Feature, value: float | str | None, *, currency: str = "") -> str:
    """Return what *feature* says of a lead, in English.

    Args:
        feature: Gives unit and phrase.
        value: The lead's own value; None or NaN = missing.
        currency: ISO code of amounts ("USD"); empty = amounts without currency.

    Returns:
        One line of plain text: no control characters, no markup.

    Example:
        With the phrase "{n} orders in the last 30 days" and 3: "3 orders in the last 30 days".
    """
    phrase = feature.phrase
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return phrase.missing or f"{feature.name.replace('_', ' ')} not known"
    if isinstance(value, str):
        return phrase.many.replace("{n}", plain(value))
    near = float(as_shown(np.array([value], dtype=np.float64), feature.unit)[0])
    template = phrase.many
    if near == 0 and phrase.zero:
        template = phrase.zero
    elif near == 1 and phrase.one:
        template = phrase.one
    said = template.replace("{n}", quantity(near, feature.unit, currency=currency))
    return said.replace("{change}", change(near)) if "{change}" in said else said


def as_shown(values: npt.NDArray[np.float64], unit: str) -> npt.NDArray[np.float64]:
    """Return *values* as far as a sentence shows them: equal numbers here are equal words there.

    Args:
        values: Any shape; NaN stays NaN.
        unit: One of the catalog's units.
    """
    values = np.clip(values, -BEYOND, BEYOND)
    if unit in ("count", "pages", "seconds"):
        return np.round(values)
    if unit == "days":
        return np.where((values > 0) & (values < 1), LESS_THAN_A_DAY, np.round(values))
    if unit == "money":
        return np.where(np.abs(values) < 100, np.round(values, 2), np.round(values))
    if unit == "share":
        # Almost none is not none, and almost all is not all.
        inside = np.clip(np.round(values, 2), ALMOST_NONE, ALMOST_ALL)
        return np.where((values > 0) & (values < 1), inside, np.round(values, 2))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Three figures, but never fewer than a whole number has: 1984 is a year.
        scale = 10.0 ** np.maximum(2.0 - np.floor(np.log10(np.abs(values))), 0.0)
        # A number so near to nothing that its scale is beyond all numbers is nothing.
        return np.where(np.isinf(scale), 0.0, np.round(values * scale) / scale)


def quantity(value: float, unit: str, *, currency: str = "") -> str:
    """Return a number with its unit: "3", "$1,250", "12 days", "40 %", "2 min 5 s", "1.6".

    Args:
        value: Finite, as far as it is shown (`as_shown`).
        unit: One of the catalog's units.
        currency: ISO code of amounts.
    """
    if abs(value) > LARGEST:
        end = quantity(math.copysign(LARGEST, value), unit, currency=currency)
        return f"over {end}" if value > 0 else f"below {end}"
    if unit == "money":
        return _money(value, currency)
    if unit == "days":
        return "less than a day" if 0 <= value < 1 else f"{_plain_number(value)} {'day' if value == 1 else 'days'}"
    if unit == "share":
        return _share(value)
    if unit == "seconds":
        return _duration(round(value))
    return _bare_number(value) if unit == "number" else _plain_number(value)


def change(ratio: float) -> str:
    """Return a ratio to the usual as a change: "up 40 %", "down 25 %", "3 times as much", "unchanged"."""
    if ratio > MOST_TIMES:
        return f"over {_plain_number(MOST_TIMES)} times as much"
    percent = round((ratio - 1.0) * 100)
    if percent == 0:
        return "unchanged"
    if percent >= 100:
        return f"{_plain_number(float(f'{ratio:.2g}'))} times as much"
    return f"{'up' if percent > 0 else 'down'} {abs(percent)} %"


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: "1 rule", "1,200 rules"; *noun* is one of them, its plural ends in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plain(text: str) -> str:
    """Return text from outside as harmless plain text for a sentence.

    Control, formatting and direction-changing characters are dropped, runs of white space become one space,
    brackets that open markup become others, and long text is cut.
    """
    # Whatever comes later is cut anyway; white space may shrink, so look at somewhat more.
    head = text[: 20 * LONGEST_LEVEL]
    kept = "".join(" " if c.isspace() else c for c in head if c.isspace() or unicodedata.category(c)[0] != "C")
    tidy = " ".join(kept.translate(_HARMLESS).split())
    return tidy if len(tidy) <= LONGEST_LEVEL else tidy[: LONGEST_LEVEL - 1].rstrip() + "…"


def is_harmless(text: str) -> bool:
    """Return whether *text* may stand in a sentence as it is: one line without control characters and markup."""
    has_control = any(unicodedata.category(c)[0] in "CZ" and c != " " for c in text)
    return not has_control and text.translate(_HARMLESS) == text and " ".join(text.split()) == text


def _bare_number(value: float) -> str:
    if 1000 <= abs(value) < 10_000:
        return f"{value:.0f}"  # it may be a year
    return f"{value:.3g}" if abs(value) < 1 else _plain_number(value)  # 0.015 is not 0.01: it may be a rate


def _plain_number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) < 0.01:
        return f"{value:.3g}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _money(amount: float, currency: str) -> str:
    digits = f"{abs(amount):,.0f}" if amount == int(amount) else f"{abs(amount):,.2f}"
    sign = "-" if amount < 0 else ""
    if currency in SYMBOLS:
        return f"{sign}{SYMBOLS[currency]}{digits}"
    return f"{sign}{digits} {plain(currency)}".rstrip()


def _share(value: float) -> str:
    if value in (ALMOST_NONE, ALMOST_ALL):
        return "under 1 %" if value == ALMOST_NONE else "over 99 %"
    return f"{round(value * 100)} %"


def _duration(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (left, "s")) if number]
    # Two parts are enough for a person: seconds beside hours say nothing.
    return ("-" if seconds < 0 else "") + (" ".join(parts[:2]) or "0 s")
