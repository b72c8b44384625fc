"""MLflow, quiet and without globals: every call goes through a client that knows its own place.

`mlflow.log_metric` and its like write to whatever place was set last, by anyone in the process; a client does not.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from features.errors import tells_of_full_disk
from models.registry import faults
from models.registry.place import SQLITE

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.registry.place import Place

QUIET: Final = {
    # A shop's trainings are its own business, and there may be no network at all.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Another project's lock file in the current folder says nothing about this model.
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""MLflow reads these when it is imported or used; what a person has set stays."""


def client(place: Place) -> MlflowClient:
    """Return a client of *place*; where there is no SQLite file yet, it is made first, which takes seconds.

    Raises:
        NotFinishedError: MLflow could not make its database, or the disk is full.
    """
    _hush()
    from mlflow import MlflowClient

    if place.database is not None and not place.database.is_file():
        _make_database(place.database)
    return MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn what MLflow or the disk refuses into an error that says what was not done.

    Args:
        what: What is being done, to follow "MLflow could not".
    """
    _hush()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except (MlflowException, OperationalError) as error:
        raise faults.mlflow_refused(what, error) from error
    except (OSError, sqlite3.OperationalError) as error:
        if tells_of_full_disk(error):
            raise faults.disk_is_full() from error
        raise


@contextmanager
def one_at_a_time(place: Place) -> Iterator[None]:
    """Keep trainings that end together apart for the moment in which names, versions and aliases are given.

    A server does that itself; a SQLite file needs it, because MLflow looks first and writes afterwards.
    """
    if place.database is None:
        yield
        return
    with _locked(place.database):
        yield


def _make_database(database: Path) -> None:
    """Make MLflow's database beside its place and rename it: one cut short half-way could never be opened again."""
    from mlflow import MlflowClient

    database.parent.mkdir(parents=True, exist_ok=True)
    with reported("make its database"), _locked(database):
        if database.is_file():
            return
        # Whoever was making one was killed: nobody else holds the lock.
        for left in database.parent.glob(".mlflow-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=".mlflow-") as folder:
            beside = Path(folder, database.name)
            uri = f"{SQLITE}{beside}"
            MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)
            beside.replace(database)


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    with database.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hush() -> None:
    """Set what MLflow reads at its import; afterwards it is too late."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
