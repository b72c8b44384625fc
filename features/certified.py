"""What one check for leaks says: the words in which every check of the certificate reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.timeline import Int64Array

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
MOST_AS_OFS = 24
"""As-ofs that a check names at most, first and last among them."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        what: The feature, attribute, signal or source it is about.
        said: What was found, in words that need no others.
        value: The number that was compared with the threshold.
        is_trusted: Whether the config says that a person has looked: then it is told and stops nothing.
    """

    what: str
    said: str
    value: float
    is_trusted: bool = False


@dataclass(frozen=True)
class Check:
    """One check and its result.

    Attributes:
        name: What holds where it passes.
        asks: How that was looked at, in a sentence or two.
        threshold: From when on it fails, in words with the number.
        outcome: `PASSED`, `FAILED` or `NOT_APPLICABLE`.
        why: Where it is not applicable: why. Else what was looked at, in words.
        as_ofs: Moments looked at (us), at most `MOST_AS_OFS`, spread from the first to the last.
        n_as_ofs: How many moments were looked at in all.
        rows: Rows looked at: snapshots, or rows of a source.
        findings: What speaks against it, worst first; one that is trusted fails nothing.
        notes: What a person may want to know all the same.
        hint: What to do where it failed.
    """

    name: str
    asks: str
    threshold: str
    outcome: str
    why: str = ""
    as_ofs: tuple[int, ...] = ()
    n_as_ofs: int = 0
    rows: int = 0
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    hint: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether it stops a model."""
        return self.outcome == FAILED


@dataclass(frozen=True)
class Asked:
    """The words of a check: what it is called, how it looks, from when on it fails, what to do then."""

    name: str
    asks: str
    threshold: str
    hint: str = ""

    def judged(
        self, findings: Sequence[Finding], *, as_ofs: Int64Array, rows: int, why: str = "", notes: Sequence[str] = ()
    ) -> Check:
        """Return the check's result: failed where any finding is not trusted."""
        named, count = spread(as_ofs)
        outcome = FAILED if any(not finding.is_trusted for finding in findings) else PASSED
        return Check(
            self.name, self.asks, self.threshold, outcome, why, named, count, rows, tuple(findings), tuple(notes),
            self.hint,
        )  # fmt: skip

    def not_applicable(self, why: str) -> Check:
        """Return the result of a check that has nothing to look at."""
        return Check(self.name, self.asks, self.threshold, NOT_APPLICABLE, why)


def spread(as_ofs: Int64Array) -> tuple[tuple[int, ...], int]:
    """Return at most `MOST_AS_OFS` of the distinct moments, evenly from first to last, and how many there are."""
    distinct = np.unique(as_ofs)
    places = np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), MOST_AS_OFS)).astype(np.int64))
    return tuple(int(moment) for moment in distinct[places]), len(distinct)
