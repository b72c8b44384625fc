"""What a night tells: each step with its outcome, its time and its counts, and one exit code for all.

It names no lead: who watches over the job need not know the customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.crm.ledger.runs import Tally
from pipeline.exit_codes import DONE
from pipeline.stages.freshness import Volume


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    NOTHING_NEW = "nothing_new"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class StepReport:
    """One step of a night.

    Attributes:
        name: The step.
        outcome: How it ended.
        exit_code: 0 all is well; 1 something was rejected or a gate failed; 2 input is wrong; 3 not finished.
        seconds: How long it took.
        words: What a person is told.
        counts: What it counted, by name.
        targets: Per target, how every lead is accounted for; empty but for what publishes.
    """

    name: str
    outcome: Outcome
    exit_code: int = DONE
    seconds: float = 0.0
    words: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    targets: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def stands(self) -> bool:
        """Whether steps that need this one may go on."""
        return self.outcome in (Outcome.DONE, Outcome.NOTHING_NEW)


@dataclass(frozen=True)
class TableState:
    """How one table stood, for people and programs.

    Attributes:
        table: Its name.
        data_until: Until when it tells what happened (ISO, on the shop's clock).
        age_days: Days from there to the run.
        is_fit: Whether it may be scored on.
        volume: Its newest rows; None where they are not judged.
    """

    table: str
    data_until: str
    age_days: float
    is_fit: bool
    volume: Volume | None


@dataclass(frozen=True)
class RunReport:
    """A whole night.

    Attributes:
        shop: The shop's name.
        started_at: When it began (ISO, on the shop's clock).
        as_of: The moment that was scored, or would have been (ISO, on the shop's clock); empty where it is not known.
        model_version: Who scored; empty where nobody did.
        missed: Moments of nights since the one before on which nothing was scored.
        caught_up: Those of them that were scored now.
        tables: How the tables stood.
        steps: The steps in order.
        exit_code: The worst of all steps: wrong input, then unfinished, then rejected.
    """

    shop: str
    started_at: str
    as_of: str
    model_version: str
    missed: tuple[str, ...]
    caught_up: tuple[str, ...]
    tables: tuple[TableState, ...]
    steps: tuple[StepReport, ...]
    exit_code: int

    @property
    def is_nothing_new(self) -> bool:
        """Whether every step went well and this night had been written before."""
        outcomes = {step.name: step.outcome for step in self.steps}
        return (
            self.exit_code == DONE
            and outcomes.get("score") == Outcome.NOTHING_NEW
            and outcomes.get("publish") in (Outcome.NOTHING_NEW, Outcome.SKIPPED)
        )
