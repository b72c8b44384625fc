"""Do attributes change because a lead converts?

An attribute that does, and keeps its versions, is read as it was known at each as_of: that is told, and does no harm.
One that the config calls static is read at every as_of as one load found it, after some of the conversions; if its own
versions show that conversions change it, it is not static.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from features.attribute_changes import Changes
from features.certified import Asked, Check, Finding
from models.leakage_bounds import lowest_share

LEAST_CHANGED: Final = 0.05
"""Share of the converting leads (lower bound) that must have changed."""
TIMES_EXPECTED: Final = 4.0
LEAST_LEADS: Final = 20

ATTRIBUTES: Final = Asked(
    "no static attribute changes with the conversion",
    "How many leads have a new version of an attribute within the horizon after they converted, against how many "
    "would, going by those that never convert? Attributes read by their versions are told; those called static fail.",
    f"fails where at least {LEAST_CHANGED:.0%} of the converting leads changed (99.9 % bound), {TIMES_EXPECTED:g} "
    "times what is expected, and the config says that it is static",
    "take static: true away from it, and map recorded_at, so that each as_of reads the version that was known.",
)


def attributes_unmoved(
    changes: Sequence[Changes],
    *,
    static: frozenset[str],
    days: float,
    as_ofs: npt.NDArray[np.int64],
    trusted: frozenset[str] = frozenset(),
) -> Check:
    """Return whether an attribute that is read without its clock changes because leads convert.

    Args:
        changes: What `features.attribute_changes` counted.
        static: Attributes that the config calls static.
        days: The span after a conversion that was looked at.
        as_ofs: The moments asked about, for the report.
        trusted: Attributes that a person has looked at.
    """
    if not changes:
        return ATTRIBUTES.not_applicable("no feature reads an attribute")
    if changes[0].converting < LEAST_LEADS:
        return ATTRIBUTES.not_applicable(f"fewer than {LEAST_LEADS} leads convert and are looked after long enough")
    findings, notes = [], []
    for one in changes:
        share, expected = one.changed / one.converting, one.expected(days)
        moved = lowest_share(one.changed, one.converting) >= LEAST_CHANGED and share >= TIMES_EXPECTED * expected
        said = f"changed for {share:.1%} of the converting leads within {days:g} days, expected {expected:.1%}"
        if moved and one.attribute in static:
            findings.append(Finding(one.attribute, said, share / expected, one.attribute in trusted))
        elif moved:
            notes.append(f"{one.attribute} {said}; it is read by its versions, as known at each as_of.")
    versions = sum(one.versions for one in changes)
    why = f"{len(changes)} attributes with {versions:,} later versions, {changes[0].converting:,} converting leads"
    return ATTRIBUTES.judged(findings, as_ofs=as_ofs, rows=versions, why=why, notes=notes)
