"""One study, one MLflow run: all its trials as a table, as steps of two metrics, and as pictures.

trials.csv, trials.json            every trial: settings, rounds, state, seconds
plots/history.png, slices.png      how the best came about; which values did well
best_so_far, value                 metrics, one step per trial
best.*, default.*                  parameters

A study that has gone on gets a run anew, because MLflow's parameters never change; the run before it is deleted (it can
be restored), so that a study never fills the list of runs.
"""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models import plots, plots_tuning
from models.registry.mlflow_client import client, one_at_a_time, reported
from models.registry.training import plain
from models.registry.training_run import experiment_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.registry.place import Place
    from models.tuning import TuningResult
    from models.tuning_study import TrialRecord

STUDY: Final = "leadlight.study"
TRIALS: Final = "leadlight.trials"
TYPE: Final = "leadlight.type"


@dataclass(frozen=True)
class RememberedTuning:
    """A study as it is logged.

    Attributes:
        result: How it stands.
        fingerprint: Which data these were.
        parameters: What a person would ask later, flat.
    """

    result: TuningResult
    fingerprint: str
    parameters: Mapping[str, Any]


def log_tuning(place: Place, tuning: RememberedTuning) -> str:
    """Log the study as one run, in place of what an earlier run of the same study logged.

    Returns:
        The id of the run; where nothing was added since the study was last logged, the id of that run.

    Raises:
        LeadlightError: The records belong to a workspace in another place.
        NotFinishedError: MLflow, its database or the disk failed; the study itself is safe.
    """
    asked = client(place)
    with reported("log the tuning"):
        with one_at_a_time(place):
            experiment = experiment_of(asked, place)
        earlier = asked.search_runs([experiment], f"tags.`{STUDY}` = '{tuning.result.study.text}'")
        same = [run for run in earlier if _is_whole(run, len(tuning.result.trials))]
        if same:
            return str(same[0].info.run_id)
        run_id = _logged(asked, experiment, tuning)
        for run in earlier:
            asked.delete_run(run.info.run_id)
    return run_id


def _is_whole(run: Any, trials: int) -> bool:  # noqa: ANN401 - MLflow has no types
    """Return whether *run* was logged to its end with exactly so many trials."""
    return run.info.status == "FINISHED" and run.data.tags.get(TRIALS) == str(trials)


def _logged(asked: MlflowClient, experiment: str, tuning: RememberedTuning) -> str:
    """Log everything as a new run; it ends as FAILED where that was cut short."""
    result = tuning.result
    tags = {
        TYPE: "tuning",
        STUDY: result.study.text,
        TRIALS: str(len(result.trials)),
        "leadlight.data_fingerprint": tuning.fingerprint,
        "mlflow.source.name": "leadlight tune",
    }
    run = asked.create_run(experiment, tags=tags, run_name=f"tuning {result.study.data[:6]}")
    run_id, status = str(run.info.run_id), "FAILED"
    try:
        _log_numbers(asked, run_id, tuning)
        with tempfile.TemporaryDirectory(prefix="leadlight-") as folder:
            _write_files(result, Path(folder))
            asked.log_artifacts(run_id, folder)
        status = "FINISHED"
    finally:
        asked.set_terminated(run_id, status)
    return run_id


def _log_numbers(asked: MlflowClient, run_id: str, tuning: RememberedTuning) -> None:
    from mlflow.entities import Metric, Param

    result, now = tuning.result, int(time.time() * 1000)
    best = plots_tuning.best_so_far(result.trials, result.objective)
    steps = [Metric("value", trial.value, now, trial.number) for trial in result.trials]
    steps += [Metric("best_so_far", value, now, step) for step, value in enumerate(best)]
    gain = result.gain
    once = {"gain": gain.value, "gain.error": gain.error, "gain.bar": gain.bar}
    once |= {f"importance.{name}": share for name, share in result.importance.items()}
    metrics = steps + [Metric(name, value, now, 0) for name, value in once.items()]
    settings = {"best": result.best.tuned, "default": result.default.tuned}
    named = {f"{which}.{name}": value for which, one in settings.items() for name, value in one.as_plain().items()}
    used = {"objective": result.objective.name, "is_used": result.tuned is not None, "rows_seen": result.rows_seen}
    parameters = {**tuning.parameters, **used, **named}
    asked.log_batch(run_id, params=[Param(name, str(value)) for name, value in parameters.items()])
    for start in range(0, len(metrics), 1000):  # MLflow takes at most so many in one call
        asked.log_batch(run_id, metrics=metrics[start : start + 1000])


def _write_files(result: TuningResult, folder: Path) -> None:
    rows = [trial_row(trial) for trial in result.trials]
    (folder / "trials.json").write_text(json.dumps(plain(rows), indent=1) + "\n", encoding="utf-8")
    with (folder / "trials.csv").open("w", encoding="utf-8", newline="") as file:
        rounds = [f"round_{place}" for place in range(len(result.rounds))]
        writer = csv.DictWriter(file, [*(name for name in rows[0] if name != "rounds"), *rounds], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            by_round = dict(zip(rounds, row.pop("rounds"), strict=False))  # a pruned trial has fewer
            writer.writerow({**row, **by_round})
    (folder / "plots").mkdir()
    plots.save(plots_tuning.history(result.trials, result.objective), folder / "plots" / "history.png")
    plots.save(plots_tuning.slices(result.trials, result.objective), folder / "plots" / "slices.png")


def trial_row(trial: TrialRecord) -> dict[str, Any]:
    """Return one trial as a row of the table of trials."""
    return {
        "number": trial.number,
        "state": trial.state,
        "value": trial.value,
        "seconds": round(trial.seconds, 3),
        **trial.tuned.as_plain(),
        "trees": " ".join(map(str, trial.trees)),
        "rounds": list(trial.rounds),
    }
