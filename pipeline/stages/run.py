"""`leadlight run`: the night from sources to scores in the CRM, one after the other, with one lock and one summary.

Killed at any point and started again it goes on: every step finds what was done before. A step that fails stops those
behind it that need it, and takes nothing back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import perf_counter

from features.errors import LeadlightError, is_disk_full
from pipeline.crm.session import Outside
from pipeline.exit_codes import code_of_error, worst
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.freshness import Freshness
from pipeline.stages.run_report import Outcome, RunReport, StepReport, TableState
from pipeline.stages.run_steps import STEPS, Night, NightWish, Step, timed
from pipeline.workspace import Workspace, disk_full

_log = logging.getLogger(__name__)


def run(
    settings: Settings,
    wish: NightWish | None = None,
    *,
    outside: Outside | None = None,
    progress: Progress = silent,
) -> RunReport:
    """Hear the CRMs, read what is new, score, write to the CRMs, and report.

    Args:
        settings: The shop's config; a model must be trained, or a points card named.
        wish: What is asked for.
        outside: Clock, environment and patience; None = the process's own.
        progress: Told of every step.

    Returns:
        How each step ended; a step that failed is told there, and raises nothing.

    Raises:
        NotFinishedError: Another night of this shop is at work.
    """
    night = Night(settings, wish or NightWish(), outside or Outside(), progress)
    started_at = night.outside.now_us()
    done: dict[str, StepReport] = {}
    with Workspace(settings.shop.workspace).running():
        for step in STEPS:
            done[step.name] = _taken(step, night, done)
            _log.info("%s: %s", step.name, done[step.name].outcome)
    steps = tuple(done.values())
    return RunReport(
        shop=settings.shop.name,
        started_at=night.told(started_at),
        as_of="" if night.data is None else night.told(night.data.moment),
        model_version="" if night.scored is None else night.scored.model_version,
        missed=tuple(map(night.told, night.missed)),
        caught_up=tuple(map(night.told, night.caught_up)),
        tables=() if night.data is None else tuple(_state(night, table) for table in night.data.tables),
        steps=steps,
        exit_code=worst(step.exit_code for step in steps),
    )


def _taken(step: Step, night: Night, done: Mapping[str, StepReport]) -> StepReport:
    """Return how a step ended, or that it was not begun."""
    lacking = [name for name in step.needs if not done[name].stands]
    if lacking:
        return StepReport(step.name, Outcome.SKIPPED, words=f"It needs {' and '.join(lacking)}.")
    started = perf_counter()
    try:
        report = step.act(night)
    except LeadlightError as error:
        report = _failed(step, error)
    except OSError as error:
        if not is_disk_full(error):
            raise
        report = _failed(step, disk_full(night.settings.shop.workspace))
    return timed(report, perf_counter() - started)


def _failed(step: Step, error: LeadlightError) -> StepReport:
    return StepReport(step.name, Outcome.FAILED, code_of_error(error), words=str(error))


def _state(night: Night, table: Freshness) -> TableState:
    return TableState(
        table=table.table,
        data_until=night.told(table.data_until),
        age_days=round(table.age_days, 3),
        is_fit=table.is_fit,
        volume=table.volume,
    )
