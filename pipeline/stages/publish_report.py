"""What the write-back tells: per target, how every lead is accounted for, what would change, and why it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.crm.ledger.runs import Tally
from pipeline.crm.planning import Difference
from pipeline.exit_codes import worst
from pipeline.stages.each_target import TargetFailure


@dataclass(frozen=True)
class Movement:
    """Leads that move from one grade to another; – stands for none."""

    before: str
    now: str
    leads: int


@dataclass(frozen=True)
class TargetReport:
    """What was written to one target, or would be.

    Attributes:
        target: Its name in the config.
        run: The run's number in the ledger, for `--undo`; None after a dry run.
        as_of: The moment of the scores (ISO, on the shop's clock).
        model_version: The model that scored.
        is_dry: Whether nothing was sent.
        is_resumed: Whether a run that had been cut short was taken up again.
        tally: How every lead is accounted for; in a dry run `pending` would be sent.
        movements: Leads that are sent, by grade that stood and grade that is to stand.
        examples: The best-ranked of them in full.
        dead_letters: The file of those that were turned away, with the CRM's words; None = nobody was.
        stopped: Why it stopped before the end; empty = it did not.
        exit_code: 0 all is well; 1 something was rejected or a gate failed; 2 input is wrong; 3 not finished.
        preview: The file of all leads that would be sent; None = nobody would be, or this was no dry run.
    """

    target: str
    run: int | None
    as_of: str
    model_version: str
    is_dry: bool
    is_resumed: bool
    tally: Tally
    movements: tuple[Movement, ...]
    examples: tuple[Difference, ...]
    dead_letters: Path | None
    stopped: str
    exit_code: int
    preview: Path | None


@dataclass(frozen=True)
class PublishReport:
    """What was written to all targets that were asked for."""

    targets: tuple[TargetReport, ...]
    failures: tuple[TargetFailure, ...]

    @property
    def exit_code(self) -> int:
        """The worst of all: wrong input, then unfinished, then rejected."""
        return worst([*(one.exit_code for one in self.targets), *(one.exit_code for one in self.failures)])
