"""`leadlight publish --read`: what people did in the CRMs, kept for the next ingest and the next run of scores."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.crm.session import Outside, at_target, heard
from pipeline.crm.targets import target_names
from pipeline.exit_codes import worst
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.each_target import TargetFailure, each_target


@dataclass(frozen=True)
class TargetHeard:
    """What one CRM told.

    Attributes:
        target: Its name in the config.
        records: Records that came, repeats included.
        changes: Values that changed since they were last heard of.
        is_read: Whether the config names anything to be read from it.
    """

    target: str
    records: int
    changes: int
    is_read: bool


@dataclass(frozen=True)
class ListenReport:
    """What all CRMs told, and which of them could not be heard."""

    heard: tuple[TargetHeard, ...]
    failures: tuple[TargetFailure, ...]

    @property
    def exit_code(self) -> int:
        """2 or 3 where a CRM could not be heard, else 0."""
        return worst(one.exit_code for one in self.failures)


def listen(settings: Settings, to: str, *, outside: Outside | None = None, progress: Progress = silent) -> ListenReport:
    """Read what changed in the CRMs since they were last heard.

    Args:
        settings: The shop's config.
        to: One target; empty = all.
        outside: Clock, environment and patience; None = the process's own.
        progress: Told of every page.

    Raises:
        LeadlightError: No such target.
    """

    def at_one(name: str) -> TargetHeard:
        if not settings.crm[name].read.properties:
            return TargetHeard(name, 0, 0, is_read=False)
        with at_target(settings, name, outside or Outside()) as session:
            told = heard(session, progress)
            return TargetHeard(name, told.records, told.changes, is_read=True)

    return ListenReport(*each_target(target_names(settings, to), at_one))
