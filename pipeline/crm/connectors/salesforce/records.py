"""What the org holds of a lead: its lead record and its contact, as one.

Where a lead was converted, the contact's fields count, and the lead's own where the contact has no such field
(``Status``, ``IsConverted``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.describing import described
from pipeline.crm.connectors.salesforce.places import CONTACT, ID, LEAD, Fields, Finder
from pipeline.crm.connectors.salesforce.soql import checked_name, selects
from pipeline.crm.connectors.value_texts import as_text, moment_of
from pipeline.crm.promise import Record
from pipeline.crm.trouble import StopError, StopReason

STAMP: Final = "SystemModstamp"


class Records:
    """Reads records by their keys.

    Args:
        api: The org.
        key: The field that holds the key.
        objects: Where leads are.
    """

    def __init__(self, api: Api, key: str, objects: Sequence[str]) -> None:
        self._api, self._key, self._objects = api, key, objects
        self._known: dict[str, frozenset[str]] = {}

    def names_of(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return which of *names* each object has.

        Raises:
            StopError: No object has one of them.
        """
        if not self._known:
            self._known = {table: frozenset(described(self._api, table).fields) for table in self._objects}
        lacking = [name for name in names if not any(name in known for known in self._known.values())]
        if lacking:
            words = f"Neither of {', '.join(self._objects)} has {', '.join(map(checked_name, lacking))}."
            raise StopError(words, reason=StopReason.SETUP)
        return {table: [name for name in names if name in known] for table, known in self._known.items()}

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the records of *keys* hold."""
        had = self.names_of(names)
        finder = Finder(self._api, self._key, self._objects, {table: [*own, STAMP] for table, own in had.items()})
        places = finder.find(keys)
        moved = {where.id for where in places.values() if where.object == CONTACT and where.contact is None}
        contacts = self.by_id(CONTACT, sorted(moved), names) if moved else {}
        found: dict[str, Record] = {}
        for key, where in places.items():
            contact = where.contact if where.contact is not None else contacts.get(where.id)
            if where.refusal is None and (contact or where.object == LEAD):
                found[key] = self.merged(key, lead=where.lead, contact=contact, names=names)
        return found

    def by_id(self, table: str, ids: Iterable[str], names: Sequence[str]) -> dict[str, Fields]:
        """Return records of an object by their Ids."""
        columns = [ID, STAMP, *self.names_of(names)[table]]
        queries = selects(list(dict.fromkeys(columns)), table, where=ID, among=ids)
        return {str(record.get(ID)): record for record in self._api.records(queries)}

    def merged(self, key: str, *, lead: Fields | None, contact: Fields | None, names: Sequence[str]) -> Record:
        """Return a lead and its contact as one record."""
        had = self.names_of(names)
        of_contact = frozenset(had.get(CONTACT, ())) if contact is not None else frozenset()
        nothing: Fields = {}
        values = {name: as_text(((contact if name in of_contact else lead) or nothing).get(name)) for name in names}
        stamps = [moment_of(one.get(STAMP)) for one in (lead, contact) if one is not None]
        return Record(key, values, max((stamp for stamp in stamps if stamp is not None), default=None))
