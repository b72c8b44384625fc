"""One sitting at a target: the ledger open, nobody else writing to it, the connector ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine

from features.errors import NotFinishedError, compose
from features.moments import to_us
from pipeline.crm.hearing import Heard, hear
from pipeline.crm.ledger import opening
from pipeline.crm.patience import Patience
from pipeline.crm.stops import error_of
from pipeline.crm.targets import Target, open_target
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError
from pipeline.progress import Progress
from pipeline.settings import Settings


@dataclass(frozen=True)
class Outside:
    """What the write-back takes from outside.

    Attributes:
        environment: Where secrets and the ledger's URL are looked up; None = the process's own.
        patience: In place of the config's.
        clock: Now (aware).
    """

    environment: Mapping[str, str] | None = field(default=None, repr=False)
    patience: Patience | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now_us(self) -> int:
        """Return now in microseconds (UTC)."""
        return to_us(self.clock())


@dataclass(frozen=True)
class Session:
    """One sitting at a target.

    Attributes:
        engine: The ledger.
        target: The target.
        outside: What was taken from outside.
        require_alone: Raises where somebody else may write to the target by now.
    """

    engine: Engine
    target: Target
    outside: Outside
    require_alone: Callable[[], None]


@contextmanager
def at_target(settings: Settings, name: str, outside: Outside) -> Iterator[Session]:
    """Give a sitting at the target called *name*; nobody else writes to it meanwhile.

    Raises:
        LeadlightError: Its settings have faults, its secrets are missing, the CRM refuses credentials or permission or
            is not set up, or no ledger can be kept.
        NotFinishedError: Another run writes to it, or the CRM or the ledger stopped it; what is pending stays so.
    """
    try:
        with (
            opening.ledger(settings, outside.environment) as engine,
            open_target(settings, name, environment=outside.environment, patience=outside.patience) as target,
            opening.writing_to(engine, name) as require_alone,
        ):
            yield Session(engine, target, outside, require_alone)
    except StopError as error:
        raise error_of(name, error) from error
    except (RetryError, BatchRefusedError) as error:
        raise NotFinishedError(compose(f"'{name}' did not answer as it should: {error.words}")) from error


def heard(session: Session, progress: Progress) -> Heard:
    """Hear what people did in the CRM, above all whom they want left alone: before anybody is written to.

    Args:
        session: The sitting.
        progress: Told of every page.

    Raises:
        TroubleError: The CRM cannot be read now.
        NotFinishedError: See `pipeline.crm.hearing.hear`.
    """
    target, clock = session.target, session.outside.clock
    return hear(session.engine, target.destination, target.connector, target.config.read, at=clock(), progress=progress)
