"""The leak certificate of one model: what was checked, on which as-ofs, with what result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features import moments
from features.certified import Check, Finding
from features.local_time import local_iso

VERSION = 1
"""Of the JSON's form."""


@dataclass(frozen=True)
class Certificate:
    """What was checked before a model was registered.

    Attributes:
        question: The question in words.
        zone: The shop's time zone, in which moments are shown.
        data_until: Last moment of the conversions' data (us).
        snapshots: Rows of the training table.
        leads: Distinct leads among them.
        conversions: Distinct converting leads.
        sampled_leads: Leads whose features, cohort and labels were computed anew.
        checks: Each check with its result.
        trusted: What the config says that a person has looked at.
    """

    question: str
    zone: str
    data_until: int
    snapshots: int
    leads: int
    conversions: int
    sampled_leads: int
    checks: tuple[Check, ...]
    trusted: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Whether no check failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.is_failed)

    def as_plain(self) -> dict[str, Any]:
        """Return the certificate as plain data for JSON; times are ISO texts on the shop's clock."""
        return {
            "certificate_version": VERSION,
            "passed": self.is_passed,
            "question": self.question,
            "data_until": local_iso(self.data_until, self.zone),
            "snapshots": self.snapshots,
            "leads": self.leads,
            "conversions": self.conversions,
            "sampled_leads": self.sampled_leads,
            "trusted": list(self.trusted),
            "checks": [self._plain(check) for check in self.checks],
        }

    def _plain(self, check: Check) -> Mapping[str, Any]:
        return {
            "name": check.name,
            "asks": check.asks,
            "threshold": check.threshold,
            "outcome": check.outcome,
            "why": check.why,
            "as_ofs": [local_iso(moment, self.zone) for moment in check.as_ofs],
            "n_as_ofs": check.n_as_ofs,
            "rows": check.rows,
            "findings": [_plain_finding(finding) for finding in check.findings],
            "notes": list(check.notes),
            "hint": check.hint if check.is_failed else "",
        }


def _plain_finding(finding: Finding) -> dict[str, Any]:
    return {
        "what": finding.what,
        "said": finding.said,
        "value": float(finding.value),
        "is_trusted": finding.is_trusted,
    }


def days_checked(check: Check, zone: str) -> str:
    """Return on which days a check looked: "24 as-ofs, 2024-01-01 to 2024-12-02"."""
    if not check.as_ofs:
        return ""
    first, last = (moments.local_date(moment, zone).isoformat() for moment in (check.as_ofs[0], check.as_ofs[-1]))
    if check.n_as_ofs == 1:
        return f"1 as-of, {first}"
    return f"{check.n_as_ofs:,} as-ofs, {first} to {last}"
