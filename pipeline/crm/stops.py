"""A CRM stopped a run: what a person is told, and what a scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from features.errors import LeadlightError, NotFinishedError, compose
from pipeline.crm.trouble import StopError, StopReason
from pipeline.exit_codes import NOT_FINISHED, WRONG_INPUT

_FACTS: Final[Mapping[StopReason, str]] = {
    StopReason.QUOTA: "The quota of '{}' is used up",
    StopReason.CREDENTIALS: "'{}' did not accept the credentials",
    StopReason.PERMISSION: "'{}' did not permit it",
    StopReason.SETUP: "'{}' is not set up for it",
    StopReason.NETWORK: "'{}' does not answer",
    StopReason.LATER: "'{}' did not take every lead",
    StopReason.CHANGED: "Somebody else wrote to '{}' meanwhile",
}
_A_PERSON_MENDS: Final = frozenset({StopReason.CREDENTIALS, StopReason.PERMISSION, StopReason.SETUP})
"""Trouble that running again does not end: wrong input, whether it was met before anything was sent or midway."""


def words_of_stop(target: str, stop: StopError) -> str:
    """Return what a person is told where a CRM stopped a run."""
    return compose(f"{_FACTS[stop.reason].format(target)}: {stop.words}", hint=stop.hint)


def code_of_stop(stop: StopError) -> int:
    """Return the exit code of a run that a CRM stopped; what is pending stays so either way."""
    return WRONG_INPUT if stop.reason in _A_PERSON_MENDS else NOT_FINISHED


def error_of(target: str, stop: StopError) -> LeadlightError:
    """Return the error that says so where nothing was sent yet."""
    words = words_of_stop(target, stop)
    return LeadlightError(words) if stop.reason in _A_PERSON_MENDS else NotFinishedError(words)
