"""Champion and challenger: which version scores, changed by one alias, and every change noted.

The steps of a change, in this order, under one lock: the model's files are read and checked, the note is written, the
alias moves, the other aliases follow and the note is marked as done. Whatever stops it between two steps, the alias
says who is champion, `history` says so too, and the next change begins by mending what the last one left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from models import bundle
from models.registry import faults
from models.registry.lookup import CHALLENGER, CHAMPION, PREVIOUS, ModelVersion, model_tags, version, versions
from models.registry.mlflow_client import client, one_at_a_time, reported
from models.registry.reigns import Note, Promotion, happened, history, notes, previous, tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.registry.place import Place


def promote(place: Place, wanted: str = CHALLENGER, *, why: str, at: datetime) -> Promotion:
    """Make a version the champion; what scores next scores with it. Nothing is published.

    Args:
        place: Where.
        wanted: A label, a number or an alias.
        why: In words, for the history.
        at: When (aware).

    Returns:
        The reign that begins; where the version is the champion already, the one that goes on.

    Raises:
        LeadlightError: There is no such version, or its files are gone or damaged; the champion stays.
        NotFinishedError: MLflow did not answer.
    """
    chosen = _checked(place, wanted)
    with reported("promote the model"), one_at_a_time(place):
        asked = client(place)
        settle(asked, place)
        if champion_label(place) != chosen.label:
            move(asked, place, chosen, why=why, at=at)
    return history(place)[0]


def rollback(
    place: Place, *, why: str = "", at: datetime, first: Callable[[ModelVersion], None] = lambda _: None
) -> Promotion:
    """Make the champion before the present one champion again; called again, it goes back one further.

    One that was cut short is finished by the next, which goes no further, wherever it was cut.

    Args:
        place: Where.
        why: In words, for the history.
        at: When (aware).
        first: Called with that version before the alias moves, for what must be in place by then. It may happen
            twice where the first rollback was cut short.

    Raises:
        LeadlightError: There was no champion before, or its files are gone or damaged; the champion stays.
        NotFinishedError: MLflow did not answer.
    """
    if not champion_label(place):
        raise faults.no_champion(place.name)
    with reported("roll back"), one_at_a_time(place):
        asked = client(place)
        was_cut_short = _is_unfinished_rollback(place)
        settle(asked, place)
        if was_cut_short:
            return history(place)[0]
        back_to = previous_champion(place)
        if back_to is None:
            raise faults.no_champion_before(champion_label(place))
        chosen = _checked(place, back_to.label)
        first(chosen)
        reason = f"rollback from {champion_label(place)}"
        move(asked, place, chosen, why=f"{reason}: {why}" if why else reason, at=at, is_rollback=True)
    return history(place)[0]


def _is_unfinished_rollback(place: Place) -> bool:
    """Whether the last change was a rollback whose process died after moving the alias, before all was in place."""
    changes = happened(notes(model_tags(place)), versions(place))
    return bool(changes) and changes[-1].is_rollback and not changes[-1].done


def previous_champion(place: Place) -> ModelVersion | None:
    """Return the version that `rollback` would go back to, or None."""
    there = versions(place)
    return previous(happened(notes(model_tags(place)), there), there)


def champion_label(place: Place) -> str:
    """Return the label of the version that scores, or an empty text."""
    return next((one.label for one in versions(place) if CHAMPION in one.aliases), "")


def move(
    asked: MlflowClient, place: Place, chosen: ModelVersion, *, why: str, at: datetime, is_rollback: bool = False
) -> None:
    """Note the change and move the alias; the caller holds the lock, and has looked at the model's files."""
    begun = Note(
        version=chosen.label,
        before=champion_label(place),
        at=at.astimezone(UTC).isoformat(timespec="seconds"),
        why=why,
        is_rollback=is_rollback,
    )
    _write(asked, place, _next_number(place), begun)
    asked.set_registered_model_alias(place.name, CHAMPION, str(chosen.number))
    settle(asked, place)


def settle(asked: MlflowClient, place: Place) -> None:
    """Bring notes and aliases in line with the champion that there is: finish what a dead process began.

    Args:
        asked: MLflow.
        place: Where; the caller holds the lock.
    """
    there, kept = versions(place), notes(model_tags(place))
    changes = happened(kept, there)
    _set_alias(asked, place, PREVIOUS, previous(changes, there))
    if any({CHAMPION, CHALLENGER} <= set(one.aliases) for one in there):
        asked.delete_registered_model_alias(place.name, CHALLENGER)
    # The note comes last: as long as it is not done, whoever comes next knows that something was left.
    if changes and not any(changes[-1] is note for note in kept.values()):
        _write(asked, place, _next_number(place), changes[-1])
    elif changes and not changes[-1].done:
        _write(asked, place, max(kept), replace(changes[-1], done=True))


def _checked(place: Place, wanted: str) -> ModelVersion:
    """Return the version, once its files are known to be whole."""
    if wanted == CHALLENGER and not any(CHALLENGER in one.aliases for one in versions(place)):
        raise faults.no_challenger(place.name)
    chosen = version(place, wanted)
    bundle.load(chosen.bundle)
    return chosen


def _set_alias(asked: MlflowClient, place: Place, alias: str, wanted: ModelVersion | None) -> None:
    holder = next((one for one in versions(place) if alias in one.aliases), None)
    if wanted is None and holder is not None:
        asked.delete_registered_model_alias(place.name, alias)
    if wanted is not None and (holder is None or holder.number != wanted.number):
        asked.set_registered_model_alias(place.name, alias, str(wanted.number))


def _next_number(place: Place) -> int:
    return max(notes(model_tags(place)), default=0) + 1


def _write(asked: MlflowClient, place: Place, number: int, note: Note) -> None:
    asked.set_registered_model_tag(place.name, *tag(number, note))
