"""The study: Optuna's trials in a SQLite file, so that a study cut short at any moment goes on where it stood.

- A trial counts when it is finished: judged on all rounds, or given up after one in which it lagged behind the median.
  A kill leaves one trial running; it is marked failed, and the next run gives its number to a new trial.
- What a trial proposes hangs on the seed, its number and the finished trials before it, and on nothing else. So the
  trial after a kill is the one that was cut short, and a study killed ten times ends as one that ran through.
- Trial 0 is the default. Where an earlier study asked the same of other data, trial 1 is the best that it found.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models import tuning_faults as faults
from models.mixing import GOLDEN, mixed
from models.tuning_space import parameters_of, suggested, tuned_of

if TYPE_CHECKING:
    import optuna

    from models.objectives import Objective
    from models.tuned import Tuned
    from models.tuning_judge import Judge, Round

COMPLETE: Final = "complete"
PRUNED: Final = "pruned"
FREE_TRIALS: Final = 8
"""So many trials are drawn at random before the sampler follows what they showed."""
UNPRUNED_TRIALS: Final = 5
"""So many trials are judged to the end before any is compared with their median."""


@dataclass(frozen=True)
class TrialRecord:
    """One finished trial.

    Attributes:
        number: 0 = the default, then in order of trials.
        tuned: What it tried.
        state: ``complete``, or ``pruned`` where it was given up between rounds.
        value: The objective, the mean of its rounds.
        rounds: The objective of each round that it went through.
        trees: Trees of each fold of those rounds.
        seconds: How long it took.
        without_group: Of a complete trial: *value* without each group of leads (`models.tuning_gain`).
    """

    number: int
    tuned: Tuned
    state: str
    value: float
    rounds: tuple[float, ...]
    trees: tuple[int, ...]
    seconds: float
    without_group: tuple[float, ...] = ()


@dataclass(frozen=True)
class StudyName:
    """What makes trials comparable.

    Attributes:
        asks: Digest of question, features, objective and space: what an earlier study must share to be learned from.
        data: Digest of the training table, recipe and split as well: what makes it the same study.
    """

    asks: str
    data: str

    @property
    def text(self) -> str:
        """The study's name in the file."""
        return f"{self.asks}-{self.data}"


def best_trial(trials: Sequence[TrialRecord], objective: Objective) -> TrialRecord:
    """Return the best complete trial, of equal ones the earliest; the default, trial 0, is always complete."""
    complete = [trial for trial in trials if trial.state == COMPLETE]
    return max(complete, key=lambda trial: objective.gain(0.0, trial.value))


class Study:
    """One study in the file; made by `opened`.

    Args:
        study: Optuna's.
        name: Its name.
        seed: Seeds what it proposes.
        has_directions: Whether the catalog binds any feature to a direction.
        earlier_best: What trial 1 tries, where an earlier study asked the same of other data.
    """

    def __init__(
        self, study: optuna.Study, name: StudyName, *, seed: int, has_directions: bool, earlier_best: Tuned | None
    ) -> None:
        self.name, self.earlier_best = name, earlier_best
        self._study, self._seed, self._has_directions = study, seed, has_directions
        self.cut_short = self._mark_what_was_cut_short()

    def finished(self) -> tuple[TrialRecord, ...]:
        """Return the trials that count, in order."""
        records = [_record(trial) for trial in self._study.get_trials(deepcopy=False) if _is_finished(trial)]
        return tuple(sorted(records, key=lambda record: record.number))

    def importance(self) -> dict[str, float]:
        """Return how much each parameter mattered (PED-ANOVA, sum 1), most first; empty with few complete trials."""
        from optuna.importance import get_param_importances

        complete = [record for record in self.finished() if record.state == COMPLETE]
        return dict(get_param_importances(self._study)) if len(complete) >= FREE_TRIALS else {}

    def try_one(self, judge: Judge, *, default: Tuned, clock: Callable[[], float]) -> TrialRecord:
        """Run the next trial and keep it; whatever interrupts it, it will be run again.

        Args:
            judge: Judges settings round after round.
            default: What trial 0 tries.
            clock: Seconds that only go up.
        """
        from optuna.trial import TrialState

        number = len(self.finished())
        trial = self._ask(number, default)
        begun = clock()
        try:
            tuned = suggested(trial, has_directions=self._has_directions)
            rounds = self._rounds(trial, judge, tuned)
            is_complete = len(rounds) == len(judge.folds.rounds)
            self._keep(trial, rounds, number=number, seconds=clock() - begun, is_complete=is_complete)
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        return self.finished()[-1]

    def _ask(self, number: int, default: Tuned) -> optuna.Trial:
        """Return the next trial: given where it is the default or an earlier study's best, else proposed."""
        from optuna.samplers import TPESampler

        # No trial but this one runs, so none has to be imagined as a failure for the sake of variety.
        drawn = int(mixed(np.array([(GOLDEN * (self._seed + 1) + number) % 2**64], dtype=np.uint64))[0]) % 2**32
        self._study.sampler = TPESampler(seed=drawn, n_startup_trials=FREE_TRIALS, constant_liar=False)
        given = {0: default, 1: self.earlier_best}.get(number)
        if given is not None:
            self._study.enqueue_trial(parameters_of(given, has_directions=self._has_directions))
        return self._study.ask()

    def _rounds(self, trial: optuna.Trial, judge: Judge, tuned: Tuned) -> list[Round]:
        """Judge *tuned* until the end, or until the median of the trials so far says that it is hopeless."""
        rounds: list[Round] = []
        for one in judge.rounds(tuned):
            rounds.append(one)
            trial.report(float(np.mean([found.value for found in rounds])), len(rounds) - 1)
            if len(rounds) < len(judge.folds.rounds) and trial.should_prune():
                break
        return rounds

    def _keep(
        self, trial: optuna.Trial, rounds: list[Round], *, number: int, seconds: float, is_complete: bool
    ) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr("number", number)
        trial.set_user_attr("seconds", seconds)
        trial.set_user_attr("rounds", [one.value for one in rounds])
        trial.set_user_attr("trees", [count for one in rounds for count in one.trees])
        if is_complete:
            trial.set_user_attr("without_group", np.mean([one.without_group for one in rounds], axis=0).tolist())
            self._study.tell(trial, float(np.mean([one.value for one in rounds])))
        else:
            self._study.tell(trial, state=TrialState.PRUNED)

    def _mark_what_was_cut_short(self) -> int:
        """Mark what a dead run left behind as failed, and return how many trials it had begun."""
        from optuna.trial import TrialState

        found = [trial for trial in self._study.get_trials(deepcopy=False) if not trial.state.is_finished()]
        waiting = [trial for trial in found if trial.state == TrialState.WAITING]
        running = [trial.number for trial in found if trial.state == TrialState.RUNNING]
        # What waits is handed out before anything else, so it is taken and put aside.
        for number in [*running, *(self._study.ask().number for _ in waiting)]:
            self._study.tell(number, state=TrialState.FAIL)
        return len(running)


