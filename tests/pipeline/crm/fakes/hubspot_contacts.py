"""HubSpot's stand-in: its contacts, kept small enough for a million of them, and the search among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from fakes.hubspot_schema import iso, milliseconds

FIRST_NUMBER: Final = 1_000_000
_FIRST_MS: Final = 1_736_500_000_000
_MOST_KNOWN: Final = 200_000
_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"EQ": eq, "GT": gt, "GTE": ge, "LT": lt, "LTE": le}


class Contact:
    """One contact; which properties it has is shared with all others that have the same."""

    __slots__ = ("created_ms", "is_archived", "key", "modified_ms", "names", "number", "values")

    def __init__(self, number: int, key: str | None, moment_ms: int) -> None:
        self.number, self.key = number, key
        self.created_ms = self.modified_ms = moment_ms
        self.names: tuple[str, ...] = ()
        self.values: tuple[str, ...] = ()
        self.is_archived = False

    def held(self) -> dict[str, str]:
        """Return the properties that were written."""
        return dict(zip(self.names, self.values, strict=True))


class Contacts:
    """All contacts: those prepared come into being when they are first looked at.

    Args:
        prepared: How many there are from the start, with the keys L-0000000, L-0000001 ...
        key: The property that tells them apart.
    """

    def __init__(self, prepared: int, key: str) -> None:
        self.key = key
        self.now_ms = _FIRST_MS
        self._prepared = prepared
        self._of: dict[int, Contact] = {}
        self._numbers: dict[str, int] = {}
        self._next = FIRST_NUMBER + prepared
        self._known: dict[Any, Any] = {}

    def number_of(self, key: str) -> int | None:
        """Return the record id of the contact with *key*."""
        tail = key[2:]
        if key[:2] == "L-" and len(tail) == 7 and tail.isdigit() and int(tail) < self._prepared:
            return FIRST_NUMBER + int(tail)
        return self._numbers.get(key)

    def find(self, number: int | None) -> Contact | None:
        """Return a contact that is there and not archived."""
        if number is None:
            return None
        found = self._of.get(number)
        if found is None and FIRST_NUMBER <= number < FIRST_NUMBER + self._prepared:
            found = self._of[number] = Contact(number, f"L-{number - FIRST_NUMBER:07d}", _FIRST_MS)
        return None if found is None or found.is_archived else found

    def create(self, key: str | None) -> Contact:
        """Return a new contact."""
        made = self._of[self._next] = Contact(self._next, key, self.now_ms)
        if key is not None:
            self._numbers[key] = self._next
        self._next += 1
        return made

    def write(self, contact: Contact, properties: Mapping[str, str]) -> None:
        """Set properties; HubSpot stamps all contacts of one batch with the same moment."""
        names = tuple(properties)
        if contact.names and names != contact.names:
            properties = {**contact.held(), **properties}
            names = tuple(properties)
        contact.names = self._shared(names)
        contact.values = tuple([self._shared(value) for value in properties.values()])
        contact.modified_ms = self.now_ms

    def _shared(self, thing: Any) -> Any:
        """Return the one copy of what many contacts hold."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        return self._known.setdefault(thing, thing)

    def all(self) -> Iterator[Contact]:
        """Yield every contact that is not archived."""
        for number in (*range(FIRST_NUMBER, FIRST_NUMBER + self._prepared), *self._numbers.values()):
            if (found := self.find(number)) is not None:
                yield found
        yield from (one for one in self._of.values() if one.key is None and not one.is_archived)

    def touched(self) -> Iterator[Contact]:
        """Yield those that anything was written to."""
        return (one for one in list(self._of.values()) if one.names)

    def shown(self, contact: Contact, names: Mapping[str, Any] | None = None) -> dict[str, str | None]:
        """Return a contact's properties, empty ones as null: the usual ones, and *names* or all that were written."""
        held = contact.held()
        wanted = held if names is None else names
        return {
            **{name: held.get(name) or None for name in wanted},
            **({self.key: contact.key} if names is None or self.key in names else {}),
            "createdate": iso(contact.created_ms),
            "hs_object_id": str(contact.number),
            "lastmodifieddate": iso(contact.modified_ms),
        }


def search(contacts: Contacts, body: Mapping[str, Any], hidden: set[str]) -> list[Contact]:
    """Return the contacts that a search finds, in its order; *hidden* ones are not in the index yet."""
    groups = body.get("filterGroups") or []
    found = [
        one
        for one in contacts.all()
        if one.key not in hidden and (not groups or any(_fits(contacts, one, g["filters"]) for g in groups))
    ]
    found.sort(key=lambda one: one.number)
    for sort in body.get("sorts") or []:
        if isinstance(sort, dict):  # a text is let pass and orders nothing
            name = sort["propertyName"]
            found.sort(key=lambda one: _value(contacts, one, name), reverse=sort.get("direction") == "DESCENDING")
    return found


def _fits(contacts: Contacts, contact: Contact, filters: list[Mapping[str, Any]]) -> bool:
    for one in filters:
        value = _value(contacts, contact, one["propertyName"])
        if one["operator"] in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
            if (value not in {None, ""}) != (one["operator"] == "HAS_PROPERTY"):
                return False
        elif value is None or not _COMPARED[one["operator"]](value, _like(value, one["value"])):
            return False
    return True


def _value(contacts: Contacts, contact: Contact, name: str) -> Any:
    if name == "lastmodifieddate":
        return contact.modified_ms
    if name == "hs_object_id":
        return contact.number
    if name == contacts.key:
        return contact.key
    return contact.held().get(name)


def _like(value: Any, said: str) -> Any:
    return milliseconds(said) if isinstance(value, int) else said
