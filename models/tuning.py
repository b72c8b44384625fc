"""Tuning: settings of the recipe, sought by Optuna over forward folds of the rows before the hold-out.

1. Ripe snapshots, split as training splits them; the hold-out is not looked at.
2. Forward folds of the rest (`models.tuning_folds`), on whole leads, at most `TuningConfig.most_rows` rows.
3. Trials (`models.tuning_study`): settings of the whole model at once, judged as a blend (`models.tuning_judge`).
4. The best is found settings only if it beats the default by more than noise (`models.tuning_gain`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from models import tuning_faults, tuning_space
from models.cross_fit import TrainingRows
from models.monotone import directions_of_features
from models.objectives import OBJECTIVES, Objective
from models.screening import only, usable
from models.splits import sample_of_whole_leads
from models.training import TrainingConfig, checked_split, ripe_rows
from models.trees import TreeSettings, settings_for
from models.tuned import Tuned
from models.tuning_folds import tuning_folds
from models.tuning_gain import Gain, judge_gain
from models.tuning_judge import Judge, strength_of
from models.tuning_study import Study, StudyName, TrialRecord, best_trial, opened

if TYPE_CHECKING:
    from features.matrix import FeatureTable

MOST_ROWS: Final = 200_000
SAMPLE_SEED: Final = 303


@dataclass(frozen=True)
class TuningConfig:
    """How settings are sought.

    Attributes:
        training: How models are trained and where the hold-out begins; what it says of found settings is not read.
        objective: One of `models.objectives.OBJECTIVES`.
        trials: Trials of the study in all, those of earlier runs included.
        seconds: No trial of this run begins that would, as trials go, end later than this.
        most_rows: Beyond so many rows, trials see all rows of a random share of the leads.
    """

    training: TrainingConfig = field(default_factory=TrainingConfig)
    objective: str = "log_loss"
    trials: int = 30
    seconds: float = 1200.0
    most_rows: int = MOST_ROWS


@dataclass(frozen=True)
class RoundInfo:
    """What a round judges: the first as_of (us), the rows, and the distinct converting leads among them."""

    first_as_of: int
    rows: int
    conversions: int


@dataclass(frozen=True)
class TuningResult:
    """How a study stands.

    Attributes:
        study: Its name.
        objective: What was measured.
        rows: Rows before the hold-out.
        rows_seen: Those of them that the trials see.
        newest_as_of: Newest as_of among them (us).
        is_forward: Whether the rounds go forward in time; else all rows share one as_of, and each judges other leads.
        rounds: What they judge.
        trials: All finished trials, in order; the first is the default.
        best: The best complete trial.
        gain: Of the best over the default.
        importance: How much each parameter mattered, most first; empty with few complete trials.
        begun_at: The trial at which this run began.
        cut_short: Trials that an earlier run had begun and not finished.
        is_warm: Whether trial 1 is the best of an earlier study.
        has_directions: Whether the catalog binds any feature to a direction.
    """

    study: StudyName
    objective: Objective
    rows: int
    rows_seen: int
    newest_as_of: int
    is_forward: bool
    rounds: tuple[RoundInfo, ...]
    trials: tuple[TrialRecord, ...]
    best: TrialRecord
    gain: Gain
    importance: Mapping[str, float]
    begun_at: int
    cut_short: int
    is_warm: bool
    has_directions: bool

    @property
    def default(self) -> TrialRecord:
        """The trial of the default settings."""
        return self.trials[0]

    @property
    def tuned(self) -> Tuned | None:
        """The settings to train with; None where nothing clearly beats the default."""
        return self.best.tuned if self.gain.is_clear else None


@dataclass(frozen=True)
class Standing:
    """How far a run has come: trials finished of all, and the best so far (None before the first)."""

    done: int
    total: int
    best: TrialRecord | None
    objective: Objective


class Tuning:
    """A study with all that its trials need; made by `begun`."""

    def __init__(self, study: Study, ground: _Ground, config: TuningConfig) -> None:
        self._study, self._ground, self._config = study, ground, config
        self.begun_at = len(study.finished())

    def run(self, *, clock: Callable[[], float], watch: Callable[[Standing], None]) -> None:
        """Run trials until the study has enough of them, or the time is up; at least one, so that every run gets on.

        Args:
            clock: Seconds that only go up.
            watch: Told how far the study has come, before the first trial and after each.
        """
        began = clock()
        took: list[float] = []
        done = self._study.finished()
        watch(self._standing(done))
        while len(done) < self._config.trials:
            left = self._config.seconds - (clock() - began)
            if took and left < median(took):
                break
            self._study.try_one(self._ground.judge, default=self._ground.default, clock=clock)
            done = self._study.finished()
            took.append(done[-1].seconds)
            watch(self._standing(done))

    def result(self) -> TuningResult | None:
        """Return how the study stands; None before the default was judged."""
        trials = self._study.finished()
        if not trials:
            return None
        best = best_trial(trials, self._ground.judge.objective)
        return TuningResult(
            study=self._study.name,
            objective=self._ground.judge.objective,
            rows=self._ground.rows,
            rows_seen=len(self._ground.judge.rows.moments),
            newest_as_of=int(self._ground.judge.rows.moments.as_of.max()),
            is_forward=self._ground.judge.folds.is_forward,
            rounds=self._ground.round_infos(),
            trials=trials,
            best=best,
            gain=_gain(self._ground.judge.objective, trials, best),
            importance=self._study.importance(),
            begun_at=self.begun_at,
            cut_short=self._study.cut_short,
            is_warm=self._study.earlier_best is not None,
            has_directions=self._ground.has_directions,
        )

    def _standing(self, done: tuple[TrialRecord, ...]) -> Standing:
        objective = self._ground.judge.objective
        return Standing(len(done), self._config.trials, best_trial(done, objective) if done else None, objective)


@contextmanager
def begun(
    table: FeatureTable,
    config: TuningConfig,
    *,
    database: Path,
    asks: str,
    fingerprint: str,
    notify: Callable[[str], None] = lambda _: None,
) -> Iterator[Tuning]:
    """Give the study of *table*, begun or gone on with; the caller sees to it that nobody else has it open.

    Args:
        table: Snapshots with features and labels, in any order.
        config: How settings are sought.
        database: The SQLite file of the studies; its folder exists.
        asks: What is asked, as any text that is equal where question and features are.
        fingerprint: Which data these are (`models.registry.fingerprint`).
        notify: Told what is being done before the first trial.

    Raises:
        LeadlightError: Labels, conversions or folds do not suffice, or the file is no study of ours.
        NotFinishedError: The file could not be written.
    """
    notify("folding the snapshots before the hold-out")
    ground = _Ground.of(table, config)
    seed = config.training.recipe.seed
    name = _name(config, ground.base, asks=asks, fingerprint=fingerprint)
    objective, has_directions = ground.judge.objective, ground.has_directions
    with opened(database, name, objective=objective, seed=seed, has_directions=has_directions) as study:
        yield Tuning(study, ground, config)


@dataclass(frozen=True)
class _Ground:
    """What all trials stand on."""

    rows: int
    judge: Judge
    base: TreeSettings
    default: Tuned

    @classmethod
    def of(cls, table: FeatureTable, config: TuningConfig) -> _Ground:
        recipe = config.training.recipe
        table, moments, _ = ripe_rows(table)
        before = checked_split(moments, config.training).train
        table, moments = table.take(before), moments.take(before)
        conversions = moments.converting_leads(moments.converted)
        base = settings_for(len(moments), conversions=conversions, seed=recipe.seed, threads=recipe.threads)
        seen = sample_of_whole_leads(moments.lead, most_rows=config.most_rows, seed=SAMPLE_SEED)
        table, moments = table.take(seen), moments.take(seen)
        features, _ = usable(table, moments.as_of)
        folds = tuning_folds(moments, recipe)
        if not folds.rounds or not features:
            raise tuning_faults.nothing_to_judge_on()
        judge = Judge(
            TrainingRows.of(only(table, features), moments),
            folds,
            objective=OBJECTIVES[config.objective],
            base=base,
            most_trees=recipe.most_trees_for(conversions),
            seed=recipe.seed,
        )
        default = Tuned.of(base, strength=strength_of(judge.default_strength_step()))
        return cls(len(before), judge, base, default)

    @property
    def has_directions(self) -> bool:
        return any(directions_of_features(self.judge.rows.table.features))

    def round_infos(self) -> tuple[RoundInfo, ...]:
        moments, folds = self.judge.rows.moments, self.judge.folds
        judged = [folds.judged(place) for place in range(len(folds.rounds))]
        return tuple(
            RoundInfo(int(moments.as_of[rows].min()), len(rows), moments.converting_leads(rows)) for rows in judged
        )


def _gain(objective: Objective, trials: tuple[TrialRecord, ...], best: TrialRecord) -> Gain:
    default, found = ((trial.value, np.array(trial.without_group)) for trial in (trials[0], best))
    return judge_gain(objective, default, found, rivals=len(trials) - 1)


def _name(config: TuningConfig, base: TreeSettings, *, asks: str, fingerprint: str) -> StudyName:
    """Return the study's name: equal where trials are comparable."""
    recipe = asdict(config.training.recipe)
    recipe = {name: value for name, value in recipe.items() if name not in ("tuned", "threads")}
    asked = {"asks": asks, "objective": config.objective, "space": tuning_space.VERSION}
    # Threads change no bit; how the default is grown changes with the size of the data, and with this version.
    grown = {name: value for name, value in asdict(base).items() if name != "threads"}
    split = {name: value for name, value in asdict(config.training).items() if name != "recipe"}
    judged = {**asked, "data": fingerprint, "recipe": recipe, "base": grown, "split": split, "rows": config.most_rows}
    return StudyName(asks=_digest(asked), data=_digest(judged))


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
