"""What goes when it is old: full runs after some time, and files that no manifest names any more.

Nothing goes at once. What may go is noted first (``scores/leaving.json``), and removed by a later publication that
still finds it so, at least an hour on: a reader who opened the edition before has long finished.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from features import moments
from pipeline.published.history import FOREVER
from pipeline.published.manifest import Manifest
from pipeline.published.run_files import PART, scored_at
from pipeline.workspace import remove_left_overs

GRACE: Final = timedelta(hours=1)
NOTE: Final = "leaving.json"
_GONE: Final = ".gone-"


@dataclass(frozen=True)
class Retention:
    """How long scores are kept.

    Attributes:
        runs_days: Days from which on a full run may go, counted from when it was scored.
        history_days: Days from which on a run's rows may leave the history, counted from its moment.
        at: Now (aware); None = nothing goes.
    """

    runs_days: float = 400
    history_days: float = 400
    at: datetime | None = None

    @property
    def history_since(self) -> int:
        """The moment from which on history is kept, microseconds (UTC)."""
        if self.at is None:
            return FOREVER
        return moments.to_us(self.at) - int(self.history_days * moments.DAY)


def remove_old(folder: Path, manifest: Manifest, retention: Retention) -> list[Path]:
    """Remove what may go and was noted long enough ago, note what else may, and return what was removed.

    Args:
        folder: The folder of scores; nobody else may be publishing.
        manifest: What is published: it stays, whatever its age.
        retention: How long scores are kept.
    """
    if retention.at is None:
        return []
    before = _noted(folder)
    noted, removed = {}, []
    for path in _may_go(folder, manifest, retention):
        name = str(path.relative_to(folder))
        since = before.get(name, retention.at)
        if retention.at - since >= GRACE:
            # Renamed first: whoever is killed here leaves no half of a run under its name.
            path.rename(folder / f"{_GONE}{secrets.token_hex(8)}")
            removed.append(path)
        else:
            noted[name] = since
    if noted != before:
        text = json.dumps({name: since.isoformat() for name, since in noted.items()}, indent=1)
        (folder / f".{NOTE}").write_text(text, encoding="utf-8")
        (folder / f".{NOTE}").replace(folder / NOTE)
    for gone in folder.glob(f"{_GONE}*"):
        shutil.rmtree(gone, ignore_errors=True)
    for moment in folder.glob("as_of=*"):
        remove_left_overs(moment)
        with suppress(OSError):  # most hold a run
            moment.rmdir()
    return removed


def _may_go(folder: Path, manifest: Manifest, retention: Retention) -> Iterator[Path]:
    published = (folder / manifest.run.part).parent
    for part in folder.glob(f"as_of=*/model=*/{PART}"):
        if part.parent != published and _is_old(part, retention):
            yield part.parent
    named = {piece.name for piece in manifest.pieces}
    yield from (piece for piece in (folder / "history").glob("piece-*") if piece.name not in named)
    yield from folder.glob(".list-*")


def _is_old(part: Path, retention: Retention) -> bool:
    try:
        at = scored_at(part)
    except (OSError, pa.ArrowException):
        return False  # what cannot be read is for people to look at
    return retention.at is not None and at is not None and retention.at - at > timedelta(days=retention.runs_days)


def _noted(folder: Path) -> dict[str, datetime]:
    try:
        said = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return {name: datetime.fromisoformat(since) for name, since in said.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}  # without the note the time of grace begins again
