"""Numbers with their units, in a language: "3", "$1,250", "12 days", "40%", "2 min 5 s", "1.6", "up 40%".

A direction is named by `change` alone, from the ratio itself, so that a rise never reads as a fall.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from models.languages import ENGLISH, Language

LESS_THAN_A_DAY: Final = 0.5
LARGEST: Final = 1e15
"""What is larger is said as "over" it: its digits would fill the line."""
BEYOND: Final = 1e18
"""Stands for every value beyond it: rounding larger ones would leave the range of numbers."""
MOST_TIMES: Final = 1e6
"""What rose more is said as "over" so many times."""
ALMOST_NONE, ALMOST_ALL = 0.001, 0.999
"""What stands for every value between: these are not rounded to nothing or to all."""


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


def quantity(value: float, unit: str, *, currency: str = "", language: Language = ENGLISH) -> str:
    """Return a number with its unit: "3", "$1,250", "12 days", "40%", "2 min 5 s", "1.6".

    Args:
        value: Finite, as far as it is shown (`as_shown`).
        unit: One of the catalog's units.
        currency: ISO code of amounts.
        language: Whose words and signs.
    """
    if abs(value) > LARGEST:
        end = quantity(math.copysign(LARGEST, value), unit, currency=currency, language=language)
        over = language.pgettext("amount", "over {n}") if value > 0 else language.pgettext("amount", "below {n}")
        return over.replace("{n}", end)
    if unit == "money":
        return language.money(value, currency)
    if unit == "days":
        return language.days(value)
    if unit == "share":
        return _share(value, language)
    if unit == "seconds":
        return language.duration(value)
    return _bare_number(value, language) if unit == "number" or abs(value) < 0.01 else language.number(value)


def change(ratio: float, *, language: Language = ENGLISH) -> str:
    """Return a ratio to the usual as a change: "up 40%", "down 25%", "3 times the usual", "unchanged"."""
    if ratio > MOST_TIMES:
        return language.gettext("over {n} times the usual").replace("{n}", language.number(MOST_TIMES))
    percent = round((ratio - 1.0) * 100)
    if percent == 0:
        return language.pgettext("change", "unchanged")
    if percent >= 100:
        times = float(f"{ratio:.2g}")
        said = language.ngettext("{n} time the usual", "{n} times the usual", int(times))
        return said.replace("{n}", language.number(times))
    said = language.pgettext("change", "up {percent}") if percent > 0 else language.pgettext("change", "down {percent}")
    return said.replace("{percent}", language.percent(abs(percent) / 100))


def _bare_number(value: float, language: Language) -> str:
    if 1000 <= abs(value) < 10_000:
        return language.with_signs(f"{value:.0f}")  # it may be a year
    # 0.015 is not 0.01: it may be a rate.
    return language.with_signs(f"{value:.3g}") if abs(value) < 1 else language.number(value)


def _share(value: float, language: Language) -> str:
    if value == ALMOST_NONE:
        return language.pgettext("amount", "under {n}").replace("{n}", language.percent(0.01))
    if value == ALMOST_ALL:
        return language.pgettext("amount", "over {n}").replace("{n}", language.percent(0.99))
    return language.percent(value)
