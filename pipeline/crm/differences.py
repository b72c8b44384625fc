"""Whether a CRM holds what was written: each answers in texts of its own, so values are compared by what they mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipeline.crm.promise import CrmField, FieldType, Value

_TRUE: Final = frozenset({"true", "1", "t", "yes"})
_FALSE: Final = frozenset({"false", "0", "f", "no"})
_CLOSE: Final = 1e-9
_MILLISECONDS: Final = 10**11
"""A moment told as a number of at least this counts milliseconds since 1970: as seconds it is of the year 5138."""


@dataclass(frozen=True)
class FieldDifference:
    """One property that holds something else than was written.

    Attributes:
        property: Its name.
        ours: What was written.
        theirs: What it holds, as the CRM tells it; None = empty.
    """

    property: str
    ours: Value
    theirs: str | None


def differences(
    ours: Mapping[str, Value], theirs: Mapping[str, str | None], fields: Sequence[CrmField]
) -> list[FieldDifference]:
    """Return the properties in which a record differs from what was written, in the order of *fields*."""
    return [
        FieldDifference(field.name, ours[field.name], theirs.get(field.name))
        for field in fields
        if field.name in ours and not is_same(ours[field.name], theirs.get(field.name), field.type)
    ]


def is_same(ours: Value, theirs: str | None, kind: FieldType) -> bool:
    """Return whether a CRM's text means the value that was written."""
    if ours is None or ours == "":
        return theirs is None or theirs == ""
    if theirs is None:
        return False
    if kind in {FieldType.INTEGER, FieldType.NUMBER}:
        return _is_same_number(ours, theirs)
    if kind == FieldType.BOOLEAN:
        return theirs.strip().lower() in (_TRUE if ours else _FALSE)
    if kind == FieldType.MOMENT:
        return _moment(str(ours)) is not None and _moment(str(ours)) == _moment(theirs)
    return _plain(str(ours)) == _plain(theirs)


def as_value(theirs: str | None, kind: FieldType) -> Value:
    """Return what a CRM's text means, as it is written.

    Raises:
        ValueError: It means no value of that kind.
    """
    if theirs is None or theirs == "":
        return None
    if kind in {FieldType.INTEGER, FieldType.NUMBER}:
        number = float(theirs)
        if not math.isfinite(number):
            raise ValueError("no number")
        return round(number) if kind == FieldType.INTEGER else number
    if kind == FieldType.BOOLEAN:
        if theirs.strip().lower() not in _TRUE | _FALSE:
            raise ValueError("neither true nor false")
        return theirs.strip().lower() in _TRUE
    if kind == FieldType.MOMENT:
        moment = _moment(theirs)
        if moment is None:
            raise ValueError("no moment")
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return theirs


def _is_same_number(ours: Value, theirs: str) -> bool:
    try:
        return math.isclose(float(str(ours)), float(theirs), rel_tol=_CLOSE, abs_tol=_CLOSE)
    except ValueError:
        return False


def _moment(text: str) -> datetime | None:
    """Return the whole second that *text* tells, in ISO 8601 or in seconds or milliseconds since 1970."""
    said = text.strip()
    try:
        if said.lstrip("-").isdecimal():
            number = int(said)
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS else number, UTC)
        found = datetime.fromisoformat(said)
    except (ValueError, OverflowError, OSError):
        return None
    aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return aware.replace(microsecond=0)


def _plain(text: str) -> str:
    """Return *text* with white space as a CRM may trim it."""
    return " ".join(text.split())
