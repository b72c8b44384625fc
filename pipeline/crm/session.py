"""One sitting at a target: the ledger open, nobody else writing to it, the connector ready, its trouble in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from features.errors import LeadlightError, NotFinishedError, compose, wrong_input
from features.moments import to_us
from pipeline.crm.hearing import Heard, hear
from pipeline.crm.ledger import opening
from pipeline.crm.patience import Patience
from pipeline.crm.promise import CrmField, Misplaced, Missing
from pipeline.crm.targets import Target, open_target
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from pipeline.exit_codes import NOT_FINISHED, WRONG_INPUT
from pipeline.progress import Progress
from pipeline.settings import Settings

_FACTS: Mapping[StopReason, str] = {
    StopReason.QUOTA: "The quota of '{}' is used up",
    StopReason.CREDENTIALS: "'{}' did not accept the credentials",
    StopReason.PERMISSION: "'{}' did not permit it",
    StopReason.SETUP: "'{}' is not set up for it",
    StopReason.NETWORK: "'{}' does not answer",
    StopReason.LATER: "'{}' did not take every lead",
    StopReason.CHANGED: "Somebody else wrote to '{}' meanwhile",
}

_A_PERSON_MENDS: Final = frozenset({StopReason.CREDENTIALS, StopReason.PERMISSION, StopReason.SETUP})
"""Trouble that running again does not end: wrong input, whether it was met before anything was sent or midway."""


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
        words = stopped_words(name, error)
        raise (LeadlightError(words) if error.reason in _A_PERSON_MENDS else NotFinishedError(words)) from error
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


def stopped_words(target: str, error: StopError) -> str:
    """Return what a person is told where a CRM stopped a run."""
    return compose(f"{_FACTS[error.reason].format(target)}: {error.words}", hint=error.hint)


def code_of_stop(stop: StopError) -> int:
    """Return the exit code of a run that a CRM stopped; what is pending stays so either way."""
    return WRONG_INPUT if stop.reason in _A_PERSON_MENDS else NOT_FINISHED


def require_room(session: Session, fields: Sequence[CrmField]) -> None:
    """See that the CRM can hold *fields*, which are to be written, before the first row goes out.

    Raises:
        LeadlightError: It cannot; every fault is told.
    """
    faults = session.target.connector.check(fields)
    if faults:
        raise _no_room(session.target.name, faults)


def _no_room(name: str, faults: list[str]) -> LeadlightError:
    hints = []
    if any(isinstance(fault, Missing) for fault in faults):
        hints.append(f"`leadlight publish --to {name} --setup` creates what is missing.")
    if any(isinstance(fault, Misplaced) for fault in faults):
        hints.append(f"let crm.{name}.connect name another place, or make room for it there.")
    if not all(isinstance(fault, (Missing, Misplaced)) for fault in faults):
        hints.append(
            f"{'The rest is changed' if hints else 'change it'} there, or under crm.{name} in the config: `length` "
            "shortens a text, `values` names choices as they are called there."
        )
    return wrong_input(f"The target '{name}' cannot hold what is to be written:", faults, hint=" ".join(hints))
