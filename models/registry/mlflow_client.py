"""MLflow, quiet and without globals: every call goes through a client that knows its own place.

`mlflow.log_metric` and its like write to whatever place was set last, by anyone in the process; a client does not.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from models.registry import faults

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
    """Return a client of *place*; a SQLite file is made on the first call that needs it."""
    _hush()
    from mlflow import MlflowClient

    if place.database is not None:
        place.database.parent.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn what MLflow or the disk refuses into an error that says what was not done.

    Args:
        what: What is being done, to follow "MLflow could not".
    """
    _hush()
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise faults.mlflow_refused(what, error) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
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
    with place.database.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hush() -> None:
    """Set what MLflow reads at its import; afterwards it is too late."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
