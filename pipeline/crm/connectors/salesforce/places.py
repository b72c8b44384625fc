"""Where the record of a key is: a live lead, or the contact that it was converted to, or a contact alone.

A converted lead is locked, so its contact holds what Leadlight writes, whether or not the contact carries the key.
Keys are the same only letter by letter: Salesforce may take ``a1`` and ``A1`` for one, and would write one over the
other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.crm.connectors.salesforce.api import GARBLED, Api
from pipeline.crm.connectors.salesforce.soql import selects
from pipeline.crm.trouble import RetryError

ID: Final = "Id"
CUSTOM: Final = "__c"
"""How the names of fields end that an org made for itself."""
LEAD: Final = "Lead"
CONTACT: Final = "Contact"
LONGEST_KEY: Final = 255
_PREFIXES: Final = {LEAD: "00Q", CONTACT: "003"}
SHORT_ID: Final = 15
"""Letters of an Id as reports and addresses show it; those behind them only repeat the case of the rest."""
_ID_SHAPE: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
IS_CONVERTED: Final = "IsConverted"
CONVERTED_TO: Final = "ConvertedContactId"
OF_LEADS: Final = (IS_CONVERTED, CONVERTED_TO)
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Why a key's row is not written anywhere."""

    code: str
    words: str


UNKNOWN: Final = Refusal("NOT_FOUND", "No record carries this key, and none is created.")
NO_KEY: Final = Refusal("NO_KEY", f"A key is a text of 1 to {LONGEST_KEY} characters.")
DUPLICATE: Final = Refusal("DUPLICATE", "Several records carry this key.")
SAME_RECORD: Final = Refusal("DUPLICATE", "Another lead of this run is written at the same record.")
OTHER_SPELLING: Final = Refusal(
    "OTHER_SPELLING",
    "A record carries this key in other capital or small letters; Salesforce may take it for the same.",
)
CONVERTED: Final = Refusal("CANNOT_UPDATE_CONVERTED_LEAD", "The lead was converted, and there is no contact to write.")

_LOOKED_FOR_ELSEWHERE: Final = frozenset({UNKNOWN, CONVERTED, OTHER_SPELLING})


@dataclass
class Whereabouts:
    """Where one key's record is.

    Attributes:
        object: ``Lead`` or ``Contact``; empty = nowhere.
        id: The record's Id there.
        lead: The lead, as it was read.
        contact: The contact, as it was read.
        refusal: Why nothing can be written; None = it can.
    """

    object: str = ""
    id: str = ""
    lead: Fields | None = None
    contact: Fields | None = None
    refusal: Refusal | None = UNKNOWN

    def put(self, table: str, record_id: str) -> None:
        """Note where to write."""
        self.object, self.id, self.refusal = table, record_id, None


@dataclass(frozen=True)
class Finder:
    """Finds records by their keys.

    Args:
        api: The org.
        key: The field that holds the key; ``Id`` = the record's own.
        objects: Where to look, in this order.
        names: What else to read, by object.
        tells_case: Whether records are made without regard to keys in other capital or small letters: the org tells
            them apart, or none are made.
    """

    api: Api
    key: str
    objects: Sequence[str]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tells_case: bool = True

    def find(self, keys: Sequence[str]) -> dict[str, Whereabouts]:
        """Return where each of *keys* is."""
        found = {key: Whereabouts() for key in keys}
        asked = {self.identity(key): key for key in keys if self._may_be_asked(key)}
        for key in found.keys() - set(asked.values()):
            found[key].refusal = NO_KEY
        for table in self.objects:
            self._look(table, asked, found)
            asked = {same: key for same, key in asked.items() if found[key].refusal in _LOOKED_FOR_ELSEWHERE}
        return found

    def identity(self, key: str) -> str:
        """Return what tells *key* from others."""
        return key[:SHORT_ID] if self.key == ID else key

    def _may_be_asked(self, key: str) -> bool:
        """Return whether SOQL can be asked for *key*: an empty one would mean all records without."""
        if self.key == ID:
            return bool(_ID_SHAPE.fullmatch(key))
        return bool(key.strip()) and len(key) <= LONGEST_KEY

    def _look(self, table: str, asked: Mapping[str, str], found: dict[str, Whereabouts]) -> None:
        seen: set[str] = set()
        spelled: set[str] = set()
        for record in self._records(table, asked):
            carried = record.get(self.key)
            if not isinstance(carried, str) or not isinstance(record.get(ID), str):
                raise RetryError(GARBLED)  # it was found by its key
            same = self.identity(carried)
            spelled.add(same.casefold())
            if same not in asked:
                continue
            where = found[asked[same]]
            if same in seen:
                where.refusal = DUPLICATE
                continue
            seen.add(same)
            self._note(table, record, where)
        if not self.tells_case:
            for same, key in asked.items():
                if found[key].refusal is UNKNOWN and same.casefold() in spelled:
                    found[key].refusal = OTHER_SPELLING

    def _records(self, table: str, asked: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        keys: Sequence[str] = list(asked.values())
        if self.key == ID:
            keys = [key for key in keys if key.startswith(_PREFIXES[table])]
        yield from self.api.records(selects(self.columns(table), table, where=self.key, among=keys))

    def columns(self, table: str) -> list[str]:
        """Return what is read of *table*."""
        own = OF_LEADS if table == LEAD else ()
        return list(dict.fromkeys([ID, self.key, *own, *self.names.get(table, ())]))

    def _note(self, table: str, record: Fields, where: Whereabouts) -> None:
        record_id = str(record.get(ID))
        if table == CONTACT:
            where.contact = record
            where.put(CONTACT, record_id)
            return
        where.lead = record
        if not record.get(IS_CONVERTED):
            where.put(LEAD, record_id)
            return
        contact = record.get(CONVERTED_TO)
        if contact and CONTACT in self.objects:
            where.put(CONTACT, str(contact))
        else:
            where.refusal = CONVERTED
