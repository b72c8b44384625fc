"""What can be wrong with data that should train or load a model, said once and in full."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import LeadlightError, compose, wrong_input

if TYPE_CHECKING:
    from models.backtest_folds import Needs


def no_labels() -> LeadlightError:
    """Return the error for a table that was built without labels."""
    return wrong_input(
        "These snapshots have no labels, so nothing can be learned from them.",
        hint="train on the training table that `leadlight features` writes, not on snapshots made for scoring.",
    )


def nothing_ripe(rows: int) -> NoConversionsError:
    """Return the error for *rows* snapshots of which none is ripe."""
    return no_conversions(
        f"None of the {rows} snapshots is ripe: no label window had closed when the data end.",
        hint="use earlier snapshots, a shorter horizon (question.horizon_days), or wait for newer data.",
    )


def no_features() -> LeadlightError:
    """Return the error for a table whose every column was dropped."""
    return wrong_input(
        "No usable feature is left: every column is constant or empty in the training snapshots.",
        hint="see `leadlight check` for what each table brings, and widen features.windows, features.families or "
        "lead_table.attributes.",
    )


def nothing_tells_apart() -> LeadlightError:
    """Return the error for data in which no feature tells converting leads from others."""
    return wrong_input(
        "No feature tells converting leads from others by more than chance, so there is no card to learn.",
        hint="write a card by hand with `leadlight points init`, and learn again when there are more conversions.",
    )


def one_class(rows: int, *, converted: bool) -> LeadlightError:
    """Return the error for training rows that all converted, or none of which did."""
    if converted:
        fact = f"All {rows} closed labels are conversions: there is nobody to tell the converting leads from."
        hint = "check what counts: question.conversion and question.cohort, or lead_table.label; all seem to meet it."
        return wrong_input(fact, hint=hint)
    return no_conversions(
        f"None of the {rows} closed labels is a conversion (0 conversions).",
        hint="check question.conversion, or lead_table.label, against the values there, or use a longer horizon.",
    )


class TooFewConversionsError(LeadlightError):
    """There are too few converting leads to train and test a model.

    Attributes:
        missing: Distinct converting leads that are missing, at least.
    """

    missing: int = 0


class NoConversionsError(TooFewConversionsError):
    """There is not one converting lead whose label has closed: all that are needed are missing."""


def no_conversions(fact: str, faults: Sequence[str] = (), *, hint: str) -> NoConversionsError:
    """Return the error for data in which nobody is known to have converted in a closed label window.

    Args:
        fact: What is so.
        faults: Particulars, one line each.
        hint: What to do about it.
    """
    return NoConversionsError(compose(fact, faults, hint=hint))


def too_few_conversions(faults: Sequence[str], *, missing: int = 0) -> TooFewConversionsError:
    """Return the error for parts of the data with too few leads of either kind, one line per fault.

    Args:
        faults: What each part has and needs.
        missing: Distinct converting leads that are missing, at least.
    """
    hint = (
        "add older data or more leads, use a longer horizon where there is one, or an earlier conversion in the funnel."
    )
    error = TooFewConversionsError(compose("Too few conversions to train and test a model:", faults, hint=hint))
    error.missing = missing
    return error


def hold_out_misplaced(faults: Sequence[str], *, test_from: str, newest: str) -> LeadlightError:
    """Return the error for a day that leaves one side of the split too few leads, where there are enough in all.

    Args:
        faults: What each part has and needs.
        test_from: Where the hold-out begins.
        newest: The newest moment at which a lead with a closed label was asked about.
    """
    fact = f"model.holdout_from ({test_from}) leaves too few leads on one side; the newest closed label is of {newest}:"
    return wrong_input(fact, faults, hint="move model.holdout_from, or leave it out: model.holdout_share decides then.")


def no_fold(conversions: int, needs: Needs, *, share: float) -> LeadlightError:
    """Return the error for data that hold not even one fold of a backtest."""
    return wrong_input(
        f"The data hold no fold to test back on: {conversions} distinct leads convert in all.",
        [
            f"to learn from, closed before the fold: {needs.train_leads} leads that convert, as many that do not",
            f"to be judged on: {needs.test_leads} leads that convert ({share:.0%} of all, if that is more)",
        ],
        hint="add history or snapshots, use a shorter horizon, or an earlier conversion in the funnel.",
    )


def bundle_is_damaged(folder: Path, faults: Sequence[str]) -> LeadlightError:
    """Return the error for a bundle whose files are not those that were written."""
    return wrong_input(
        f"The model bundle '{folder}' is not as it was written:",
        faults,
        hint="copy it again from where it was trained, or train anew; nothing was loaded.",
    )


def bundle_is_foreign(folder: Path, found: object, *, readable: Sequence[int]) -> LeadlightError:
    """Return the error for a bundle of another format."""
    formats = " and ".join(str(one) for one in readable)
    return wrong_input(
        f"The model bundle '{folder}' has format {found}; this version of Leadlight reads formats {formats}.",
        hint="load it with the version that wrote it, or train anew.",
    )