@contextmanager
def opened(
    database: Path, name: StudyName, *, objective: Objective, seed: int, has_directions: bool
) -> Iterator[Study]:
    """Give the study called *name*, made where there is none; nobody else may have it open.

    Args:
        database: The SQLite file; its folder exists.
        name: What makes its trials comparable.
        objective: What is measured.
        seed: Seeds what it proposes.
        has_directions: Whether the catalog binds any feature to a direction.

    Raises:
        LeadlightError: The file is no study of ours.
        NotFinishedError: The file could not be written.
    """
    import optuna

    _check_file(database)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    except RuntimeError as error:  # written by a newer Optuna
        raise faults.file_is_foreign(database) from error
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=name.text,
            direction="maximize" if objective.higher_is_better else "minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS),
            load_if_exists=True,
        )
        study.set_user_attr("asks", name.asks)
        earlier = _best_of_an_earlier_study(storage, name)
        yield Study(study, name, seed=seed, has_directions=has_directions, earlier_best=earlier)
    except optuna.exceptions.StorageInternalError as error:
        raise faults.file_refused(database, error) from error
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _check_file(database: Path) -> None:
    """Refuse a file that is no SQLite database before SQLAlchemy stumbles over it.

    The file keeps its changes in a log beside it: a commit then waits for the disk once, and nobody who only looks (a
    dashboard, say) stops a trial.
    """
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("pragma journal_mode = wal").fetchall()
    except sqlite3.OperationalError as error:
        raise faults.file_refused(database, error) from error
    except sqlite3.DatabaseError as error:
        raise faults.file_is_foreign(database) from error


def _best_of_an_earlier_study(storage: optuna.storages.BaseStorage, name: StudyName) -> Tuned | None:
    """Return the best settings of the newest study that asked the same of other data; None where there is none."""
    import optuna

    found = [
        summary
        for summary in optuna.get_all_study_summaries(storage)
        if summary.user_attrs.get("asks") == name.asks and summary.study_name != name.text and summary.best_trial
    ]
    newest = max(found, key=lambda summary: summary.datetime_start or 0, default=None)
    return tuned_of(newest.best_trial.params) if newest is not None and newest.best_trial else None


def _is_finished(trial: optuna.trial.FrozenTrial) -> bool:
    return trial.state.name in ("COMPLETE", "PRUNED")


def _record(trial: optuna.trial.FrozenTrial) -> TrialRecord:
    kept: dict[str, Any] = trial.user_attrs
    return TrialRecord(
        number=kept["number"],
        tuned=tuned_of(trial.params),
        state=COMPLETE if trial.state.name == "COMPLETE" else PRUNED,
        value=float(np.mean(kept["rounds"])),
        rounds=tuple(kept["rounds"]),
        trees=tuple(kept["trees"]),
        seconds=kept["seconds"],
        without_group=tuple(kept.get("without_group", ())),
    )
