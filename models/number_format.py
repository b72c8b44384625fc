"""How a place writes numbers: its signs, and where it puts the currency, as the Unicode locale data (Babel) say.

Babel reads a pattern anew for every number, 30 to 90 µs each; a night writes tens of thousands of amounts. So each
pattern is read once, from a number that Babel wrote, and filled in by Python's own formatting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

from babel import Locale
from babel.numbers import format_currency, format_percent

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Keeps a number and its unit on one line."""


@dataclass(frozen=True)
class NumberFormat:
    """The signs of one locale.

    Attributes:
        decimal: Between the whole and its fraction.
        group: Between thousands.
        minus: Before what is below zero.
        percent: What stands behind a percentage.
    """

    decimal: str
    group: str
    minus: str
    percent: str

    def written(self, number: float, digits: int) -> str:
        """Return *number* with exactly *digits* decimals and groups of thousands."""
        return self.with_signs(f"{number:,.{digits}f}")

    def with_signs(self, plain: str) -> str:
        """Return a number that Python wrote ("-1,234.5") with the signs of this locale."""
        # English: a page writes a hundred numbers, and `translate` is what they cost.
        return plain.translate(self._signs) if self._signs else plain

    @cached_property
    def _signs(self) -> dict[int, str]:
        signs = {",": self.group, ".": self.decimal, "-": self.minus}
        return {ord(python): own for python, own in signs.items() if own != python}


@cache
def number_format(locale: str) -> NumberFormat:
    """Return the signs of *locale* ("pt_PT")."""
    signs = Locale.parse(locale).number_symbols["latn"]
    before, after = _around(format_percent(0.01, locale=locale))
    if before:  # pragma: no cover - Basque and Turkish write %40
        after = before
    return NumberFormat(signs["decimal"], signs["group"], signs["minusSign"], after)


@cache
def currency_format(locale: str, currency: str) -> tuple[str, str]:
    """Return what stands before and behind an amount of *currency*: ``("$", "")``, ``("", " zł")``."""
    before, after = _around(format_currency(1, currency, locale=locale))
    # "PLN5" is hard to read, and against the rules of Unicode, which Babel does not follow here.
    return (before + NO_BREAK if before[-1:].isalpha() else before), after


def _around(written: str) -> tuple[str, str]:
    """Return what stands before the first digit of *written* and behind the last."""
    digits = [place for place, sign in enumerate(written) if sign.isdigit()]
    return written[: digits[0]], written[digits[-1] + 1 :]
