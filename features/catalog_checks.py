"""What must hold of a feature before it is computed: all faults of a shop's own at once."""

from __future__ import annotations

from features.catalog import FAMILIES, MEASURES, Feature, Measure
from features.errors import nearest
from features.plan import DIRECT

UNITS = ("count", "money", "days", "share", "ratio", "seconds", "pages", "category", "number")
"""The units in which features are shown."""

_WITH_COLUMN = ("sum", "mean", "distinct", "first", "last", "open_sum", "trigger")
_WITH_OF = ("share", "rate")
_OF_CATEGORIES = ("first", "last", "trigger")


def faults(feature: Feature) -> list[str]:
    """Return what is wrong with *feature*, one line each; nothing where it can be computed."""
    found = [
        *_not_among("family", feature.family, FAMILIES),
        *_not_among("unit", feature.unit, UNITS),
        *_not_among("kind", feature.kind, ("number", "category")),
    ]
    if feature.monotone not in (-1, 0, 1):
        found.append(f"monotone is -1, 0 or 1, not {feature.monotone}")
    measure = feature.measure
    if measure is not None:
        unknown = _not_among("measure", measure.kind, tuple(MEASURES))
        found += unknown or [*_missing_parts(measure), *_windows(measure), *_kinds(feature, measure)]
    return [f"{feature.name}: {fault}" for fault in found]


def _not_among(what: str, word: str, choices: tuple[str, ...]) -> list[str]:
    if word in choices:
        return []
    near = nearest(str(word), choices)
    return [f"unknown {what} '{word}'" + (f" (did you mean '{near}'?)" if near else "")]


def _missing_parts(measure: Measure) -> list[str]:
    kind = measure.kind
    needed = {
        "a table": not measure.table and kind not in DIRECT,
        "a column": not measure.column and kind in _WITH_COLUMN,
        "`of`": not measure.of and kind in _WITH_OF,
        "`since_table`": not measure.since_table and kind.startswith("open_"),
        "`half_life`": measure.half_life < 1 and kind == "decayed_half_life",
    }
    return [f"{kind} needs {part}" for part, is_missing in needed.items() if is_missing]


def _windows(measure: Measure) -> list[str]:
    """A trend compares two spans of days; "ever" is not one."""
    if measure.window < 0:
        return [f"a window is a number of days, or 0 for ever, not {measure.window}"]
    if measure.kind == "decayed_linear" and not measure.window:
        return ["decayed_linear needs a window: what counts for ever does not fade in it"]
    if measure.kind == "trend" and not 0 < measure.window < measure.long_window:
        return [f"trend needs a window shorter than long_window, got {measure.window} and {measure.long_window} days"]
    return []


def _kinds(feature: Feature, measure: Measure) -> list[str]:
    if feature.kind == "category" and measure.kind not in _OF_CATEGORIES:
        return [f"{measure.kind} is a number, not a category"]
    return []
