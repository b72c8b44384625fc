"""`leadlight publish --read`: what people did in the CRMs, kept for the next ingest and the next run of scores."""

from __future__ import annotations

from dataclasses import dataclass

from features.errors import LeadlightError
from pipeline.crm.hearing import hear
from pipeline.crm.session import Outside, at_target
from pipeline.crm.targets import target_names
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.publish_report import TargetFailure, failure


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
        return min((one.exit_code for one in self.failures), key=(2, 3, 1).index, default=0)


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
    heard: list[TargetHeard] = []
    failures: list[TargetFailure] = []
    for name in target_names(settings, to):
        read = settings.crm[name].read
        if not read.properties:
            heard.append(TargetHeard(name, 0, 0, is_read=False))
            continue
        try:
            with at_target(settings, name, outside or Outside()) as at:
                target = at.target
                told = hear(at.engine, name, target.connector, read, at=at.outside.clock(), progress=progress)
                heard.append(TargetHeard(name, told.records, told.changes, is_read=True))
        except LeadlightError as error:
            failures.append(failure(name, error))
    return ListenReport(tuple(heard), tuple(failures))
