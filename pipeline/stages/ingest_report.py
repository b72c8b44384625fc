"""What an ingest did, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TableReport:
    """What happened to the rows of one table.

    Attributes:
        rows_read: Rows read in this run, malformed lines included.
        kept: New facts let in.
        unchanged: Rows that were there already, read again or not.
        new_versions: Rows that change a fact known before.
        retracted: Facts that a full export no longer has.
        repeats: Rows equal to another of the same load, dropped.
        rejected: Rows turned away, by reason.
        waiting: Rows known only after this load; the next load lets them in.
        total: Facts in the workspace, all versions.
        first_occurred: When the earliest occurred (ISO, on the shop's clock); empty without rows.
        last_occurred: When the latest occurred.
        data_from: First moment that the data cover.
        data_until: Last moment that the data cover.
        moved_times: Local times that did not exist and moved forward.
        ambiguous_times: Local times that happened twice, taken as the later instant.
    """

    rows_read: int
    kept: int
    unchanged: int
    new_versions: int
    retracted: int
    repeats: int
    rejected: Mapping[str, int]
    waiting: int
    total: int
    first_occurred: str
    last_occurred: str
    data_from: str
    data_until: str
    moved_times: int
    ambiguous_times: int

    @property
    def rejected_rows(self) -> int:
        """Rows turned away for any reason."""
        return sum(self.rejected.values())


@dataclass(frozen=True)
class IngestReport:
    """What an ingest, or a check, found and did.

    Attributes:
        tables: Per table.
        leads: Number of leads.
        share_with: Per table of facts: the share of leads that have a row in it, 0 to 1.
        left_out: Columns not used, because nothing says when their values were known.
        shared_visitors: Visitors linked to more leads than allowed; their rows are nobody's.
        unlinked_rows: Rows whose visitor was never linked to a lead.
        notes: What a person should look at, in words.
        rejects: Files with the rejected rows; empty when there are none, and for a check.
        is_changed: Whether the workspace differs from before, or would after an ingest.
        generation: The generation that readers use now; empty for a check.
        buckets: Buckets of leads.
    """

    tables: Mapping[str, TableReport]
    leads: int
    share_with: Mapping[str, float]
    left_out: tuple[str, ...]
    shared_visitors: int
    unlinked_rows: int
    notes: tuple[str, ...]
    rejects: tuple[str, ...]
    is_changed: bool
    generation: str
    buckets: int

    @property
    def has_rejects(self) -> bool:
        """Whether some row was turned away."""
        return any(table.rejected_rows for table in self.tables.values())

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain data for JSON."""
        return asdict(self)
