"""`leadlight publish --setup` and `--verify`: what surrounds the writing itself."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.crm.session import Outside, at_target
from pipeline.crm.targets import target_names
from pipeline.crm.verifying import LeadDifference, verified
from pipeline.exit_codes import DONE_WITH_REJECTS, WRONG_INPUT, worst
from pipeline.settings import Settings
from pipeline.stages.each_target import TargetFailure, each_target


@dataclass(frozen=True)
class SetUp:
    """What was created at one target."""

    target: str
    created: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class TargetVerified:
    """How a sample of records at one target agrees with the ledger."""

    target: str
    read: int
    agree: int
    differ: tuple[LeadDifference, ...]


@dataclass(frozen=True)
class ChecksReport:
    """What was done at all targets.

    Attributes:
        set_up: Of `--setup`.
        verified: Of `--verify`.
        failures: Targets at which it could not be done.
    """

    set_up: tuple[SetUp, ...] = ()
    verified: tuple[TargetVerified, ...] = ()
    failures: tuple[TargetFailure, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 where a fault lets no run write, 2 or 3 where a target failed, 1 where a record differs, else 0."""
        faults = [WRONG_INPUT for one in self.set_up if one.faults]
        differ = [DONE_WITH_REJECTS for one in self.verified if one.differ]
        return worst([*faults, *differ, *(one.exit_code for one in self.failures)])


def set_up(settings: Settings, to: str, *, outside: Outside | None = None) -> ChecksReport:
    """Create what is missing in the CRMs for what is to be written, and tell what is still not as it must be."""

    def at_one(name: str) -> SetUp:
        with at_target(settings, name, outside or Outside()) as session:
            connector, fields = session.target.connector, session.target.fields
            created = connector.setup(fields)
            return SetUp(name, tuple(created), tuple(connector.check(fields)))

    done, failures = each_target(target_names(settings, to), at_one)
    return ChecksReport(set_up=done, failures=failures)


def verify(settings: Settings, to: str, *, sample: int, outside: Outside | None = None) -> ChecksReport:
    """Read a sample back from the CRMs and compare it with the ledger."""

    def at_one(name: str) -> TargetVerified:
        with at_target(settings, name, outside or Outside()) as session:
            target = session.target
            found = verified(session.engine, target.destination, target.connector, target.fields, sample=sample)
            return TargetVerified(name, found.read, found.agree, found.differ)

    done, failures = each_target(target_names(settings, to), at_one)
    return ChecksReport(verified=done, failures=failures)
