"""What can go wrong with a study, said once and in full."""

from __future__ import annotations

from pathlib import Path

from features.errors import LeadlightError, NotFinishedError, not_finished, wrong_input


def nothing_to_judge_on() -> LeadlightError:
    """Return the error for training rows of which no fold holds leads of both kinds."""
    return wrong_input(
        "Too few conversions to tune: no fold of the training snapshots has leads of both kinds on every side.",
        hint="add history, or train with the default settings: `leadlight train`.",
    )


def file_is_foreign(database: Path) -> LeadlightError:
    """Return the error for a file in the study's place that this version cannot read."""
    return wrong_input(
        f"'{database}' is not a study that this version of Leadlight can read.",
        hint="move the file away; tuning begins anew without it, and models do not need it.",
    )


def file_refused(database: Path, error: Exception) -> NotFinishedError:
    """Return the error for a study that could not be written: a full disk, a file locked by another program."""
    cause = str(error.__cause__ or error).strip().partition("\n")[0]
    return not_finished(
        f"The study '{database}' could not be written.",
        [cause],
        hint="free some space, or close what else has the file open; then run it again, it goes on.",
    )
