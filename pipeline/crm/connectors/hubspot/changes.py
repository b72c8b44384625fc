"""What changed in HubSpot since a cursor.

The search pages through 10,000 results and no further, and its pages shift while contacts change: one that is changed
leaves its place, and all behind it move up unseen. So each page is a search of its own that begins at the last
moment seen: sorted by *lastmodifieddate*, from that moment on. Only where a whole page carries one moment (HubSpot
stamps a bulk change with one) are its contacts read by their record id, which never changes.

The search's index lags: what was read until some minutes ago is settled, and younger moments are read again next time.

A cursor is JSON::

    {"since": 1736500000000, "id": "1000199", "again": 1736499700000}

with *since* the moment to go on from, *id* the last record read of exactly that moment (absent: all of it and later),
and *again* where the next reading must begin, if what was read is not all settled. Times are milliseconds since 1970.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.crm.connectors.hubspot.asking import Asking, listed, no_batch
from pipeline.crm.connectors.hubspot.batches import RECORD_ID
from pipeline.crm.connectors.value_texts import moment_of
from pipeline.crm.promise import Changes, Record
from pipeline.crm.trouble import RetryError

SEARCH: Final = "/crm/v3/objects/contacts/search"
LAG_S: Final = 600
MOST_RESULTS: Final = 200
_CHANGED: Final = "lastmodifieddate"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID: Final = re.compile(r"\d{1,20}", re.ASCII)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Place:
    """Where a reading stands.

    Attributes:
        since_ms: The moment to go on from.
        after_id: The last record read of exactly that moment; empty = from that moment on, in order of time.
        again_ms: Where the next reading must begin; None = where this one ends.
    """

    since_ms: int = 0
    after_id: str = ""
    again_ms: int | None = None

    @classmethod
    def of(cls, cursor: str) -> Place:
        """Return the place that a cursor names; what cannot be read begins anew, so that nothing is missed."""
        try:
            said = json.loads(cursor)
            again = said.get("again")
            return cls(int(said["since"]), str(said.get("id", "")), None if again is None else int(again))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    @property
    def cursor(self) -> str:
        """The place as a text."""
        said: dict[str, int | str] = {"since": self.since_ms}
        if self.after_id:
            said["id"] = self.after_id
        if self.again_ms is not None:
            said["again"] = self.again_ms
        return json.dumps(said)


@dataclass(frozen=True)
class Reader:
    """Reads contacts that changed.

    Args:
        asking: HubSpot's search, at its own pace.
        key: The property that tells contacts apart; those without it are none of Leadlight's.
        now: Seconds since 1970.
        page: Contacts a call.
    """

    asking: Asking
    key: str
    now: Callable[[], float]
    page: int = MOST_RESULTS

    def page_after(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return one page of contacts, and where to go on."""
        place = Place.of(cursor)
        unsettled_ms = round((self.now() - LAG_S) * 1000)  # before the call: later, more would seem settled

        def understood(body: dict[str, Any]) -> tuple[_Page, list[Record | None]]:
            results = listed(body, "contacts that changed")
            page = _Page.of(body, self.page, unsettled_ms)
            page.check_order(by_id=bool(place.after_id))
            return page, [record(one, self.key, names) for one in results]

        with no_batch():
            page, found = self.asking.ask("POST", SEARCH, understood, json=self._question(place, names))
        onward, is_more = page.onward(place)
        return Changes([one for one in found if one is not None], onward.cursor, is_more)

    def _question(self, place: Place, names: Sequence[str]) -> dict[str, Any]:
        since = str(place.since_ms)
        filters = [{"propertyName": _CHANGED, "operator": "GTE", "value": since}]
        order = _CHANGED
        if place.after_id:
            filters.append({"propertyName": _CHANGED, "operator": "LTE", "value": since})
            filters.append({"propertyName": RECORD_ID, "operator": "GT", "value": place.after_id})
            order = RECORD_ID
        if self.key != RECORD_ID:
            filters.append({"propertyName": self.key, "operator": "HAS_PROPERTY"})
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": list(dict.fromkeys((self.key, *names, _CHANGED))),
            "limit": self.page,
            "after": "0",
        }


