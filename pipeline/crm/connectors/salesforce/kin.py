"""All records of one key: leads, the contacts that they were converted to, and contacts that carry the key themselves.

People may hold a lead at any of these, and a record that says nothing does not take back what another says. So what is
told of the override is every word that the records of a key hold, each once, joined as Salesforce joins the values of
a picklist: ``false; true``. Which words mean *no* only the config knows, and words that are joined are none of these:
where the records disagree, the lead is held. It is let go when no record says anything but one and the same *no*.

Two leads or two contacts of one key are not looked for: the key must be unique on each object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.crm.connectors.salesforce.places import CONVERTED_TO, ID, IS_CONVERTED, Fields
from pipeline.crm.connectors.value_texts import as_text

_JOINED: Final = "; "


class Kin:
    """Leads and contacts by the keys that they belong to.

    Args:
        key: The field that holds the key.
        leads: Leads; the same one may come twice.
        contacts: Contacts that they were converted to, or that carry a key; the same one may come twice.
    """

    def __init__(self, key: str, leads: Iterable[Fields], contacts: Iterable[Fields]) -> None:
        self.contacts: Mapping[str, Fields] = {str(contact.get(ID)): contact for contact in contacts}
        self._converted: dict[str, list[Fields]] = {}
        self._of: dict[str, list[Fields]] = {}
        for lead in {str(one.get(ID)): one for one in leads}.values():
            carried = key_of(lead, key)
            if carried:
                contact_id = contact_of(lead)
                self._converted.setdefault(contact_id, []).append(lead)
                own = [self.contacts[contact_id]] if contact_id in self.contacts else []
                self._of.setdefault(carried, []).extend([lead, *own])
        for contact in self.contacts.values():
            self._of.setdefault(key_of(contact, key), []).append(contact)

    def converted_to(self, contact: Fields) -> list[Fields]:
        """Return the leads that carry a key and were converted to *contact*."""
        return self._converted.get(str(contact.get(ID)), [])

    def words(self, key: str, name: str) -> str | None:
        """Return all that the records of *key* hold in the field *name*; None = nothing."""
        said = [as_text(record.get(name)) for record in self._of.get(key, ())]
        # Case and blanks make no other word, in whatever order the records come.
        words = {word.strip().lower(): word.strip() for word in sorted(filter(None, said))}
        return _JOINED.join(words[word] for word in sorted(words)) or None


def key_of(record: Fields, key: str) -> str:
    """Return the key that *record* carries; empty = none."""
    carried = record.get(key)
    return carried if isinstance(carried, str) else ""


def contact_of(lead: Fields) -> str:
    """Return the Id of the contact that *lead* was converted to; empty = there is none."""
    return str(lead.get(CONVERTED_TO) or "") if lead.get(IS_CONVERTED) else ""
