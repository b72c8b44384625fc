"""The languages in which people are told things: translations, plurals, and numbers, amounts and dates in each.

English is the source: what is said stands in the code as plain English sentences with ``{placeholders}``, and a
sentence that is not translated is said in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property, lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Final

from models.number_format import currency_format, number_format
from models.translations import translations

LANGUAGES: Final = ("en", "pt", "pl", "ro")
NAMES: Final[Mapping[str, str]] = {"en": "English", "pt": "Português", "pl": "Polski", "ro": "Română"}
"""Each language as its speakers call it."""
LOCALE: Final = Path(__file__).parent / "locale"
REASONS: Final = (LOCALE, "reasons")
_PLACES: Final = {"en": "en", "en-gb": "en_GB", "pt": "pt_PT", "pt-br": "pt_BR", "pl": "pl_PL", "ro": "ro_RO"}
_CODE_LENGTH: Final = 35
"""Longer ones are no language; whatever a browser sends is shortened before it is looked at."""
_ONE_DECIMAL_BELOW: Final = 0.095
_DAYS_KEPT: Final = 4_096
"""Days in words that are remembered: Babel reads its pattern anew for each, and a page of history has ninety."""


def N_(text: str) -> str:  # noqa: N802 - the name by which gettext's tools know it
    """Mark *text* for translation where it stands, and return it as it is; it is translated where it is said."""
    return text


@dataclass(frozen=True)
class Language:
    """One language as one place writes it.

    Attributes:
        code: One of `LANGUAGES`.
        locale: Whose numbers and dates: ``en``, ``en_GB``, ``pt_PT``, ``pt_BR``, ``pl_PL``, ``ro_RO``.
        domains: Folders of translations and the name of the file in each, those that are asked first before others.
    """

    code: str
    locale: str
    domains: tuple[tuple[Path, str], ...] = (REASONS,)

    @cached_property
    def translations(self) -> NullTranslations:
        """The same as Python's gettext has it, as Jinja2 asks for it."""
        return translations(tuple(folder / self.code / f"{name}.po" for folder, name in self.domains))

    @property
    def tag(self) -> str:
        """The language as HTML spells it: "en", "pt-PT"."""
        return self.locale.replace("_", "-")

    def gettext(self, text: str) -> str:
        """Return *text* (English) in this language; as it is where there is no translation."""
        return self.translations.gettext(text) if text else text

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Return the form of *one* / *many* that goes with *n* things; the number is still to be filled in."""
        return self.translations.ngettext(one, many, n)

    def pgettext(self, context: str, text: str) -> str:
        """Return *text* in this language as it is meant in *context*: a word may have several meanings."""
        return self.translations.pgettext(context, text) if text else text

    def number(self, x: float, digits: int | None = None) -> str:
        """Return "1,234.5"; with *digits* exactly so many decimals, else two at most and no zeros at the end."""
        signs = number_format(self.locale)
        if digits is not None:
            return signs.written(x, digits)
        plain = f"{x:,.2f}".rstrip("0").rstrip(".")
        return signs.with_signs("0" if plain == "-0" else plain)

    def with_signs(self, plain: str) -> str:
        """Return a number that Python wrote ("-1,234.5") with the signs of this language."""
        return number_format(self.locale).with_signs(plain)

    def signed(self, x: float, digits: int = 0) -> str:
        """Return "+12" or "-3": how far something went up or down."""
        return self.with_signs(f"{x:+,.{digits}f}")

    def percent(self, x: float, digits: int = 0) -> str:
        """Return a share as a percentage: 0.4 is "40%"."""
        signs = number_format(self.locale)
        return signs.written(x * 100, digits) + signs.percent

    def share(self, x: float) -> str:
        """Return a probability or a share as people read it: "4.2%", and from 10 % on whole."""
        return self.percent(x, 1 if x < _ONE_DECIMAL_BELOW else 0)

    def money(self, x: float, currency: str) -> str:
        """Return an amount: "$12.50", whole ones without decimals; an empty *currency* leaves the number alone."""
        signs = number_format(self.locale)
        before, after = currency_format(self.locale, currency) if currency else ("", "")
        digits = 0 if x == int(x) else 2
        return f"{signs.minus if x < 0 else ''}{before}{signs.written(abs(x), digits)}{after}"

    def date(self, d: date) -> str:
        """Return a day: "Mar 4, 2026"."""
        return _day(d.year, d.month, d.day, self.locale)

    def moment(self, moment: datetime) -> str:
        """Return a day with the time, of the zone that *moment* is in: "Mar 4, 2026, 3:05 PM"."""
        from babel.dates import format_time

        return f"{self.date(moment)}, {format_time(moment, 'short', tzinfo=moment.tzinfo, locale=self.locale)}"

    def days(self, n: float) -> str:
        """Return a number of days: "12 days", "1 day", "less than a day"."""
        if 0 <= n < 1:
            return self.gettext("less than a day")
        if n != int(n):
            return self.pgettext("fraction", "{n} days").replace("{n}", self.number(n))
        return self.ngettext("1 day", "{n} days", abs(int(n))).replace("{n}", self.number(n))

    def duration(self, seconds: float) -> str:
        """Return a length of time: "2 min 5 s", "3 h 20 min"; the units' signs are those of all four languages."""
        hours, rest = divmod(abs(round(seconds)), 3600)
        minutes, left = divmod(rest, 60)
        # Two parts are enough for a person: seconds beside hours say nothing.
        parts = [
            f"{self.number(number, 0)} {unit}"
            for number, unit in ((hours, "h"), (minutes, "min"), (left, "s"))
            if number
        ][:2]
        return (number_format(self.locale).minus if seconds < 0 else "") + (" ".join(parts) or "0 s")


@lru_cache(maxsize=_DAYS_KEPT)
def _day(year: int, month: int, day: int, locale: str) -> str:
    from babel.dates import format_date

    return format_date(date(year, month, day), "medium", locale=locale)


def language(code: str) -> Language:
    """Return the language that *code* names: "pl", "pt-BR", "en_GB"; English where we have none by that name."""
    return _language(code[:_CODE_LENGTH].lower().replace("_", "-"))


def _language(code: str) -> Language:
    known = code if code in _PLACES else code.partition("-")[0]
    known = known if known in _PLACES else "en"
    return _of_place(known)


@cache
def _of_place(known: str) -> Language:
    return Language(known.partition("-")[0], _PLACES[known])


ENGLISH: Final = Language("en", "en")
