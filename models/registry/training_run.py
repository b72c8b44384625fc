"""One training, one MLflow run: logged whole before the model gets a version, and an alias last of all.

A run that is cut short has no version, so it can never become the champion; the next run does not notice it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models.registry import faults
from models.registry.lookup import CHALLENGER, CHAMPION, ModelVersion, version
from models.registry.mlflow_client import client, one_at_a_time, reported
from models.registry.model_folder import save_model_folder, write_bundle
from models.registry.training import Training, flat_parameters, metric_values, report

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
        _experiment(asked, place)


def log_training(place: Place, training: Training) -> ModelVersion:
    """Log one training, register its model, and make it champion if there is none, else challenger.

    Args:
        place: Where.
        training: What there is to log.

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
            experiment = _experiment(asked, place)
        with _run(asked, experiment, training) as run_id:
            _log_numbers(asked, run_id, training)
            files = Path(beside, "files")
            files.mkdir()
            write_files(training, files)
            asked.log_artifacts(run_id, str(files))
            with _logged_model(asked, experiment, run_id, training) as described:
                folder = Path(beside, "model")
                _write_model(training, Path(beside, "bundle"), folder, described)
                asked.log_model_artifacts(described.model_id, str(folder))
        with one_at_a_time(place):
            number = _register(asked, place, training, model_id=described.model_id, run_id=run_id)
    return version(place, number)


def _experiment(asked: MlflowClient, place: Place) -> str:
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
def _run(asked: MlflowClient, experiment: str, training: Training) -> Iterator[str]:
    """Open a run; it ends as FINISHED where everything was logged, as FAILED where not."""
    tags = {"leadlight.data_fingerprint": training.fingerprint, "mlflow.source.name": "leadlight train"}
    run_id = str(asked.create_run(experiment, tags=tags).info.run_id)
    status = "FAILED"
    try:
        yield run_id
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


def _write_model(training: Training, bundle_folder: Path, folder: Path, described: Any) -> None:  # noqa: ANN401
    model = training.trained.model
    notes = {"training.json": _as_file(report(training))}
    if training.certificate is not None:
        notes["certificate.json"] = _as_file(training.certificate.as_plain())
    write_bundle(model, bundle_folder, notes=notes)
    save_model_folder(
        folder, bundle_folder=bundle_folder, features=model.features, leads=training.table, described=described
    )


def _as_file(plain_data: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain_data, indent=1) + "\n").encode()


def _register(asked: MlflowClient, place: Place, training: Training, *, model_id: str, run_id: str) -> str:
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
    has_champion = CHAMPION in asked.get_registered_model(place.name).aliases
    asked.set_registered_model_alias(place.name, CHALLENGER if has_champion else CHAMPION, made.version)
    return str(made.version)


def _source(asked: MlflowClient, place: Place, model_id: str) -> str:
    """Return what the version points to.

    A server resolves the model's id. Without a server MLflow would look the id up wherever the process points to
    globally, so it is told the place of the files.
    """
    if place.uri.startswith(("http", "databricks")):
        return f"models:/{model_id}"
    return str(asked.get_logged_model(model_id).artifact_location)