@dataclass(frozen=True)
class _Page:
    """What one search found.

    Attributes:
        ids: Record ids.
        stamps: When each changed.
        is_last: Whether nothing comes after it.
        unsettled_ms: From here on the index may not be complete, and a stamp may be younger than the place that its
            contact has in it.
    """

    ids: tuple[int, ...]
    stamps: tuple[int, ...]
    is_last: bool
    unsettled_ms: int

    @classmethod
    def of(cls, body: dict[str, Any], most: int, unsettled_ms: int) -> _Page:
        """Return the page that an answer holds."""
        results = body["results"]
        paging = body.get("paging")
        goes_on = len(results) >= most or (isinstance(paging, dict) and bool(paging.get("next")))
        stamps = tuple(_stamp(one) for one in results)
        return cls(tuple(int(one["id"]) for one in results), stamps, not (results and goes_on), unsettled_ms)

    @property
    def settled(self) -> list[int]:
        """The stamps that can be relied on."""
        return [stamp for stamp in self.stamps if stamp < self.unsettled_ms]

    def check_order(self, *, by_id: bool) -> None:
        """Require the order asked for: going on from the end of another would leave contacts out.

        Raises:
            RetryError: It is another.
        """
        order = list(self.ids) if by_id else self.settled
        if order != sorted(order):
            raise RetryError("HubSpot's search is not in the order asked for.")

    def onward(self, place: Place) -> tuple[Place, bool]:
        """Return the next place, and whether there is more right now."""
        again = place.again_ms
        if len(self.settled) < len(self.stamps):
            again = min(self.unsettled_ms if again is None else again, self.unsettled_ms)
            if not self.is_last and not self.settled:
                again = min(again, place.since_ms)
        if place.after_id:
            if self.is_last:
                return Place(place.since_ms + 1, again_ms=again), True
            return replace(place, after_id=str(self.ids[-1]), again_ms=again), True
        last = max((*(self.settled or self.stamps), place.since_ms))
        if self.is_last:
            return Place(last if again is None else again), False
        if last == place.since_ms:
            # In order of time, contacts of one moment come in no order: that moment is read once more, by id.
            return Place(last, "0", again), True
        return Place(last, again_ms=again), True


def record(result: dict[str, Any], key: str, names: Sequence[str]) -> Record | None:
    """Return a contact as HubSpot tells of it; None = it has no key.

    HubSpot gives an empty property as null, and leaves out one that it does not know, or that is archived: of that one
    the record does not speak.

    Raises:
        RetryError: It makes no sense.
    """
    properties = result.get("properties")
    if not isinstance(properties, dict):
        raise RetryError("HubSpot's answer does not say what a contact holds.")
    found = result.get("id") if key == RECORD_ID else properties.get(key)
    if found is None or found == "":
        return None
    if not isinstance(found, str):
        raise RetryError("HubSpot's answer holds a key that is no text.")
    fields = {name: _text(properties[name]) for name in names if name in properties}
    return Record(found, fields, moment_of(properties.get(_CHANGED)) or moment_of(result.get("updatedAt")))


def _text(value: object) -> str | None:
    return None if value is None else str(value) or None


def _stamp(result: dict[str, Any]) -> int:
    """Return when a contact changed, as milliseconds."""
    properties = result.get("properties")
    moment = moment_of(properties.get(_CHANGED)) if isinstance(properties, dict) else None
    moment = moment or moment_of(result.get("updatedAt"))
    if moment is None or not _ID.fullmatch(str(result.get("id"))):
        raise RetryError("HubSpot's search does not say which contact changed when.")
    return (moment - _EPOCH) // _MILLISECOND
