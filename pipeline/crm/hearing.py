"""Hearing what people did in a CRM: owner, stage, outcomes and the word to leave a lead alone.

A CRM's changes are read page by page from where the last reading ended. What a page tells is kept together with the
cursor behind it, so a reading that was killed anywhere goes on there, loses nothing and doubles nothing::

    cursor ─▶ page ─▶ changes of values + next cursor, in one transaction ─▶ cursor ─▶ …

*Changed* is when the CRM says that something happened, *heard* is when Leadlight was told. Nothing is known before it
was heard, whatever the CRM says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import pyarrow as pa
from sqlalchemy import Engine

from features.errors import NotFinishedError, not_finished
from features.facts import LONGEST_LEAD_ID
from features.moments import to_us
from pipeline.crm.ledger import cursors
from pipeline.crm.ledger import hearing as ledger
from pipeline.crm.ledger.cursors import Reading
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.hearing import Page, Said
from pipeline.crm.promise import Changes, Connector, Record
from pipeline.progress import Progress, silent
from pipeline.settings_crm import ReadSettings


@dataclass(frozen=True)
class Heard:
    """What one reading of a CRM's changes brought.

    Attributes:
        records: Records that came, repeats included.
        changes: Values that changed since they were last heard of.
        pages: Pages that were read.
    """

    records: int = 0
    changes: int = 0
    pages: int = 0


def hear(
    engine: Engine,
    where: Destination,
    connector: Connector,
    read: ReadSettings,
    *,
    at: datetime,
    progress: Progress = silent,
    stopwatch: Callable[[], float] = monotonic,
) -> Heard:
    """Read what changed in a CRM since the last reading, and keep it in the ledger.

    Args:
        engine: The ledger.
        where: The CRM's name in the config, and the account; another account is read from its beginning.
        connector: The way to it.
        read: Which of its properties are read; with other properties reading begins anew.
        at: The moment at which the reading begins (aware).
        progress: Told of every page.
        stopwatch: Seconds that pass meanwhile: a change that came in during a long reading was not heard at its begin.

    Returns:
        What it brought; nothing where no property is read.

    Raises:
        TroubleError: The CRM cannot be read now. What was read is kept; reading again goes on there.
        NotFinishedError: Another run reads the same, the ledger does not answer, or the CRM gives pages in a circle.
    """
    if not read.properties:
        return Heard()
    reading = Reading(where, _hash_of(read))
    cursor, begun, heard = cursors.cursor_of(engine, reading), stopwatch(), Heard()
    landmark = cursor or ""
    while True:
        changes = connector.changes(cursor or "", read.properties)
        heard_at = to_us(at + timedelta(seconds=stopwatch() - begun))
        if changes.is_more and changes.cursor in {cursor or "", landmark}:
            raise _stands_still(where.target)
        new = ledger.keep(engine, reading, _page(changes, read.properties, former=cursor, heard_at=heard_at))
        heard = Heard(heard.records + len(changes.records), heard.changes + new, heard.pages + 1)
        progress(f"reading {where.target}", heard.records, 0)
        if not changes.is_more:
            return heard
        cursor = changes.cursor
        if heard.pages.bit_count() == 1:
            # Brent's search for circles: a place that is kept twice as long each time lies in any of them at last.
            landmark = cursor


def overridden(engine: Engine, target_name: str, read: ReadSettings) -> pa.Array:
    """Return the ids of the leads that people in a CRM hold now, in no order.

    Args:
        engine: The ledger.
        target_name: The CRM's name in the config.
        read: Says by which property people hold leads, and which of its values mean that they do not.

    Returns:
        Strings; ids that the shop does not know may be among them.
    """
    if not read.override:
        return pa.array([], pa.string())
    no = {"", *map(_folded, read.no)}
    yes = [value for value in ledger.values_now(engine, target_name, read.override) if _folded(value) not in no]
    return ledger.leads_with(engine, target_name, read.override, yes)


def read_until(engine: Engine, target_name: str, read: ReadSettings) -> int | None:
    """Return until when a CRM was read to the end, microseconds (UTC); None before the first whole reading."""
    return cursors.read_at(engine, target_name, _hash_of(read))


def _hash_of(read: ReadSettings) -> str:
    """Return which properties are read, in whatever order they are named."""
    return hashlib.sha256(json.dumps(sorted(read.properties)).encode()).hexdigest()


def _folded(text: str) -> str:
    return text.strip().lower()


def _page(changes: Changes, properties: Iterable[str], *, former: str | None, heard_at: int) -> Page:
    said = [one for record in changes.records for one in _said(record, properties, heard_at=heard_at)]
    return Page(said, former, changes.cursor, heard_at, is_last=not changes.is_more)


def _said(record: Record, properties: Iterable[str], *, heard_at: int) -> Iterator[Said]:
    """Return what a record tells of each property; nothing where its key can be no lead's."""
    key = record.key
    # What no database takes as it is was no lead's id; mended, it might be another's.
    if not key or len(key) > LONGEST_LEAD_ID or _plain(key) != key:
        return
    changed_at = None if record.changed_at is None else min(to_us(record.changed_at), heard_at)
    if changed_at is not None and changed_at <= 0:
        changed_at = None  # what stands for "never" in some CRMs
    for name in properties:
        # What a record does not speak of did not change.
        if name in record.fields:
            yield Said(key, name, _plain(record.fields[name] or "") or None, changed_at)


def _plain(text: str) -> str:
    """Return *text* as every database takes it: without NUL, and without halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _stands_still(target: str) -> NotFinishedError:
    hint = "run this again later; what was read is kept."
    return not_finished(
        f"The target '{target}' says that there is more to be read and gives the same pages.", hint=hint
    )
