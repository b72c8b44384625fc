"""Which versions of a model there are, which one is the champion, and where its bundle lies.

Importing MLflow takes seconds, and a nightly run only needs one row of its database. So a SQLite file is read as it
is; where MLflow keeps its records elsewhere, or keeps them in another shape, MLflow itself is asked.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlparse

from models.registry import faults
from models.registry.mlflow_client import client, reported

if TYPE_CHECKING:
    from models.registry.place import Place

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
PREVIOUS: Final = "previous-champion"
"""Where a rollback would go; set for people who look at MLflow, decided by `models.registry.reigns`."""
BUNDLE_IN_MODEL: Final = "artifacts/bundle"
"""Where the bundle lies below a model's files."""

_QUERY: Final = """
    select version, run_id, creation_time, coalesce(storage_location, source) from model_versions
    where name = ? and current_stage <> 'Deleted_Internal' order by version desc
"""
_MODEL_TAGS: Final = "select key, value from registered_model_tags where name = ?"


@dataclass(frozen=True)
class ModelVersion:
    """One trained model.

    Attributes:
        number: 1, 2, 3 … in the order of training.
        label: What scores are marked with: ``3-1f2e3d4c``, the number and the start of the run's id,
            so that a workspace that was begun anew never takes one model for another.
        aliases: ``champion``, ``challenger``, ``previous-champion``, or others that people gave.
        run_id: MLflow's id of the training run.
        trained_at: When it was registered (UTC).
        tags: What `log_training` noted: the main figures, as text.
        bundle: The folder that `models.bundle.load` reads.
    """

    number: int
    label: str
    aliases: tuple[str, ...]
    run_id: str
    trained_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    bundle: Path = Path()


@dataclass(frozen=True)
class _Record:
    """A registered version as MLflow keeps it."""

    number: int
    run_id: str
    created: int
    location: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"{self.number}-{self.run_id[:8]}"


def champion(place: Place) -> ModelVersion:
    """Return the model that scores, its bundle ready to be read.

    Raises:
        LeadlightError: No model has been trained, or its files are gone.
    """
    found = [record for record in _records(place) if CHAMPION in record.aliases]
    if not found:
        raise faults.no_champion(place.name)
    return _with_bundle(place, found[0])


def version(place: Place, wanted: str) -> ModelVersion:
    """Return one version, its bundle ready to be read.

    Args:
        place: Where to look.
        wanted: A label (``3-1f2e3d4c``), a number (``3``) or an alias (``challenger``).

    Raises:
        LeadlightError: There is no such version, or its files are gone.
    """
    records = _records(place)
    found = [one for one in records if wanted in (one.label, str(one.number), *one.aliases)]
    if not found:
        raise faults.no_such_version(place.name, wanted, [record.label for record in records])
    return _with_bundle(place, found[0])


def versions(place: Place) -> tuple[ModelVersion, ...]:
    """Return every model of this name, newest first; none where nothing was trained."""
    return tuple(_plain(place, record) for record in _records(place))


def model_tags(place: Place) -> dict[str, str]:
    """Return the tags of the model itself, which all of its versions share; none where nothing was trained."""
    if place.database is None:
        return _model_tags_by_mlflow(place)
    if not place.database.is_file():
        return {}
    try:
        with closing(_opened(place.database)) as connection:
            return dict(connection.execute(_MODEL_TAGS, (place.name,)).fetchall())
    except sqlite3.OperationalError:
        return _model_tags_by_mlflow(place)


def _model_tags_by_mlflow(place: Place) -> dict[str, str]:
    asked = client(place)
    with reported("read the model's tags"):
        models = asked.search_registered_models(f'name = "{place.name}"')
        return dict(models[0].tags) if models else {}


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=20)


def _with_bundle(place: Place, record: _Record) -> ModelVersion:
    """Return *record* with its bundle on this machine, fetched from the server where needed."""
    found = _plain(place, record)
    if not found.bundle.is_dir() and urlparse(record.location).scheme not in ("", "file"):
        _fetch(place, record, found.bundle)
    if not found.bundle.is_dir():
        raise faults.bundle_is_gone(record.label, found.bundle)
    return found


def _plain(place: Place, record: _Record) -> ModelVersion:
    return ModelVersion(
        number=record.number,
        label=record.label,
        aliases=record.aliases,
        run_id=record.run_id,
        trained_at=datetime.fromtimestamp(record.created / 1000, tz=UTC),
        tags=record.tags,
        bundle=_bundle_folder(place, record),
    )


def _bundle_folder(place: Place, record: _Record) -> Path:
    """Return where the bundle of *record* lies on this machine, or will lie once fetched."""
    parts = urlparse(record.location)
    if parts.scheme not in ("", "file"):
        return place.fetched / record.run_id
    written = Path(unquote(parts.path)) / BUNDLE_IN_MODEL
    if written.is_dir() or not place.artifacts:
        return written
    # MLflow remembers absolute paths: a workspace that was moved still holds its files, under its new name.
    _, _, below = written.as_posix().rpartition("/mlartifacts/")
    return Path(unquote(urlparse(place.artifacts).path)) / below if below else written


def _fetch(place: Place, record: _Record, folder: Path) -> None:
    """Copy the bundle of *record* from where MLflow keeps it to *folder*: whole, or not at all."""
    client(place)
    from mlflow.artifacts import download_artifacts

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as beside, reported("fetch the model"):
        uri = f"{record.location.rstrip('/')}/{BUNDLE_IN_MODEL}"
        fetched = Path(download_artifacts(artifact_uri=uri, dst_path=beside, tracking_uri=place.uri))
        if not folder.exists():
            shutil.move(fetched, folder)


def _records(place: Place) -> list[_Record]:
    """Return every registered version of the place's name, newest first."""
    if place.database is None:
        return _records_by_mlflow(place)
    if not place.database.is_file():
        return []
    try:
        return _records_by_sqlite(place.database, place.name)
    except sqlite3.OperationalError:
        # Another version of MLflow may keep its tables in another shape.
        return _records_by_mlflow(place)


def _records_by_sqlite(database: Path, name: str) -> list[_Record]:
    with closing(_opened(database)) as connection:
        found = connection.execute(_QUERY, (name,)).fetchall()
        aliases = connection.execute(
            "select version, alias from registered_model_aliases where name = ? order by alias", (name,)
        ).fetchall()
        tags = connection.execute(
            "select version, key, value from model_version_tags where name = ?", (name,)
        ).fetchall()
    return [
        _Record(
            number=number,
            run_id=run_id or "",
            created=created,
            location=location,
            aliases=tuple(alias for of, alias in aliases if of == number),
            tags={key: value for of, key, value in tags if of == number and not key.startswith("mlflow.")},
        )
        for number, run_id, created, location in found
    ]


def _records_by_mlflow(place: Place) -> list[_Record]:
    asked = client(place)
    mine = f'name = "{place.name}"'
    with reported("list the models"):
        # Aliases are listed with the model alone, not with its versions.
        models = asked.search_registered_models(mine)
        aliases = models[0].aliases if models else {}
        found = asked.search_model_versions(mine) if models else []
        records = [
            _Record(
                number=int(one.version),
                run_id=one.run_id or "",
                created=one.creation_timestamp,
                location=asked.get_model_version_download_uri(one.name, one.version),
                aliases=tuple(sorted(alias for alias, of in aliases.items() if int(of) == int(one.version))),
                tags={key: value for key, value in one.tags.items() if not key.startswith("mlflow.")},
            )
            for one in found
        ]
    return sorted(records, key=lambda record: -record.number)
