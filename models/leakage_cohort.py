"""Was the cohort chosen on the outcome? Those who were left out, beside members whose past is the same.

A rule that reads rows with times can be recounted without the future; one that reads an attribute cannot, for an export
does not say when "lost" was written. So the question is put to everyone, members or not: among leads alike in all that
has a clock, does who was left out convert about as often?

Example: `cohort: {where: {stage: {not: lost}}}` on an export of today leaves out 600 leads of last spring, of whom not
one ever bought: they were called lost because they did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from features.certified import Asked, Check, Finding
from models.leakage_alike import Known, leads_alike
from models.leakage_bounds import LEAST_LEADS, least_odds_ratio
from models.leakage_marks import MARK_ODDS, MOST_LEFT_OVER, marked_words, reached
from models.training import moments_of

if TYPE_CHECKING:
    from features.matrix import FeatureTable

COHORT: Final = Asked(
    "the cohort is not chosen on the outcome",
    "Where the cohort reads an attribute: among leads alike in all that has a clock, do those whom it leaves out "
    "convert later as often as its members?",
    f"fails where the odds of being a member differ {MARK_ODDS:g}-fold or more (99.9 % bound) and who is left out, or "
    f"is a member, is nearly all of one kind (the other kind at most {MOST_LEFT_OVER:g} of its usual share)",
    "choose the cohort by what was known at as_of: rows with times, or an attribute with recorded_at. If the attribute "
    "never changes, name it under certificate.trusted.",
)


def cohort_is_honest(
    everyone: FeatureTable,
    belongs: npt.NDArray[np.bool_],
    *,
    reads: tuple[str, ...],
    timed: tuple[str, ...],
    seed: int,
    known: Known | None = None,
    trusted: frozenset[str] = frozenset(),
) -> Check:
    """Return whether members and others, alike in what has a clock, convert alike.

    Args:
        everyone: Labelled snapshots of members and others.
        belongs: Which are of the cohort, shape ``(n_rows,)``.
        reads: The attributes that the cohort reads.
        timed: Number features of *everyone* that read rows with times.
        seed: Seeds the trees that say which leads are alike.
        known: Who ever converts.
        trusted: Attributes that a person has looked at.
    """
    moments = moments_of(everyone)
    leads = leads_alike(everyone, moments, timed, seed=seed, known=known)
    member = belongs[leads.row]
    groups = (member, ~member, leads.converts, ~leads.converts)
    if min(int(group.sum()) for group in groups) < LEAST_LEADS:
        return COHORT.not_applicable(f"fewer than {LEAST_LEADS} leads belong, do not, convert, or never do")
    ratio, bound = least_odds_ratio(member, leads.converts, leads.stratum)
    decided = [(~member, leads.converts), (~member, ~leads.converts), (member, ~leads.converts)]
    findings = []
    if reached(bound, decided) >= 1:
        said = marked_words("a member", member, leads.converts, ratio)
        findings.append(Finding(", ".join(reads), said, max(bound, 1 / bound), set(reads) <= trusted))
    why = f"{int(member.sum()):,} leads that belong, {int((~member).sum()):,} that do not"
    return COHORT.judged(findings, as_ofs=moments.as_of[leads.row], rows=len(leads.row), why=why)
