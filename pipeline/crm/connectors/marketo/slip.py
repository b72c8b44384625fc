"""What a ticket says: which files of a batch were uploaded, and what Marketo calls their imports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.crm.connectors.marketo.lead_file import LeadFile
from pipeline.crm.promise import Ticket


@dataclass(frozen=True)
class Import:
    """One upload.

    Attributes:
        mark: Of its file.
        begun: When it was begun (UTC).
        job: Marketo's name for it; empty = it was never told.
    """

    mark: str
    begun: datetime
    job: str = ""


@dataclass
class Slip:
    """The uploads of one batch.

    Args:
        ticket: Where they are kept.
    """

    ticket: Ticket
    imports: dict[str, Import] = field(default_factory=dict)

    @classmethod
    def of(cls, ticket: Ticket) -> Slip:
        """Return what *ticket* says."""
        return cls(ticket, {one.mark: one for one in imports_of(ticket.text)})

    def begin(self, file: LeadFile, now: datetime) -> None:
        """Write down that *file* goes out now: from here on an import may exist whose name nobody knows."""
        self.imports[file.mark] = Import(file.mark, now)
        self._keep()

    def named(self, file: LeadFile, job: str) -> None:
        """Write down what Marketo calls the import of *file*."""
        self.imports[file.mark] = Import(file.mark, self.imports[file.mark].begun, job)
        self._keep()

    def others(self, files: Sequence[LeadFile]) -> list[Import]:
        """Return the uploads that are of none of *files*."""
        own = {file.mark for file in files}
        return [one for mark, one in self.imports.items() if mark not in own]

    def _keep(self) -> None:
        told = [{"file": one.mark, "begun": one.begun.isoformat(), "job": one.job} for one in self.imports.values()]
        self.ticket.keep(json.dumps(told))


def imports_of(text: str) -> list[Import]:
    """Return the uploads that a ticket names; none where it is empty or another program's."""
    try:
        told = json.loads(text) if text else []
    except ValueError:
        return []
    found = [_import(one) for one in told] if isinstance(told, list) else []
    return [one for one in found if one is not None]


def _import(told: Any) -> Import | None:  # noqa: ANN401 - whatever JSON holds
    try:
        begun = datetime.fromisoformat(told["begun"])
        return Import(str(told["file"]), begun, str(told["job"])) if begun.tzinfo else None
    except (TypeError, KeyError, ValueError):
        return None
