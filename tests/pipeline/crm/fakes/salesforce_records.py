"""Leads and contacts of the stand-in: fields as describe tells them, records in little memory, writes judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2025, 1, 20, 9, tzinfo=UTC)
PREFIXES = {"Lead": "00Q", "Contact": "003"}
SHORT = 40
"""Texts up to so many characters are kept once, however many records hold them."""


def described_field(name: str, type_: str, **more: Any) -> dict[str, Any]:
    """Return a field as describe tells it."""
    usual = {
        "name": name, "label": name.removesuffix("__c").replace("_", " "), "type": type_, "length": 0,
        "precision": 0, "scale": 0, "digits": 0, "createable": True, "updateable": True, "externalId": False,
        "unique": False, "caseSensitive": False, "restrictedPicklist": False, "picklistValues": [],
        "nillable": type_ != "boolean", "defaultedOnCreate": type_ == "boolean",
    }  # fmt: skip
    return usual | more


def usual_fields(table: str, key: str, *, is_case_sensitive: bool) -> dict[str, dict[str, Any]]:
    """Return the fields that an object has before anybody adds some; new records need some of them."""
    locked = {"createable": False, "updateable": False}
    defaulted: dict[str, Any] = {"nillable": False, "defaultedOnCreate": True}
    fields = [
        described_field("Id", "id", length=18, **locked, **defaulted),
        described_field("IsDeleted", "boolean", **locked),
        described_field("SystemModstamp", "datetime", **locked, **defaulted),
        described_field("LastName", "string", length=80, nillable=False),
        described_field("Email", "email", length=80),
        described_field("OwnerId", "reference", length=18, **defaulted),
        described_field(
            key, "string", length=255, externalId=True, unique=True, caseSensitive=is_case_sensitive, idLookup=True
        ),
    ]
    if table == "Lead":
        fields += [
            described_field("Company", "string", length=255, nillable=False),
            described_field("Status", "picklist", picklistValues=picklist(["Open", "Working", "Closed"]), **defaulted),
            described_field("IsConverted", "boolean", **locked),
            described_field("ConvertedContactId", "reference", length=18, **locked),
        ]
    return {one["name"]: one for one in fields}


def picklist(values: Iterable[str]) -> list[dict[str, Any]]:
    """Return values as describe tells them."""
    return [{"value": value, "label": value, "active": True} for value in values]


class Record:
    """One record; its values in a tuple beside the names, which all records of one write share."""

    __slots__ = ("contact", "is_deleted", "key", "names", "number", "stamp", "values")

    def __init__(self, number: int, key: str | None, stamp: int) -> None:
        self.number, self.key, self.stamp = number, key, stamp
        self.names: tuple[str, ...] = ()
        self.values: tuple[Any, ...] = ()
        self.contact: str | None = None
        self.is_deleted = False

    def held(self) -> dict[str, Any]:
        """Return what was written."""
        return dict(zip(self.names, self.values, strict=True))


@dataclass(frozen=True)
class Written:
    """What became of one record that was written."""

    id: str = ""
    is_created: bool = False
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()


@dataclass
class Table:
    """All records of one object.

    Attributes:
        name: ``Lead`` or ``Contact``.
        key: Its external id field.
        fields: As describe tells them.
        seconds: Since `BEGIN`: the stand-in's clock, which each call moves on.
        locks: How often a key's record will be locked.
    """

    name: str
    key: str
    fields: dict[str, dict[str, Any]]
    seconds: int = 0
    locks: dict[str, int] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    by_key: dict[str, tuple[int, ...]] = field(default_factory=dict)
    by_contact: dict[str, list[int]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def add(self, key: str | None, values: Mapping[str, Any] | None = None) -> Record:
        """Put a record in, whatever its key."""
        record = Record(len(self.records), key, self.seconds)
        self.records.append(record)
        if key is not None:
            spelled = self.spelled(key)
            self.by_key[spelled] = (*self.by_key.get(spelled, ()), record.number)
        if values:
            self.put(record, values)
        return record

    def spelled(self, key: str) -> str:
        """Return *key* as it is compared."""
        return key if self.fields[self.key]["caseSensitive"] else key.casefold()

    def convert(self, record: Record, contact_id: str | None) -> None:
        """Convert a lead."""
        record.contact = contact_id or ""
        record.stamp = self.seconds
        self.by_contact.setdefault(record.contact, []).append(record.number)

    def id_of(self, record: Record) -> str:
        """Return a record's Id."""
        return f"{PREFIXES[self.name]}000{record.number:09d}AAA"

    def with_id(self, asked: str) -> Record | None:
        """Return the record of an Id of 15 or 18 characters."""
        if not asked.startswith(PREFIXES[self.name] + "000") or not asked[6:15].isdigit():
            return None
        number = int(asked[6:15])
        return self.records[number] if number < len(self.records) else None

    def with_key(self, key: str) -> list[Record]:
        """Return the records that carry a key and are not deleted."""
        found = [self.records[number] for number in self.by_key.get(self.spelled(key), ())]
        return [record for record in found if not record.is_deleted]

    def moment(self, record: Record) -> datetime:
        """Return when a record last changed."""
        return BEGIN + timedelta(seconds=record.stamp)

    def view(self, record: Record, name: str) -> Any:
        """Return what a record holds in a field."""
        if name in _VIEWS or name == self.key:
            return record.key if name == self.key else _VIEWS[name](self, record)
        return record.values[record.names.index(name)] if name in record.names else None

    def put(self, record: Record, values: Mapping[str, Any]) -> None:
        """Write values that were judged."""
        names = tuple(values)
        if record.names and record.names != names:
            values = record.held() | values
            names = tuple(values)
        record.names = self._names.setdefault(names, names)
        record.values = tuple(
            self._texts.setdefault(value, value) if isinstance(value, str) and len(value) <= SHORT else value
            for value in values.values()
        )
        record.stamp = self.seconds

    def write(self, column: str, ident: str, values: Mapping[str, Any]) -> Written:
        """Update the record with an Id, or upsert the one with a key."""
        record = self.with_id(ident) if column == "Id" else None
        if column == "Id" and record is None:
            return Written(code="INVALID_CROSS_REFERENCE_KEY", message="invalid cross reference id")
        if column != "Id":
            found = self.with_key(ident)
            if len(found) > 1:
                ids = ", ".join(self.id_of(one) for one in found)
                told = f"{self.fields[column]['label']}: more than one record found for external id field: [{ids}]"
                return Written(code="DUPLICATE_EXTERNAL_ID", message=told)
            record = found[0] if found else None
        return self._create(ident, values) if record is None else self._update(record, values)

    def _update(self, record: Record, values: Mapping[str, Any]) -> Written:
        record_id = self.id_of(record)
        if record.is_deleted:
            return Written(code="ENTITY_IS_DELETED", message="entity is deleted")
        if record.contact is not None:
            return Written(code="CANNOT_UPDATE_CONVERTED_LEAD", message="cannot reference converted lead")
        if record.key is not None and self.locks.get(record.key, 0) > 0:
            self.locks[record.key] -= 1
            told = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
            return Written(code="UNABLE_TO_LOCK_ROW", message=told)
        judged, fault = self._judged(values, "updateable")
        if fault is not None:
            return fault
        emptied = [name for name, value in judged.items() if value is None and not self.fields[name]["nillable"]]
        if emptied:
            return _lacking(emptied)
        self.put(record, judged)
        return Written(record_id)

    def _create(self, key: str, values: Mapping[str, Any]) -> Written:
        judged, fault = self._judged(values, "createable")
        if fault is not None:
            return fault
        lacking = [name for name, told in self.fields.items() if _is_required(told) and judged.get(name) is None]
        if lacking:
            return _lacking(lacking)
        return Written(self.id_of(self.add(key, judged)), is_created=True)

    def _judged(self, values: Mapping[str, Any], right: str) -> tuple[dict[str, Any], Written | None]:
        judged: dict[str, Any] = {}
        for name, value in values.items():
            told = self.fields[name]
            if not told[right]:
                message = (
                    f"Unable to create/update fields: {name}. Please check the security settings of this field and "
                    "verify that it is read/write for your profile or permission set."
                )
                return judged, Written(code="INVALID_FIELD_FOR_INSERT_UPDATE", message=message, fields=(name,))
            try:
                judged[name] = _converted(told, value)
            except _FaultError as fault:
                return judged, Written(code=fault.code, message=f"{told['label']}: {fault.message}", fields=(name,))
        return judged, None


