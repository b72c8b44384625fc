"""What is done at several targets one after the other: one that fails keeps the others from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from features.errors import LeadlightError
from pipeline.exit_codes import code_of_error

T = TypeVar("T")


@dataclass(frozen=True)
class TargetFailure:
    """A target at which nothing was done, and why.

    Attributes:
        target: Its name in the config.
        message: What a person is told.
        exit_code: 1 a gate failed; 2 input is wrong; 3 not finished.
    """

    target: str
    message: str
    exit_code: int


def each_target(names: Iterable[str], do: Callable[[str], T]) -> tuple[tuple[T, ...], tuple[TargetFailure, ...]]:
    """Return what *do* returned at each target, and the targets at which it raised `LeadlightError`."""
    done: list[T] = []
    failures: list[TargetFailure] = []
    for name in names:
        try:
            done.append(do(name))
        except LeadlightError as error:
            failures.append(TargetFailure(name, str(error), code_of_error(error)))
    return tuple(done), tuple(failures)
