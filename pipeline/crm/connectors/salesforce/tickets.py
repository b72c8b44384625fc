"""The names of Bulk jobs, as the ledger keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Job:
    """One Bulk job.

    Attributes:
        id: The name that Salesforce gave it.
        object: ``Lead`` or ``Contact``.
        column: What tells its rows apart: ``Id`` or the key's field.
    """

    id: str
    object: str
    column: str


def text_of(jobs: Sequence[Job]) -> str:
    """Return *jobs* as a ticket's text."""
    return json.dumps({"jobs": [asdict(job) for job in jobs]})


def jobs_of(text: str) -> list[Job]:
    """Return the jobs of a ticket's text; none where it is empty or not of this connector's writing."""
    try:
        return [Job(**one) for one in json.loads(text)["jobs"]] if text else []
    except (ValueError, TypeError, KeyError):
        return []
