"""What changed in the org since a cursor: leads first, then contacts, each by the moment of its last change.

The cursor holds, for each object, the last record that was read. Where an object has been read to its end it is set
back by some minutes: a change that was made before another may be committed after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.places import CONTACT, ID, LEAD, Fields
from pipeline.crm.connectors.salesforce.records import STAMP, Records
from pipeline.crm.connectors.salesforce.soql import literal, selects
from pipeline.crm.connectors.value_texts import moment_of
from pipeline.crm.promise import Changes, Record

_PAGE: Final = 2_000
_SET_BACK: Final = timedelta(minutes=10)
"""A transaction of Salesforce ends within ten minutes."""
_OF_LEADS: Final = ("IsConverted", "ConvertedContactId")
_NEXT: Final = "next"


@dataclass(frozen=True)
class _Position:
    """The last record read of an object: all before it, in the order of moment and Id, are known."""

    at: datetime | None = None
    id: str = ""

    def condition(self) -> str:
        """Return what holds for records after it; empty = for all."""
        if self.at is None:
            return ""
        said = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.at.microsecond // 1000:03d}Z"
        if not self.id:
            return f"{STAMP} >= {said}"
        return f"({STAMP} > {said} OR ({STAMP} = {said} AND {ID} > {literal(self.id)}))"


class Changing:
    """Reads changes.

    Args:
        api: The org.
        key: The field that holds the key.
        objects: Where leads are.
        records: Makes one record of a lead and its contact.
    """

    def __init__(self, api: Api, key: str, objects: Sequence[str], records: Records) -> None:
        self._api, self._key, self._objects, self._records = api, key, objects, records

    def since(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return a page of what changed since *cursor*."""
        positions, table = self._read(cursor)
        page = self._page(table, positions[table], names)
        found = list(self._of_leads(page, names) if table == LEAD else self._of_contacts(page, names))
        is_full = len(page) >= _PAGE
        positions[table] = _after(page, positions[table], is_end=not is_full)
        place = self._objects.index(table)
        is_last = not is_full and place == len(self._objects) - 1
        following = table if is_full else self._objects[(place + 1) % len(self._objects)]
        return Changes(found, _written(positions, following), is_more=not is_last)

    def _read(self, cursor: str) -> tuple[dict[str, _Position], str]:
        """Return the positions of a cursor, and which object is next; a cursor of another kind begins anew."""
        try:
            held = json.loads(cursor) if cursor else {}
        except ValueError:
            held = {}
        held = held if isinstance(held, dict) else {}
        following = held.get(_NEXT)
        table = str(following) if following in self._objects else self._objects[0]
        return {name: _position(held.get(name)) for name in self._objects}, table

    def _page(self, table: str, since: _Position, names: Sequence[str]) -> list[dict[str, Any]]:
        columns = [ID, STAMP, self._key, *(_OF_LEADS if table == LEAD else ()), *self._records.names_of(names)[table]]
        # A contact without the key may still be one that a lead was converted to.
        has_key = f"{self._key} != null" if self._key != ID and (table == LEAD or LEAD not in self._objects) else ""
        conditions = " AND ".join(filter(None, (has_key, since.condition())))
        where = f" WHERE {conditions}" if conditions else ""
        chosen = ", ".join(dict.fromkeys(columns))
        query = ("SELECT ", chosen, " FROM ", table, where, f" ORDER BY {STAMP}, {ID} LIMIT {_PAGE}")
        return list(self._api.records(["".join(query)]))

    def _of_leads(self, page: Sequence[Fields], names: Sequence[str]) -> Iterator[Record]:
        ids = {str(lead["ConvertedContactId"]) for lead in page if lead.get("ConvertedContactId")}
        contacts = self._records.by_id(CONTACT, sorted(ids), names) if CONTACT in self._objects else {}
        for lead in page:
            contact = contacts.get(str(lead.get("ConvertedContactId"))) if lead.get("IsConverted") else None
            if isinstance(lead.get(self._key), str):
                yield self._records.merged(lead[self._key], lead=lead, contact=contact, names=names)

    def _of_contacts(self, page: Sequence[Fields], names: Sequence[str]) -> Iterator[Record]:
        leads = self._converted_to([str(contact.get(ID)) for contact in page], names)
        for contact in page:
            own = leads.get(str(contact.get(ID)), [])
            for lead in own:
                yield self._records.merged(lead[self._key], lead=lead, contact=contact, names=names)
            if not own and isinstance(contact.get(self._key), str):
                yield self._records.merged(contact[self._key], lead=None, contact=contact, names=names)

    def _converted_to(self, ids: Sequence[str], names: Sequence[str]) -> dict[str, list[Fields]]:
        """Return the leads that carry a key and were converted to contacts, by the contact's Id."""
        if LEAD not in self._objects:
            return {}
        columns = [ID, STAMP, self._key, *_OF_LEADS, *self._records.names_of(names)[LEAD]]
        found: dict[str, list[Fields]] = {}
        for lead in self._api.records(
            selects(list(dict.fromkeys(columns)), LEAD, where="ConvertedContactId", among=ids)
        ):
            if isinstance(lead.get(self._key), str):
                found.setdefault(str(lead.get("ConvertedContactId")), []).append(lead)
        return found


def _after(page: Sequence[Fields], since: _Position, *, is_end: bool) -> _Position:
    """Return where to go on after *page*."""
    at = moment_of(page[-1].get(STAMP)) if page else since.at
    if not is_end:
        return _Position(at, str(page[-1].get(ID)))
    if at is None or not (page or since.id):
        return since
    return _Position(at - _SET_BACK)


def _position(held: Any) -> _Position:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(held, list) or len(held) != 2 or not isinstance(held[1], str):
        return _Position()
    return _Position(moment_of(held[0]), held[1])


def _written(positions: Mapping[str, _Position], following: str) -> str:
    held: dict[str, Any] = {
        name: [place.at.isoformat(), place.id] for name, place in positions.items() if place.at is not None
    }
    return json.dumps({**held, _NEXT: following})
