"""The manifest of the published scores: the run that readers show, and the history that goes with it.

One file that is replaced as a whole, so that nobody sees a run with the history of another.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.published.damage import reading
from pipeline.published.history_pieces import Piece, RunOfPiece

_BEGIN_ANEW: Final = (
    "take it from a backup; or remove it and run `leadlight score`, and the history of scores begins anew."
)


@dataclass(frozen=True)
class StoredRun:
    """One stored run of scores.

    Attributes:
        as_of: The moment of scoring, microseconds (UTC).
        model_version: The model that scored.
        part: The Parquet file, relative to the folder of scores.
    """

    as_of: int
    model_version: str
    part: str


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` says.

    Attributes:
        run: The published run.
        pieces: The pieces of the history, in order of publication.
    """

    run: StoredRun
    pieces: tuple[Piece, ...] = ()

    def as_json(self) -> str:
        """Return the text of the file."""
        return json.dumps({**asdict(self.run), "history": [asdict(piece) for piece in self.pieces]}, indent=1)


def read_manifest(path: Path) -> Manifest | None:
    """Return what the file at *path* says, or None where nothing was published; older versions name no history.

    Raises:
        DamagedError: It says nothing.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    with reading(path, hint=_BEGIN_ANEW):
        said = json.loads(text)
        pieces = tuple(_piece(piece) for piece in said.pop("history", ()))
        return Manifest(StoredRun(**said), pieces)


def _piece(said: dict[str, Any]) -> Piece:
    return Piece(**{**said, "runs": tuple(RunOfPiece(**run) for run in said["runs"])})
