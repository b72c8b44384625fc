"""`leadlight tune`: seek settings of the model over forward folds, keep every trial, write what is found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from features.errors import NotFinishedError, not_finished
from features.matrix import FeatureTable
from features.moments import local_date, to_us
from models import registry, tuning
from models.registry.fingerprint import fingerprint
from models.tuned import Tuned
from models.tuning import Standing, Tuning, TuningConfig, TuningResult
from models.tuning_study import COMPLETE, PRUNED
from pipeline import row_words
from pipeline.champion import place_of
from pipeline.found_settings import FoundSettings, asked_of, write_found
from pipeline.progress import NEWS, Progress, silent
from pipeline.settings import Settings
from pipeline.stages.features import compute_training_table
from pipeline.stages.fitting import training_config
from pipeline.workspace import Workspace

Clock = Callable[[], float]


@dataclass(frozen=True)
class RoundLine:
    """One round, as people read it.

    Attributes:
        judged_from: First as_of judged (ISO, on the shop's clock, or the row); empty where other leads were judged.
        rows: Snapshots judged.
        conversions: Distinct converting leads among them.
        default: The objective by default.
        best: The objective of the best trial.
    """

    judged_from: str
    rows: int
    conversions: int
    default: float
    best: float


@dataclass(frozen=True)
class TuneReport:
    """How the study stands.

    Attributes:
        question: The question in words.
        objective: What was measured, as the config calls it.
        objective_words: The same as people say it.
        higher_is_better: Whether more of it is better.
        is_forward: Whether the rounds go forward in time; else all snapshots share one moment.
        rows_are: What rows are called: ``snapshots`` or ``leads``.
        rows: Snapshots before the hold-out.
        rows_seen: Those of them that the trials see.
        rounds: Default and best, round by round.
        default_value: The objective by default, mean of the rounds.
        best_value: The objective of the best trial.
        gain: By how much the best is better.
        error: The gain's standard error over leads.
        bar: What the gain must exceed to count as more than noise.
        is_used: Whether it does, so that training uses the settings found.
        default: The default settings.
        best: The settings of the best trial.
        best_number: Its number.
        importance: How much each setting mattered, most first; empty with few complete trials.
        trials: Finished trials, judged to the end or given up.
        complete: Trials judged to the end.
        pruned: Trials given up on the way.
        wanted: Trials that the study should have.
        begun_at: The trial at which this run began.
        cut_short: Trials that an earlier run had begun and not finished.
        is_warm: Whether trial 1 is the best of an earlier study.
        has_directions: Whether the catalog binds any feature to a direction.
        seconds: Wall time of this run's trials.
        found: The file that training reads.
        study: The SQLite file of all studies.
        run_id: MLflow run of the study.
        tracking_uri: Where MLflow keeps it.
    """

    question: str
    objective: str
    objective_words: str
    higher_is_better: bool
    is_forward: bool
    rows_are: str
    rows: int
    rows_seen: int
    rounds: tuple[RoundLine, ...]
    default_value: float
    best_value: float
    gain: float
    error: float
    bar: float
    is_used: bool
    default: Tuned
    best: Tuned
    best_number: int
    importance: Mapping[str, float]
    trials: int
    complete: int
    pruned: int
    wanted: int
    begun_at: int
    cut_short: int
    is_warm: bool
    has_directions: bool
    seconds: float
    found: Path
    study: Path
    run_id: str
    tracking_uri: str


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
                table = compute_training_table(settings, progress=progress)
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
    return _report(settings, result, config, found=path, study=database, run_id=run_id, seconds=took)


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
        newest_as_of=row_words.told(settings, result.newest_as_of),
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


def _report(
    settings: Settings,
    result: TuningResult,
    config: TuningConfig,
    *,
    found: Path,
    study: Path,
    run_id: str,
    seconds: float,
) -> TuneReport:
    states = [trial.state for trial in result.trials]
    return TuneReport(
        question=settings.question.name,
        objective=result.objective.name,
        objective_words=result.objective.words,
        higher_is_better=result.objective.higher_is_better,
        is_forward=result.is_forward,
        rows_are=row_words.rows_are(settings),
        rows=result.rows,
        rows_seen=result.rows_seen,
        rounds=_round_lines(settings, result),
        default_value=result.default.value,
        best_value=result.best.value,
        gain=result.gain.value,
        error=result.gain.error,
        bar=result.gain.bar,
        is_used=result.tuned is not None,
        default=result.default.tuned,
        best=result.best.tuned,
        best_number=result.best.number,
        importance=result.importance,
        trials=len(states),
        complete=states.count(COMPLETE),
        pruned=states.count(PRUNED),
        wanted=config.trials,
        begun_at=result.begun_at,
        cut_short=result.cut_short,
        is_warm=result.is_warm,
        has_directions=result.has_directions,
        seconds=seconds,
        found=found,
        study=study,
        run_id=run_id,
        tracking_uri=place_of(settings).uri,
    )


def _round_lines(settings: Settings, result: TuningResult) -> tuple[RoundLine, ...]:
    values = zip(result.rounds, result.default.rounds, result.best.rounds, strict=True)
    return tuple(
        RoundLine(_begins(settings, result, info.first_as_of), info.rows, info.conversions, default, best)
        for info, default, best in values
    )


def _begins(settings: Settings, result: TuningResult, as_of: int) -> str:
    return row_words.told(settings, as_of) if result.is_forward else ""


def _stopped(when: str) -> NotFinishedError:
    hint = "run `leadlight tune` again: it goes on where it stopped."
    return not_finished(f"{when}; every finished trial is kept.", hint=hint)