def _is_required(told: Mapping[str, Any]) -> bool:
    """Return whether a new record must have a value in the field."""
    return told["createable"] and not told["nillable"] and not told["defaultedOnCreate"]


def _lacking(names: Sequence[str]) -> Written:
    told = f"Required fields are missing: [{', '.join(names)}]"
    return Written(code="REQUIRED_FIELD_MISSING", message=told, fields=tuple(names))


_VIEWS: dict[str, Callable[[Table, Record], Any]] = {
    "Id": lambda table, record: table.id_of(record),
    "SystemModstamp": lambda table, record: table.moment(record),
    "IsConverted": lambda _, record: record.contact is not None,
    "ConvertedContactId": lambda _, record: record.contact or None,
    "IsDeleted": lambda _, record: record.is_deleted,
}


class _FaultError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def _wrong_type(value: Any) -> _FaultError:
    return _FaultError("INVALID_TYPE_ON_FIELD_IN_RECORD", f"value not of required type: {value}")


def _converted(told: Mapping[str, Any], value: Any) -> Any:
    """Return what a field holds after *value* was written: CSV brings texts, JSON brings types."""
    kind = told["type"]
    if value is None or value == "":
        if kind == "boolean":
            raise _wrong_type(None)
        return None
    if kind == "boolean":
        if str(value).lower() not in {"true", "false"}:
            raise _wrong_type(value)
        return str(value).lower() == "true"
    if kind in {"double", "int", "percent", "currency"}:
        return _number(told, value)
    if kind == "datetime":
        return _moment(value)
    if not isinstance(value, str):
        raise _wrong_type(value)
    if told["length"] and len(value) > told["length"]:
        raise _FaultError("STRING_TOO_LONG", f"data value too large: {value} (max length={told['length']})")
    if told["restrictedPicklist"] and value not in {one["value"] for one in told["picklistValues"] if one["active"]}:
        raise _FaultError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"bad value for restricted picklist field: {value}"
        )
    return value


def _number(told: Mapping[str, Any], value: Any) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _wrong_type(value) from None
    if isinstance(value, bool) or number - number != 0:
        raise _wrong_type(value)
    kept = round(number, told["scale"])
    if told["precision"] and abs(kept) >= 10 ** (told["precision"] - told["scale"]):
        raise _FaultError("NUMBER_OUTSIDE_VALID_RANGE", f"value outside of valid range on numeric field: {value}")
    return int(kept) if kept.is_integer() else kept


def _moment(value: Any) -> str:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong_type(value) from None
    return str(value)
