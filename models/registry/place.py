"""Where trainings are logged: a database, a place for files, and the name that models of one shop share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Place:
    """Where one shop's trainings and models are kept.

    Attributes:
        uri: MLflow's tracking and registry URI: a SQLite file, another database, or a server.
        artifacts: URI of the folder for files; empty where the server decides.
        name: Name of the experiment and of the registered model.
        fetched: Local folder for bundles that had to be fetched from a server.
    """

    uri: str
    artifacts: str
    name: str
    fetched: Path

    @property
    def database(self) -> Path | None:
        """The SQLite file, or None where something else keeps the records."""
        return Path(self.uri.removeprefix(SQLITE)) if self.uri.startswith(SQLITE) else None


def in_workspace(folder: Path, *, name: str, uri: str = "") -> Place:
    """Return the place inside a workspace: ``mlflow.db`` and ``mlartifacts/``.

    Args:
        folder: The workspace.
        name: The shop's name; what MLflow does not allow in a model's name becomes a hyphen.
        uri: Another tracking URI; then only fetched bundles are kept in the workspace.
    """
    folder = folder.resolve()
    allowed = re.sub(r'[/:\\"]+', "-", name).strip() or "leadlight"
    return Place(
        uri=uri or f"{SQLITE}{folder / 'mlflow.db'}",
        artifacts="" if uri else (folder / "mlartifacts").as_uri(),
        name=allowed,
        fetched=folder / "models",
    )
