"""What a place holds, as text: one spelling for all of them, so that what was written can be compared with it."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal


def as_text(value: object) -> str | None:  # noqa: PLR0911 - one line per kind
    """Return *value* as text; None where it is empty.

    Truth values are ``true`` and ``false``, numbers plain decimals (72, 0.25, never 1e-05), moments ISO 8601 in UTC; a
    moment without a zone is meant so.
    """
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return plain_number(value)
    if isinstance(value, datetime):
        return in_utc(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace") or None
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def plain_number(number: float | Decimal) -> str | None:
    """Return *number* without an exponent and without zeros at its end; None where it is none."""
    if not math.isfinite(number):
        return None
    text = format(Decimal(repr(number)) if isinstance(number, float) else number, "f")
    shown = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if shown == "-0" else shown


def moment_of(said: object) -> datetime | None:
    """Return the moment (UTC) that a text in ISO 8601 tells; None where it tells none. Without a zone UTC is meant.

    Example:
        >>> moment_of("2025-01-20T09:00:00.000+0100")
        datetime.datetime(2025, 1, 20, 8, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        return in_utc(datetime.fromisoformat(said)) if isinstance(said, str) else None
    except (ValueError, OverflowError):
        return None


def in_utc(moment: datetime) -> datetime:
    """Return *moment* in UTC; without a zone it is meant so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
