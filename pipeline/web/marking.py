"""Writing marks down: the same for pages and programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from features.errors import LeadlightError, NotFinishedError
from pipeline.web import faults
from pipeline.web.visit import Visit


def hold(visit: Visit, lead_id: str, *, until: str, owner: str, reason: str) -> None:
    """Leave a lead alone.

    Args:
        visit: Who says so, and when.
        lead_id: The lead.
        until: The last day (ISO) on the shop's clock; empty = no end.
        owner: Who looks after it.
        reason: Why.

    Raises:
        RefusedError: The day is none, has passed, or a text is too long.
    """
    end = _until(visit, until)
    by, at = visit.visitor.user, visit.now
    _noted(lambda: visit.house.marks.hold(lead_id, owner=_line(owner), until=end, reason=_line(reason), by=by, at=at))


def note(visit: Visit, lead_id: str, *, text: str) -> None:
    """Write down that somebody contacted a lead."""
    marks = visit.house.marks
    _noted(lambda: marks.contacted(lead_id, by=visit.visitor.user, at=visit.now, note=_line(text)))


def take_back(visit: Visit, lead_id: str, number: int) -> None:
    """Take a mark of a lead back.

    Raises:
        RefusedError: The lead has no such mark.
    """
    marks = visit.house.marks
    _noted(lambda: marks.withdraw(number, by=visit.visitor.user, at=visit.now, lead_id=lead_id))


def _until(visit: Visit, day: str) -> datetime | None:
    """Return the first moment after *day* on the shop's clock; None where no day is given."""
    if not day:
        return None
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise faults.bad_request("bad_day", "The day must be written like 2026-03-01.") from error
    if not 2000 <= after.year <= 2200:
        raise faults.bad_request("bad_day", "The day lies too far away.")
    return datetime.combine(after, time(), ZoneInfo(visit.house.settings.shop.time_zone))


def _line(text: str) -> str:
    """Return what was typed on one line; half of a pair of surrogates cannot be stored."""
    return " ".join(text.encode("utf-8", "replace").decode().replace("\0", "").split())


def _noted(write: Callable[[], int]) -> None:
    try:
        write()
    except NotFinishedError:
        raise
    except LeadlightError as error:
        raise faults.bad_request("bad_mark", str(error).splitlines()[0]) from error
