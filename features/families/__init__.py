"""The built-in feature families and what a shop's tables make possible of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from features import catalog_checks
from features.catalog import FAMILIES, Feature
from features.errors import LeadlightError, nearest, wrong_input
from features.families import acquisition, calendar, engagement, fit, funnel, purchase
from features.families.offering import EVENT_TYPES, Offering
from features.plan import columns_read

_BUILT_IN = {
    "purchase": purchase.features,
    "engagement": engagement.features,
    "funnel": funnel.features,
    "acquisition": acquisition.features,
    "fit": fit.features,
    "calendar": calendar.features,
}


@dataclass(frozen=True)
class Choice:
    """Which features a shop wants.

    Attributes:
        windows: Days of the feature windows, ascending.
        families: Families to take.
        added: The shop's own features.
        dropped: Names, or beginnings of names, to leave out.
        event_types: The shop's own names of event types, by ours.
    """

    windows: tuple[int, ...] = (7, 30, 90)
    families: tuple[str, ...] = FAMILIES
    added: tuple[Feature, ...] = ()
    dropped: tuple[str, ...] = ()
    event_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def catalog(
    available: Mapping[str, AbstractSet[str]],
    choice: Choice,
    *,
    attributes: Mapping[str, str] | None = None,
    trigger: Mapping[str, str] | None = None,
    event_types: AbstractSet[str] | None = None,
) -> tuple[Feature, ...]:
    """Return the features that a shop's tables can serve, in a fixed order.

    Args:
        available: Columns per timeline table. Built-in features whose table or column is not
            there are left out; the shop's own must be served or the catalog is refused.
        choice: What the shop wants.
        attributes: The leads' attributes: name to ``text`` or ``number``.
        trigger: The trigger row's extra columns: name to ``text`` or ``number``; None on a grid.
        event_types: The event types that occur, or None to offer all.

    Raises:
        LeadlightError: A shop's own feature cannot be computed or reads what is not there, two
            features share a name, or the windows are not windows.
    """
    _refuse_unfit(choice)
    names = {**EVENT_TYPES, **choice.event_types}
    offering = Offering(tuple(sorted(choice.windows)), attributes or {}, trigger, names, event_types)
    built_in = [f for family in choice.families for f in _BUILT_IN[family](offering) if _is_served(f, available)]
    _refuse_unserved(choice.added, available)
    wanted = [f for f in [*built_in, *choice.added] if not f.name.startswith(choice.dropped)]
    _refuse_twins(wanted)
    return tuple(wanted)


def _refuse_unfit(choice: Choice) -> None:
    """Refuse windows and own features that cannot be measured, all faults at once."""
    found = [f"window {days}: a window is a whole number of days, 1 or more" for days in choice.windows if days < 1]
    found += ["windows: at least one is needed"] if not choice.windows else []
    found += [f"window {days} is listed twice" for days in {d for d in choice.windows if choice.windows.count(d) > 1}]
    found += [fault for feature in choice.added for fault in catalog_checks.faults(feature)]
    if found:
        hint = "correct features.windows and features.add in the config."
        raise wrong_input("The catalog of features cannot be built:", found, hint=hint)


def _is_served(feature: Feature, available: Mapping[str, AbstractSet[str]]) -> bool:
    return not _lacking(feature, available)


def _lacking(feature: Feature, available: Mapping[str, AbstractSet[str]]) -> list[str]:
    return [
        f"{table}.{column}"
        for table, columns in columns_read([feature]).items()
        for column in sorted(columns - available.get(table, set()))
    ]


def _refuse_unserved(added: Sequence[Feature], available: Mapping[str, AbstractSet[str]]) -> None:
    faults = []
    for feature in added:
        absent = [table for table in columns_read([feature]) if table not in available]
        faults += [f"{feature.name} reads the table {table}{_meant(table, available)}" for table in absent]
        for lacking in _lacking(feature, available):
            table, _, column = lacking.partition(".")
            if table in available:
                faults.append(f"{feature.name} reads {lacking}{_meant(column, available[table])}")
    if faults:
        hint = "map the table or the column under tables in the config, or correct features.add."
        raise wrong_input("Features of the config read what is not there:", faults, hint=hint)


def _meant(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near else ""


def _refuse_twins(features: Sequence[Feature]) -> None:
    times = Counter(feature.name for feature in features)
    twins = sorted(name for name, count in times.items() if count > 1)
    if twins:
        raise _twins(twins)


def _twins(names: list[str]) -> LeadlightError:
    return wrong_input("Features share a name:", names, hint="rename those under features.add.")
