"""Is the test out of reach of what was learned? Two checks on numbers alone: ripe labels, and windows that closed.

training row:  as_of ──────────── decided_at ≤ test_from ≤ as_of of every test row
other leads:   no lead on both sides, where the test is other leads instead of later ones
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from features import moments
from features.certified import Asked, Check, Finding
from models.splits import Moments

Ints = npt.NDArray[np.int64]

WINDOWS: Final = Asked(
    "no training label window reaches into the test",
    "Every label that the judged model learned from had closed when the test began, and no row is in both parts; where "
    "the test is other leads instead of later ones, no lead is in both.",
    "fails from 1 row on",
    "let models.splits make the split; a window that is still open when the test begins must be left out.",
)


def windows_closed(rows: Moments, *, train: Ints, test: Ints, test_from: int | None) -> Check:
    """Return whether the training rows' label windows had closed before the test began.

    Args:
        rows: Times, leads and labels of the whole table.
        train: Positions in it of what was learned from.
        test: Positions of what was judged on.
        test_from: The first as_of of the test (us), or None where other leads were held out.
    """
    findings = []
    both = int(np.intersect1d(train, test).size)
    if both:
        findings.append(Finding("split", f"{both:,} rows are in training and test at once", float(both)))
    if test_from is None:
        shared = int(np.intersect1d(rows.lead[train], rows.lead[test]).size)
        if shared:
            findings.append(Finding("split", f"{shared:,} leads are in training and test at once", float(shared)))
    else:
        findings += _reaching(rows, train, test, test_from)
    why = f"{len(train):,} training and {len(test):,} test rows"
    return WINDOWS.judged(findings, as_ofs=rows.as_of[test], rows=len(train) + len(test), why=why)


def _reaching(rows: Moments, train: Ints, test: Ints, test_from: int) -> list[Finding]:
    """Return what reaches over the begin of the test, from either side; it may begin earlier than is said."""
    begins = min(test_from, int(rows.as_of[test].min())) if len(test) else test_from
    closed = moments.closed_by(rows.decided_at[train], begins)
    found = []
    if not closed.all():
        days = float((rows.decided_at[train].max() - begins) / moments.DAY)
        said = f"{int((~closed).sum()):,} training labels were still open when the test began, by up to {days:.1f} days"
        found.append(Finding("label window", said, float((~closed).sum())))
    early = int((~moments.is_asked_from(rows.as_of[test], test_from)).sum())
    if early:
        found.append(Finding("split", f"{early:,} test rows were asked before the test begins", float(early)))
    return found
