"""What the org holds of a lead: its lead record and its contact, as one.

Where a lead was converted, the contact's fields count, and the lead's own where the contact has no such field
(``Status``, ``IsConverted``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.columns import Columns
from pipeline.crm.connectors.salesforce.places import CONTACT, CONVERTED_TO, ID, LEAD, OF_LEADS, Fields, Finder
from pipeline.crm.connectors.salesforce.soql import selects
from pipeline.crm.connectors.value_texts import as_text, moment_of
from pipeline.crm.promise import Record

STAMP: Final = "SystemModstamp"


class Records:
    """Reads records by their keys.

    Args:
        api: The org.
        key: The field that holds the key.
        objects: Where leads are.
        columns: Which fields they have.
    """

    def __init__(self, api: Api, key: str, objects: Sequence[str], columns: Columns) -> None:
        self._api, self._key, self._objects, self._columns = api, key, objects, columns

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the records of *keys* hold."""
        self._columns.require(names, entry="fields")
        had = self._columns.of(names)
        finder = Finder(self._api, self._key, self._objects, {table: [*own, STAMP] for table, own in had.items()})
        places = finder.find(keys)
        moved = {where.id for where in places.values() if where.object == CONTACT and where.contact is None}
        contacts = {str(one.get(ID)): one for one in self.contacts(names, ids=moved)}
        found: dict[str, Record] = {}
        for key, where in places.items():
            contact = where.contact if where.contact is not None else contacts.get(where.id)
            if where.refusal is None and (contact or where.object == LEAD):
                found[key] = self.merged(key, lead=where.lead, contact=contact, names=names)
        return found

    def leads(self, names: Sequence[str], *, contacts: Iterable[str] = (), keys: Iterable[str] = ()) -> list[Fields]:
        """Return the leads that were converted to *contacts*, and those that carry one of *keys*."""
        return self._found(LEAD, names, (CONVERTED_TO, contacts), (self._key, keys))

    def contacts(self, names: Sequence[str], *, ids: Iterable[str] = (), keys: Iterable[str] = ()) -> list[Fields]:
        """Return the contacts with *ids*, and those that carry one of *keys*."""
        return self._found(CONTACT, names, (ID, ids), (self._key, keys))

    def columns(self, table: str, names: Sequence[str]) -> list[str]:
        """Return what is read of an object where *names* are wanted."""
        own = OF_LEADS if table == LEAD else ()
        return list(dict.fromkeys([ID, STAMP, self._key, *own, *self._columns.of(names)[table]]))

    def _found(self, table: str, names: Sequence[str], *among: tuple[str, Iterable[str]]) -> list[Fields]:
        if table not in self._objects:
            return []
        columns = self.columns(table, names)
        queries = [selects(columns, table, where=name, among=sorted(values)) for name, values in among]
        return list(self._api.records(chain.from_iterable(queries)))

    def merged(self, key: str, *, lead: Fields | None, contact: Fields | None, names: Sequence[str]) -> Record:
        """Return a lead and its contact as one record."""
        had = self._columns.of(names)
        of_contact = frozenset(had.get(CONTACT, ())) if contact is not None else frozenset()
        nothing: Fields = {}
        values = {name: as_text(((contact if name in of_contact else lead) or nothing).get(name)) for name in names}
        stamps = [moment_of(one.get(STAMP)) for one in (lead, contact) if one is not None]
        return Record(key, values, max((stamp for stamp in stamps if stamp is not None), default=None))
