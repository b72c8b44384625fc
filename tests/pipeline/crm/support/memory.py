"""A connector without a CRM: records in a dictionary, trouble on demand, everything looked up by tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from pipeline.crm.kinds import ConnectorKind
from pipeline.crm.promise import Answer, Changes, Outcome, Record
from pipeline.crm.trouble import StopError, StopReason


@dataclass
class Memory:
    """What a CRM would hold.

    Attributes:
        records: Fields by key.
        sent: Every batch that arrived, as lists of keys.
        on_send: Called with the rows before they are written; may raise, or return answers of its own.
        faults: What `check` returns.
        size: Rows of a batch.
        at_once: Batches on their way at once.
        finished: How often `finish` was called.
        abandoned: The jobs that were abandoned.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[list[str]] = field(default_factory=list)
    on_send: Callable[[Any], list[Answer] | None] = lambda _: None
    faults: list[str] = field(default_factory=list)
    size: int = 10
    at_once: int = 3
    finished: int = 0
    abandoned: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def batch_size(self, n_rows: int) -> int:
        """Return the rows of a batch."""
        return self.size

    def check(self, fields):
        """Return the faults that were wished for."""
        return self.faults

    def setup(self, fields):
        """Create nothing."""
        return []

    def send(self, rows, ticket):
        """Write rows, unless a test wants otherwise."""
        with self.lock:
            self.sent.append([row.key for row in rows])
        answers = self.on_send(rows)
        refused = {answer.key for answer in answers or [] if answer.outcome != Outcome.WRITTEN}
        with self.lock:
            for row in rows:
                if row.key not in refused:
                    self.records.setdefault(row.key, {}).update(row.fields)
        given = {answer.key: answer for answer in answers or []}
        return [given.get(row.key, Answer(row.key, Outcome.WRITTEN)) for row in reversed(rows)]

    def takes_and_is_cut(self, rows):
        """Let a batch arrive, and its answer be lost: an `on_send`."""
        with self.lock:
            for row in rows:
                self.records.setdefault(row.key, {}).update(row.fields)
        raise StopError("the connection was cut", reason=StopReason.NETWORK)

    def abandon(self, ticket):
        """Remember which."""
        self.abandoned.append(ticket)

    def finish(self):
        """Count."""
        self.finished += 1

    def read(self, keys, names):
        """Return records as texts."""
        return {
            key: Record(key, {name: _text(self.records[key].get(name)) for name in names})
            for key in keys
            if key in self.records
        }

    def changes(self, cursor, names):
        """Nothing ever changes by itself."""
        return Changes()

    def close(self):
        """Hold nothing."""


class NoOptions(BaseModel):
    """A connector without options."""


def kind_for(memory: Memory) -> ConnectorKind:
    """Return a kind whose connector is *memory*."""
    return ConnectorKind(NoOptions, lambda _options, _surroundings: memory)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
