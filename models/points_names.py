"""What a learned rule is called: the feature's own phrase, said of a range instead of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from models.languages import ENGLISH, Language
from models.quantities import change, quantity
from models.wording import plain, said_of, sentence

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.conditions import Conditions

LONGEST: Final = 100
WHOLE_UNITS: Final = ("count", "pages")


def name_of(feature: Feature, tests: Conditions, *, currency: str = "", language: Language = ENGLISH) -> str:
    """Return the name of the rule that asks *tests* of *feature*.

    Args:
        feature: Gives phrase and unit.
        tests: ``missing``, ``in`` some levels, or ``min`` and ``below``.
        currency: ISO code of amounts.
        language: In which it is said.

    Example:
        "{n} orders in the last 30 days" at least 1 and below 3: "1 to 2 orders in the last 30 days".
    """
    asked = {test.operator: test.operands for test in tests}
    if "missing" in asked:
        said = sentence(feature, None, language=language)
    elif "in" in asked:
        said = said_of(feature, ", ".join(plain(str(level)) for level in asked["in"]), language=language)
    else:
        low = float(asked["min"][0]) if "min" in asked else None
        high = float(asked["below"][0]) if "below" in asked else None
        said = _of_range(feature, low, high, currency=currency, language=language)
    # A card is a file that people write: its spaces are those that everybody can type.
    said = " ".join(said.split())
    return said if len(said) <= LONGEST else said[: LONGEST - 1].rstrip() + "…"


def _of_range(feature: Feature, low: float | None, high: float | None, *, currency: str, language: Language) -> str:
    if "{change}" in feature.phrase.many:
        return said_of(feature, _changed(low, high, language), language=language)
    if feature.unit in WHOLE_UNITS:
        first = None if low is None else int(-(-low // 1))
        last = None if high is None else int(-(-high // 1)) - 1
        if (first is None and last == 0) or (first is not None and first == last):
            return sentence(feature, float(last or 0), currency=currency, language=language)
        ends = [None if one is None else language.number(one) for one in (first, last)]
        up_to = language.pgettext("range", "up to {high}")
        number = first if last is None else last
        return said_of(feature, _joined(ends[0], ends[1], up_to, language), count=number or 0, language=language)
    said = [
        None if one is None else quantity(one, feature.unit, currency=currency, language=language)
        for one in (low, high)
    ]
    under = language.pgettext("range", "under {high}")
    return said_of(feature, _joined(_bare(said[0], said[1]), said[1], under, language), language=language)


def _changed(low: float | None, high: float | None, language: Language) -> str:
    """Return a range of ratios to the usual: "down 50% or more", "down 20% to up 10%", "up 40% or more"."""
    if low is not None and high is not None:
        return _between(change(low, language=language), change(high, language=language), language)
    edge = low if low is not None else high or 0.0
    # What rises further than a rise is more of it; what falls less far than a fall is less.
    goes_on = (edge >= 1) if low is not None else (edge < 1)
    said = (
        language.pgettext("change", "{change} or more") if goes_on else language.pgettext("change", "{change} at most")
    )
    return said.replace("{change}", change(edge, language=language))


def _bare(low: str | None, high: str | None) -> str | None:
    """Return the lower end without the unit that the upper one says again: "10 to 30 days"."""
    if low is None or high is None:
        return low
    number, _, unit = low.partition(" ")
    return number if unit and high.endswith(f" {unit}") else low


def _joined(low: str | None, high: str | None, only_high: str, language: Language) -> str:
    if low is None:
        return only_high.replace("{high}", high or "")
    if high is None:
        return language.pgettext("range", "{low} or more").replace("{low}", low)
    return _between(low, high, language)


def _between(low: str, high: str, language: Language) -> str:
    return language.pgettext("range", "{low} to {high}").replace("{low}", low).replace("{high}", high)
