"""What can go wrong between Leadlight and MLflow, said once and in full."""

from __future__ import annotations

from pathlib import Path

from features.errors import (
    LeadlightError,
    NotFinishedError,
    not_finished,
    tells_of_full_disk,
    without_secrets,
    wrong_input,
)


def no_champion(name: str) -> LeadlightError:
    """Return the error for a shop without a trained model."""
    return wrong_input(f"No model of '{name}' has been trained yet.", hint="run `leadlight train`.")


def no_such_version(name: str, wanted: str, there: list[str]) -> LeadlightError:
    """Return the error for a version that is not among those *there*."""
    return wrong_input(
        f"There is no version '{wanted}' of the model '{name}'.",
        [f"there is {label}" for label in there],
        hint="`leadlight models` lists the versions.",
    )


def no_challenger(name: str) -> LeadlightError:
    """Return the error for a shop in which no version waits to become champion."""
    return wrong_input(
        f"No version of the model '{name}' waits to become champion.",
        hint="`leadlight train` makes one; `leadlight models` lists those there are, to promote by name.",
    )


def no_champion_before(label: str) -> LeadlightError:
    """Return the error for a champion that nobody reigned before, so that there is no way back."""
    return wrong_input(
        f"There is no champion before {label} to go back to.",
        hint="`leadlight models` lists the versions; `leadlight promote VERSION` makes any of them champion.",
    )


def bundle_is_gone(label: str, folder: Path) -> LeadlightError:
    """Return the error for a registered model whose files are not where they were written."""
    return wrong_input(
        f"The files of model {label} are gone: there is no folder '{folder}'.",
        hint="bring the workspace's mlartifacts folder back from a copy, or run `leadlight train`.",
    )


def workspace_was_moved(name: str, *, then: str, now: str) -> LeadlightError:
    """Return the error for a workspace whose records point to another folder: training would write there."""
    return wrong_input(
        f"MLflow's records of '{name}' belong to a workspace in another place:",
        [f"files were kept in  {then}", f"they would now be in {now}"],
        hint="move the workspace back, or train in a new workspace (shop.workspace). Scoring works as it is.",
    )


def not_installed() -> LeadlightError:
    """Return the error for code that runs without being installed, so that no wheel can be made of it."""
    return wrong_input(
        "Leadlight is not installed here, so its wheel cannot travel with the model.",
        hint="run `make setup` in the checkout, or install the wheel with pip.",
    )


def mlflow_refused(what: str, error: Exception) -> NotFinishedError:
    """Return the error for a step that MLflow could not do: a server that is away, a database that is locked.

    A full disk may stand far down in the text of a database, below a first line that says nothing of it.
    """
    if tells_of_full_disk(error):
        return disk_is_full()
    first_line = str(error).strip().partition("\n")[0]
    return not_finished(
        f"MLflow could not {what}.",
        [without_secrets(first_line)],
        hint="see that the tracking server or the disk is there (model.tracking_uri), then run it again.",
    )


def disk_is_full() -> NotFinishedError:
    """Return the error for a disk without room for the model's files."""
    return not_finished("The disk is full: the training could not be stored.", hint="free some space and run it again.")
