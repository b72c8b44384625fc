"""One training, one MLflow run: logged whole before the model gets a version, and an alias last of all.

A run that is cut short has no version, so it can never become the champion; the next run does not notice it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models.registry import faults
from models.registry.lookup import CHALLENGER, ModelVersion, version, versions
from models.registry.mlflow_client import client, one_at_a_time, reported
from models.registry.model_folder import save_model_folder, write_bundle
from models.registry.promotion import champion_label, move
from models.registry.reigns import FIRST_MODEL, history
from models.registry.training import CARD_FOLDER, Training, flat_parameters, metric_values, report

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.registry.place import Place

MOST_PER_CALL: Final = 100
"""MLflow takes at most so many parameters in one call."""
TAGGED: Final = ("average_precision", "roc_auc", "log_loss")
"""Figures that each version carries as tags, so that a list of versions needs no run."""


def prepare(place: Place) -> None:
    """Make the records of *place* ready, so that a training does not fail at its very end.

    The first call in a workspace takes some seconds; it may run in a thread beside the training.

    Raises:
        LeadlightError: The records belong to a workspace in another place.
        NotFinishedError: MLflow's database or server does not answer.
    """
    asked = client(place)
    with reported("open its records"), one_at_a_time(place):
        experiment_of(asked, place)


def log_training(place: Place, training: Training, *, alias: str = "") -> ModelVersion:
    """Log one training and register its model under an alias.

    Args:
        place: Where.
        training: What there is to log.
        alias: What the model is called; empty = champion where there is none yet, else challenger.

    Returns:
        The new version; its bundle is what `models.bundle.load` reads.

    Raises:
        LeadlightError: The records belong to a workspace in another place, or Leadlight is not installed.
        NotFinishedError: MLflow, its database or the disk failed; nothing was registered.
    """
    from models.registry.training_files import write_files

    asked = client(place)
    with reported("log the training"), tempfile.TemporaryDirectory(prefix="leadlight-") as beside:
        with one_at_a_time(place):
            experiment = experiment_of(asked, place)
        with _run(asked, experiment, training) as (run_id, started):
            training = replace(training, run_id=run_id, trained_at=started)
            _log_numbers(asked, run_id, training)
            files = Path(beside, "files")
            files.mkdir()
            write_files(training, files)
            asked.log_artifacts(run_id, str(files))
            with _logged_model(asked, experiment, run_id, training) as described:
                folder = Path(beside, "model")
                _write_model(training, files, folder, described)
                asked.log_model_artifacts(described.model_id, str(folder))
        with one_at_a_time(place):
            number = _register(asked, place, training, model_id=described.model_id, run_id=run_id, alias=alias)
    return version(place, number)


def experiment_of(asked: MlflowClient, place: Place) -> str:
    """Return the id of the place's experiment, made where there is none."""
    found = asked.get_experiment_by_name(place.name)
    if found is None:
        return str(asked.create_experiment(place.name, artifact_location=place.artifacts or None))
    if place.artifacts and found.artifact_location != place.artifacts:
        raise faults.workspace_was_moved(place.name, then=found.artifact_location, now=place.artifacts)
    if found.lifecycle_stage == "deleted":
        asked.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextmanager
def _run(asked: MlflowClient, experiment: str, training: Training) -> Iterator[tuple[str, datetime]]:
    """Open a run, give its id and when it began; it ends as FINISHED where all was logged, as FAILED where not."""
    tags = {"leadlight.data_fingerprint": training.fingerprint, "mlflow.source.name": "leadlight train"}
    opened = asked.create_run(experiment, tags={**tags, **training.tags}).info
    run_id = str(opened.run_id)
    status = "FAILED"
    try:
        yield run_id, datetime.fromtimestamp(opened.start_time / 1000, tz=UTC)
        status = "FINISHED"
    finally:
        asked.set_terminated(run_id, status)


def _log_numbers(asked: MlflowClient, run_id: str, training: Training) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, 0) for name, value in metric_values(training).items()]
    parameters = [Param(name, str(value)) for name, value in flat_parameters(training).items()]
    for start in range(0, max(len(metrics), len(parameters)), MOST_PER_CALL):
        block = slice(start, start + MOST_PER_CALL)
        asked.log_batch(run_id, metrics=metrics[block], params=parameters[block])


@contextmanager
def _logged_model(asked: MlflowClient, experiment: str, run_id: str, training: Training) -> Iterator[Any]:
    """Open MLflow's record of a model; it ends as READY where all files were logged, as FAILED where not."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    logged = asked.create_logged_model(experiment, name="leadlight", source_run_id=run_id)
    status = "FAILED"
    try:
        yield Model(
            artifact_path=logged.artifact_location,
            model_uuid=logged.model_id,
            model_id=logged.model_id,
            run_id=run_id,
            metadata={"data_fingerprint": training.fingerprint},
        )
        asked.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
        status = "READY"
    finally:
        asked.finalize_logged_model(logged.model_id, status)


def _write_model(training: Training, files: Path, folder: Path, described: Any) -> None:  # noqa: ANN401
    """Write the model's folder; report, card and certificate travel in its bundle."""
    model, bundle_folder = training.trained.model, folder.with_name("bundle")
    notes = {"training.json": _as_file(report(training))}
    if training.certificate is not None:
        notes["certificate.json"] = _as_file(training.certificate.as_plain())
    notes |= {path.name: path.read_bytes() for path in sorted((files / CARD_FOLDER).glob("*"))}
    write_bundle(model, bundle_folder, notes=notes)
    save_model_folder(
        folder, bundle_folder=bundle_folder, features=model.features, leads=training.table, described=described
    )


def _as_file(plain_data: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain_data, indent=1) + "\n").encode()


def _register(asked: MlflowClient, place: Place, training: Training, *, model_id: str, run_id: str, alias: str) -> str:
    """Give the model a version and an alias; return the version's number."""
    from mlflow.exceptions import MlflowException

    try:
        asked.create_registered_model(place.name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    figures = training.trained.metrics.estimates()
    tags = {name: f"{figures[name].value:.4f}" for name in TAGGED}
    tags |= {"conversions": str(training.trained.metrics.conversions), "data_fingerprint": training.fingerprint}
    made = asked.create_model_version(
        place.name, _source(asked, place, model_id), run_id=run_id, model_id=model_id, tags=tags
    )
    _name(asked, place, str(made.version), alias=alias)
    return str(made.version)


def _name(asked: MlflowClient, place: Place, number: str, *, alias: str) -> None:
    """Give a new version its alias: the one asked for, or challenger to a champion, or champion where there is none."""
    if alias or champion_label(place):
        asked.set_registered_model_alias(place.name, alias or CHALLENGER, number)
        return
    new = next(one for one in versions(place) if str(one.number) == number)
    why = FIRST_MODEL if not history(place) else "there was no champion"
    move(asked, place, new, why=why, at=new.trained_at)


def _source(asked: MlflowClient, place: Place, model_id: str) -> str:
    """Return what the version points to.

    A server resolves the model's id. Without a server MLflow would look the id up wherever the process points to
    globally, so it is told the place of the files.
    """
    if place.uri.startswith(("http", "databricks")):
        return f"models:/{model_id}"
    return str(asked.get_logged_model(model_id).artifact_location)
