"""Who was champion when, and why: notes in MLflow beside the model, numbered and never rewritten to say otherwise.

The alias ``champion`` is the truth. A note is written before the alias moves and marked as done afterwards:

    leadlight.champion.0001   {"version": "1-…", "before": "",    "at": …, "why": "first model",  "done": true}
    leadlight.champion.0002   {"version": "3-…", "before": "1-…", "at": …, "why": "by hand: …",  "done": true}
    leadlight.champion.0003   {"version": "1-…", "before": "3-…", "at": …, "is_rollback": true,  "done": false}

A note that is not done happened if it is the last one and its version is the champion: the process ended between the
alias and the mark. Else the process ended before the alias moved, and the note is passed over. A champion that no
note tells of was named outside Leadlight, in MLflow's pages for instance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from models.registry.lookup import CHAMPION, ModelVersion, model_tags, versions

if TYPE_CHECKING:
    from models.registry.place import Place

KEY: Final = "leadlight.champion."
LONGEST_WHY: Final = 1000
"""MLflow keeps at most 5,000 characters of a tag, some servers fewer."""
FIRST_MODEL: Final = "first model"
OUTSIDE: Final = "named outside Leadlight"


@dataclass(frozen=True)
class Note:
    """One change of champion as it is kept.

    Attributes:
        version: Label of the new champion.
        before: Label of the one it took over from; empty for the first.
        at: When (ISO, UTC); empty where nobody knows.
        why: In words.
        is_rollback: Whether it went back to an earlier champion.
        done: Whether the alias is known to have moved.
    """

    version: str
    before: str
    at: str
    why: str
    is_rollback: bool = False
    done: bool = False


@dataclass(frozen=True)
class Promotion:
    """One reign: which version was champion, from when until when, and why.

    Attributes:
        version: Its label.
        since: From when (UTC); None where it was named outside Leadlight.
        until: Until when (UTC); None while it reigns, and where nobody knows.
        why: Why it became champion.
        before: Label of the champion before it; empty for the first.
        is_rollback: Whether that went back to an earlier champion.
    """

    version: str
    since: datetime | None
    until: datetime | None
    why: str
    before: str
    is_rollback: bool


def history(place: Place) -> tuple[Promotion, ...]:
    """Return every reign so far, the present one first; none where nothing was trained.

    A SQLite file is read as it is, without importing MLflow.
    """
    reigns = _reigns(happened(notes(model_tags(place)), versions(place)))
    return tuple(reversed(reigns))


def notes(tags: Mapping[str, str]) -> dict[int, Note]:
    """Return the notes among the tags of a model, by number, ascending; what is no note of ours is passed over."""
    found = {}
    for key in sorted(key for key in tags if key.startswith(KEY) and key.removeprefix(KEY).isdecimal()):
        note = _read(tags[key])
        if note is not None:
            found[int(key.removeprefix(KEY))] = note
    return dict(sorted(found.items()))


def tag(number: int, note: Note) -> tuple[str, str]:
    """Return the key and the value under which *note* is kept."""
    return f"{KEY}{number:04d}", json.dumps(asdict(replace(note, why=_tidy(note.why))))


def happened(kept: Mapping[int, Note], there: Sequence[ModelVersion]) -> list[Note]:
    """Return the changes of champion that took place, oldest first, the unnoted one included.

    Args:
        kept: All notes (`notes`).
        there: All versions, newest first.
    """
    reigning = next((one for one in there if CHAMPION in one.aliases), None)
    label = reigning.label if reigning else ""
    last = max(kept, default=0)
    found = [note for number, note in kept.items() if note.done or (number == last and note.version == label)]
    if reigning is None or (found and found[-1].version == label):
        return found
    return [*found, _unnoted(reigning, found, is_first=reigning.number == min(one.number for one in there))]


def previous(changes: Sequence[Note], there: Sequence[ModelVersion]) -> ModelVersion | None:
    """Return the champion to go back to: the one before the present one, before every champion rolled back from.

    Args:
        changes: What `happened`.
        there: All versions; one that was deleted since is passed over.
    """
    line: list[str] = []
    for change in changes:
        if change.is_rollback and change.version in line:
            line = line[: len(line) - line[::-1].index(change.version)]
        elif not line or line[-1] != change.version:
            line.append(change.version)
    by_label = {one.label: one for one in there}
    return next((by_label[label] for label in reversed(line[:-1]) if label in by_label and label != line[-1]), None)


def _unnoted(reigning: ModelVersion, found: Sequence[Note], *, is_first: bool) -> Note:
    """Return what is known of a champion that no note tells of."""
    if not found and is_first:
        # Trained by a Leadlight that kept no notes: the first model was champion from the start.
        return Note(reigning.label, "", reigning.trained_at.isoformat(), FIRST_MODEL, done=True)
    return Note(reigning.label, found[-1].version if found else "", "", OUTSIDE, done=True)


def _reigns(changes: Sequence[Note]) -> list[Promotion]:
    moments = [datetime.fromisoformat(change.at) if change.at else None for change in changes]
    return [
        Promotion(change.version, since, until, change.why, change.before, change.is_rollback)
        for change, since, until in zip(changes, moments, [*moments, None][1:], strict=True)
    ]


def _read(value: str) -> Note | None:
    try:
        note = Note(**json.loads(value))
        _ = datetime.fromisoformat(note.at) if note.at else None
    except (TypeError, ValueError):
        # Tags can be edited in MLflow's pages; one that says nothing must not stop a nightly run.
        return None
    return note


def _tidy(why: str) -> str:
    """Return *why* on one line, without what a terminal would obey, cut where MLflow would refuse it."""
    words = " ".join("".join(char if char.isprintable() else " " for char in why).split())
    return words if len(words) <= LONGEST_WHY else words[: LONGEST_WHY - 1] + "…"
