"""`leadlight tune`: seek settings of the model over forward folds, keep every trial, write what is found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from features.errors import NotFinishedError, not_finished
from features.matrix import FeatureTable
from features.moments import local_date, to_us
from models import registry, tuning
from models.registry.fingerprint import fingerprint
from models.tuning import Standing, Tuning, TuningConfig, TuningResult
from pipeline.champion import place_of
from pipeline.found_settings import FoundSettings, asked_of, write_found
from pipeline.progress import NEWS, Progress, silent
from pipeline.row_words import told
from pipeline.settings import Settings
from pipeline.stages.fitting import table_to_learn_from, training_config
from pipeline.stages.tune_report import TuneReport, report_of
from pipeline.workspace import Workspace

Clock = Callable[[], float]


def tune(
    settings: Settings,
    *,
    now: datetime,
    trials: int | None = None,
    minutes: float | None = None,
    table: FeatureTable | None = None,
    progress: Progress = silent,
    clock: Clock = time.monotonic,
) -> TuneReport:
    """Go on with the study of the config's question, or begin it, and write what it found.

    Args:
        settings: The shop's config; its tables must have been ingested.
        now: The time of the run (aware).
        trials: Trials of the study in all; None = the config's.
        minutes: Time of this run; None = the config's.
        table: The training table where it is at hand; else it is computed.
        progress: Told of every trial and of the best so far.
        clock: Seconds that only go up.

    Raises:
        LeadlightError: Nothing ingested, nothing ripe, too few conversions.
        NotFinishedError: Another tuning is at work; or it was stopped (Ctrl-C), or MLflow failed: the study is safe.
    """
    wanted = settings.model.tuning
    config = TuningConfig(
        training=training_config(settings),
        objective=wanted.objective,
        trials=trials or wanted.trials,
        seconds=60 * (minutes or wanted.minutes),
    )
    try:
        with Workspace(settings.shop.workspace).tuning() as database:
            if table is None:
                table = table_to_learn_from(settings, progress=progress)
            return _gone_on(settings, config, table, database, now=now, progress=progress, clock=clock)
    except KeyboardInterrupt:  # while the table was computed, or at the very end: no trial was under way
        raise _stopped("Stopped") from None


def _gone_on(
    settings: Settings,
    config: TuningConfig,
    table: FeatureTable,
    database: Path,
    *,
    now: datetime,
    progress: Progress,
    clock: Clock,
) -> TuneReport:
    """Run the trials that the study still needs, keep what it found, and log it."""
    registry.prepare(place_of(settings))
    asks, data = asked_of(settings, table), fingerprint(table)
    keep = partial(_kept, settings, asks=asks, now=now)
    begun = tuning.begun(
        table, config, database=database, asks=asks, fingerprint=data, notify=lambda text: progress(text, 0, 0)
    )
    with begun as study:
        began = clock()
        _run(study, config, keep, clock=clock, watch=partial(_told, progress))
        took = clock() - began
        result = study.result()
    if result is None:
        raise _stopped("Stopped before the first trial")
    found = keep(result)
    progress("logging to MLflow", 0, 0)
    run_id = registry.log_tuning(place_of(settings), _remembered(settings, result, data))
    path = write_found(settings, replace(found, run_id=run_id))
    return report_of(settings, result, wanted=config.trials, found=path, study=database, run_id=run_id, seconds=took)


def _run(
    study: Tuning,
    config: TuningConfig,
    keep: Callable[[TuningResult], FoundSettings],
    *,
    clock: Clock,
    watch: Callable[[Standing], None],
) -> None:
    """Run the trials; stopped by Ctrl-C, keep the best so far and say how to go on."""
    try:
        study.run(clock=clock, watch=watch)
    except KeyboardInterrupt:
        result = study.result()
        if result is not None:
            keep(result)
        done = len(result.trials) if result else 0
        raise _stopped(f"Stopped after {done} of {config.trials} trials") from None


def _kept(settings: Settings, result: TuningResult, *, asks: str, now: datetime) -> FoundSettings:
    """Write what the study has found so far, for training to read."""
    found = FoundSettings(
        asks=asks,
        study=result.study.text,
        tuned=result.tuned,
        objective=result.objective.words,
        default_value=result.default.value,
        best_value=result.best.value,
        gain=result.gain.value,
        bar=result.gain.bar,
        trials=len(result.trials),
        found_on=local_date(to_us(now), settings.shop.time_zone).isoformat(),
        newest_as_of=told(settings, result.newest_as_of),
    )
    write_found(settings, found)
    return found


def _told(progress: Progress, standing: Standing) -> None:
    """Tell how many trials are done, and the best so far."""
    news = ""
    if standing.best is not None:
        best = standing.best
        news = f"{NEWS}best {standing.objective.words} {best.value:.4f} (trial {best.number})"
    progress(f"tuning{news}", standing.done, standing.total)


def _remembered(settings: Settings, result: TuningResult, data: str) -> registry.RememberedTuning:
    asked = {
        "question": settings.question.name,
        "rounds": len(result.rounds),
        "is_forward": result.is_forward,
        "trials": len(result.trials),
        "seed": settings.model.seed,
    }
    return registry.RememberedTuning(result, data, asked)


def _stopped(when: str) -> NotFinishedError:
    hint = "run `leadlight tune` again: it goes on where it stopped."
    return not_finished(f"{when}; every finished trial is kept.", hint=hint)
