"""What changed in the org since a cursor: leads first, then contacts, each by the moment of its last change.

The cursor holds, for each object, the last record that was read. Where an object has been read to its end it is set
back by some minutes: a change that was made before another may be committed after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.columns import Columns
from pipeline.crm.connectors.salesforce.kin import Kin, contact_of, key_of
from pipeline.crm.connectors.salesforce.places import CONTACT, ID, LEAD, SHORT_ID, Fields
from pipeline.crm.connectors.salesforce.records import STAMP, Records
from pipeline.crm.connectors.salesforce.soql import literal
from pipeline.crm.connectors.value_texts import moment_of
from pipeline.crm.promise import Changes, Record

_PAGE: Final = 2_000
_SET_BACK: Final = timedelta(minutes=10)
"""A transaction of Salesforce ends within ten minutes."""
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


@dataclass(frozen=True)
class Changing:
    """Reads changes.

    Args:
        api: The org.
        key: The field that holds the key.
        objects: Where leads are.
        columns: Which fields they have.
        records: Makes one record of a lead and its contact.
        override: The field by which people hold leads; empty = there is none.
    """

    api: Api
    key: str
    objects: Sequence[str]
    columns: Columns
    records: Records
    override: str

    def since(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return a page of what changed since *cursor*.

        Raises:
            StopError: One of *names* cannot be read where it must.
        """
        self.columns.require(names, entry="read")
        positions, table = self._read(cursor)
        page = self._page(table, positions[table], names)
        told = self._of_leads(page, names) if table == LEAD else self._of_contacts(page, names)
        found = [record for one in told for record in self._spelled(one)]
        is_full = len(page) >= _PAGE
        positions[table] = _after(page, positions[table], is_end=not is_full)
        place = self.objects.index(table)
        is_last = not is_full and place == len(self.objects) - 1
        following = table if is_full else self.objects[(place + 1) % len(self.objects)]
        return Changes(found, _written(positions, following), is_more=not is_last)

    def _spelled(self, record: Record) -> Iterator[Record]:
        """Yield *record* under each key that the shop may know its lead by: a row is written under an Id of 15 too."""
        yield record
        if self.key == ID and len(record.key) > SHORT_ID:
            yield replace(record, key=record.key[:SHORT_ID])

    def _read(self, cursor: str) -> tuple[dict[str, _Position], str]:
        """Return the positions of a cursor, and which object is next; a cursor of another kind begins anew."""
        try:
            held = json.loads(cursor) if cursor else {}
        except ValueError:
            held = {}
        held = held if isinstance(held, dict) else {}
        following = held.get(_NEXT)
        table = str(following) if following in self.objects else self.objects[0]
        return {name: _position(held.get(name)) for name in self.objects}, table

    def _page(self, table: str, since: _Position, names: Sequence[str]) -> list[dict[str, Any]]:
        # A contact without the key may still be one that a lead was converted to.
        has_key = f"{self.key} != null" if self.key != ID and (table == LEAD or LEAD not in self.objects) else ""
        conditions = " AND ".join(filter(None, (has_key, since.condition())))
        where = f" WHERE {conditions}" if conditions else ""
        chosen = ", ".join(self.records.columns(table, names))
        query = ("SELECT ", chosen, " FROM ", table, where, f" ORDER BY {STAMP}, {ID} LIMIT {_PAGE}")
        return list(self.api.records(["".join(query)]))

    def _of_leads(self, page: Sequence[Fields], names: Sequence[str]) -> Iterator[Record]:
        kin = Kin(self.key, page, self._contacts_of(page, names))
        for lead in page:
            if carried := key_of(lead, self.key):
                yield self._told(carried, lead, kin.contacts.get(contact_of(lead)), kin, names)

    def _of_contacts(self, page: Sequence[Fields], names: Sequence[str]) -> Iterator[Record]:
        keys = self._carried(page, names)
        leads = self.records.leads(names, contacts={str(contact.get(ID)) for contact in page}, keys=keys)
        more = self._contacts_of(leads, names, known=page) if self.override in names else []
        kin = Kin(self.key, leads, [*more, *page])
        for contact in page:
            converted = kin.converted_to(contact)
            for lead in converted:
                yield self._told(key_of(lead, self.key), lead, contact, kin, names)
            own = key_of(contact, self.key)
            if own and own not in {key_of(lead, self.key) for lead in converted}:
                yield self._told(own, None, contact, kin, names)

    def _contacts_of(
        self, leads: Iterable[Fields], names: Sequence[str], *, known: Sequence[Fields] = ()
    ) -> list[Fields]:
        """Return the contacts that *leads* were converted to, and those that carry their keys, beside those *known*."""
        ids = {contact_of(lead) for lead in leads} - {"", *(str(contact.get(ID)) for contact in known)}
        return self.records.contacts(names, ids=ids, keys=self._carried(leads, names) - self._carried(known, names))

    def _carried(self, records: Iterable[Fields], names: Sequence[str]) -> set[str]:
        """Return the keys of which other records may hold the lead; nothing but an Id can be carried by one alone."""
        if self.override not in names or self.key == ID:
            return set()
        return {key_of(record, self.key) for record in records} - {""}

    def _told(self, key: str, lead: Fields | None, contact: Fields | None, kin: Kin, names: Sequence[str]) -> Record:
        """Return a lead and its contact as one record, with the override of all records of its key.

        It is silent of what neither of the two has: a contact knows no ``Status``, and takes back no lead's.
        """
        record = self.records.merged(key, lead=lead, contact=contact, names=names)
        had = self.columns.of(names)
        there = [table for table, one in ((LEAD, lead), (CONTACT, contact)) if one is not None]
        said = {name: record.fields[name] for name in names if any(name in had.get(table, ()) for table in there)}
        if self.override in names:
            said[self.override] = kin.words(key, self.override)
        return replace(record, fields=said)


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
