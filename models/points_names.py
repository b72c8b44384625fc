"""What a learned rule is called: the feature's own phrase, said of a range instead of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from models.wording import change, plain, quantity, sentence

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.conditions import Conditions

LONGEST: Final = 100
WHOLE_UNITS: Final = ("count", "pages")


def name_of(feature: Feature, tests: Conditions, *, currency: str = "") -> str:
    """Return the name of the rule that asks *tests* of *feature*.

    Args:
        feature: Gives phrase and unit.
        tests: ``missing``, ``in`` some levels, or ``min`` and ``below``.
        currency: ISO code of amounts.

    Example:
        "{n} orders in the last 30 days" at least 1 and below 3: "1 to 2 orders in the last 30 days".
    """
    asked = {test.operator: test.operands for test in tests}
    if "missing" in asked:
        said = sentence(feature, None)
    elif "in" in asked:
        levels = ", ".join(plain(str(level)) for level in asked["in"])
        said = feature.phrase.many.replace("{n}", levels)
    else:
        low = float(asked["min"][0]) if "min" in asked else None
        high = float(asked["below"][0]) if "below" in asked else None
        said = _of_range(feature, low, high, currency)
    return said if len(said) <= LONGEST else said[: LONGEST - 1].rstrip() + "…"


def _of_range(feature: Feature, low: float | None, high: float | None, currency: str) -> str:
    if feature.unit in WHOLE_UNITS:
        first = None if low is None else int(-(-low // 1))
        last = None if high is None else int(-(-high // 1)) - 1
        if (first is None and last == 0) or (first is not None and first == last):
            return sentence(feature, float(last or 0), currency=currency)
        numbers = _joined(None if first is None else f"{first:,}", None if last is None else f"{last:,}", "up to {}")
        return feature.phrase.many.replace("{n}", numbers)
    said = [None if one is None else quantity(one, feature.unit, currency=currency) for one in (low, high)]
    text = feature.phrase.many.replace("{n}", _joined(_bare(said[0], said[1]), said[1], "under {}"))
    return text.replace("{change}", _changed(low, high))


def _changed(low: float | None, high: float | None) -> str:
    """Return a range of ratios to the usual: "down 50 % or more", "down 20 % to up 10 %", "up 40 % or more"."""
    if low is not None and high is not None:
        return f"{change(low)} to {change(high)}"
    if low is not None:
        return f"{change(low)} or more" if low >= 1 else f"{change(low)} at most"
    return f"{change(high or 0.0)} or more" if (high or 0.0) < 1 else f"{change(high or 0.0)} at most"


def _bare(low: str | None, high: str | None) -> str | None:
    """Return the lower end without the unit that the upper one says again: "10 to 30 days"."""
    if low is None or high is None:
        return low
    number, _, unit = low.partition(" ")
    return number if unit and high.endswith(f" {unit}") else low


def _joined(low: str | None, high: str | None, only_high: str) -> str:
    if low is None:
        return only_high.format(high)
    return f"{low} or more" if high is None else f"{low} to {high}"
