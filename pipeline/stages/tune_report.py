"""What `leadlight tune` tells: default and best round by round, whether the gain counts, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.tuned import Tuned
from models.tuning import TuningResult
from models.tuning_study import COMPLETE, PRUNED
from pipeline.champion import place_of
from pipeline.row_words import rows_are, told
from pipeline.settings import Settings


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


def report_of(
    settings: Settings,
    result: TuningResult,
    *,
    wanted: int,
    found: Path,
    study: Path,
    run_id: str,
    seconds: float,
) -> TuneReport:
    """Return what people are told of a study.

    Args:
        settings: The shop's config.
        result: What the study came to.
        wanted: Trials that it should have.
        found: The file that training reads.
        study: The SQLite file of all studies.
        run_id: MLflow run of the study.
        seconds: Wall time of this run's trials.
    """
    states = [trial.state for trial in result.trials]
    return TuneReport(
        question=settings.question.name,
        objective=result.objective.name,
        objective_words=result.objective.words,
        higher_is_better=result.objective.higher_is_better,
        is_forward=result.is_forward,
        rows_are=rows_are(settings),
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
        wanted=wanted,
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
        RoundLine(
            told(settings, info.first_as_of) if result.is_forward else "", info.rows, info.conversions, default, best
        )
        for info, default, best in values
    )
