"""Reading a sample back: does the CRM hold what the ledger says was written?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine

from pipeline.crm.differences import FieldDifference, differences
from pipeline.crm.ledger import standing
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.kept_values import kept_object
from pipeline.crm.promise import Connector, CrmField, Record

READ_AT_ONCE: Final = 100


@dataclass(frozen=True)
class LeadDifference:
    """A lead whose record holds something else than was written.

    Attributes:
        lead_id: The lead.
        is_missing: Whether the CRM has no such record.
        fields: The properties that differ.
    """

    lead_id: str
    is_missing: bool
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True)
class Verified:
    """What reading back found.

    Attributes:
        read: Leads that were looked at.
        agree: Leads whose record holds what was written.
        differ: The others.
    """

    read: int
    agree: int
    differ: tuple[LeadDifference, ...]


def verified(
    engine: Engine, where: Destination, connector: Connector, fields: Sequence[CrmField], *, sample: int
) -> Verified:
    """Return how a sample of records, spread over all that were written, agrees with the ledger.

    Only properties that the config still names are compared: the others are not Leadlight's any more.

    Args:
        engine: The ledger.
        where: The target, at its place.
        connector: Its connector.
        fields: The properties that are written.
        sample: How many leads.
    """
    with engine.connect() as connection:
        rows = standing.sample(connection, where, most=sample)
    differ = [
        found for row, record in with_records(connector, rows, fields) if (found := _compared(row, record, fields))
    ]
    return Verified(len(rows), len(rows) - len(differ), tuple(differ))


def with_records(
    connector: Connector, rows: Sequence[Any], fields: Sequence[CrmField]
) -> Iterator[tuple[Any, Record | None]]:
    """Yield each row of the ledger with the record that the CRM holds of its lead; None = there is none."""
    names = [field.name for field in fields]
    for start in range(0, len(rows), READ_AT_ONCE):
        some = rows[start : start + READ_AT_ONCE]
        records = connector.read([row.lead_id for row in some], names)
        for row in some:
            yield row, records.get(row.lead_id)


def _compared(row: Any, record: Record | None, fields: Sequence[CrmField]) -> LeadDifference | None:  # noqa: ANN401
    if record is None:
        return LeadDifference(row.lead_id, is_missing=True, fields=())
    found = differences(kept_object(row.payload), record.fields, fields)
    return LeadDifference(row.lead_id, is_missing=False, fields=tuple(found)) if found else None
