"""What is kept beside a run about the whole of it: ``run.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.published.damage import reading
from pipeline.published.list_columns import SET_MARK

CHOICE_COLUMNS: Final[Mapping[str, str]] = {
    "grades": "grade",
    "temperatures": "temperature",
    "stages": "stage",
    "segments": "segment_set",
    "sources": "source",
    "campaigns": "campaign",
    "owners": "owner",
    "actions": "action",
    "channels": "channel",
    "cells": "cell",
    "held_codes": "held_set",
    "reason_codes": "code_set",
}
"""What one may filter by, and the column of the list that holds it."""
SET_COLUMNS: Final = frozenset({"segment_set", "held_set", "code_set"})
MOST_CHOICES: Final = 500
"""Values that a filter offers; rarer ones are found by search."""


@dataclass(frozen=True)
class Choice:
    """One value that a filter offers, and how many leads have it; an empty value stands for "not known"."""

    value: str
    leads: int


@dataclass(frozen=True)
class RunInfo:
    """One run as a whole.

    Attributes:
        as_of: The moment of scoring, microseconds (UTC).
        model_version: The model that scored.
        scored_at: When it scored (ISO, with offset); empty where an old run does not say.
        data_until: Until when each table told what happened (ISO); under an empty name where only the least is known.
        rows: Rows of the run; one lead has several where several triggers are open.
        scored: Rows with a score.
        expected_conversions: Sum of the probabilities; None where there is none.
        compared_with: ``as_of`` and ``model_version`` of the run published before; None for the first.
        labels: The wording of stages, plays and segments as configured when the run was made.
        choices: What each filter offers.
        is_in_order: Whether the rows of the run lie in the order of its list; those of before do not.
    """

    as_of: int
    model_version: str
    scored_at: str
    data_until: Mapping[str, str]
    rows: int
    scored: int
    expected_conversions: float | None
    compared_with: Mapping[str, Any] | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    is_in_order: bool = True

    @property
    def earliest_end(self) -> datetime | None:
        """Until when all of the tables told what happened (aware); None where that is not known."""
        return min(map(datetime.fromisoformat, self.data_until.values()), default=None)

    def as_json(self) -> str:
        """Return the text of ``run.json``."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def read_info(path: Path) -> RunInfo:
    """Return what ``run.json`` says.

    Raises:
        DamagedError: It cannot be read.
    """
    with reading(path):
        said = json.loads(path.read_bytes())
        choices = {name: tuple(Choice(**one) for one in offered) for name, offered in said.pop("choices").items()}
        return RunInfo(**said, choices=choices)


class Census:
    """Counts what the list holds, block by block."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {name: {} for name in CHOICE_COLUMNS}
        self.rows = self.scored = 0
        self._expected: float | None = None

    def add(self, block: pa.Table) -> None:
        """Count a block of the list."""
        self.rows += len(block)
        self.scored += len(block) - block["score"].null_count
        expected = pc.sum(block["probability"]).as_py()
        if expected is not None:
            self._expected = expected + (self._expected or 0.0)
        for name, column in CHOICE_COLUMNS.items():
            counts = self._counts[name]
            for one in block[column].value_counts().to_pylist():
                for value in _values(one["values"], is_set=column in SET_COLUMNS):
                    counts[value] = counts.get(value, 0) + one["counts"]

    @property
    def expected_conversions(self) -> float | None:
        """The sum of the probabilities, or None where there is none."""
        return self._expected

    def choices(self) -> dict[str, tuple[Choice, ...]]:
        """Return what each filter offers, most frequent first; what nobody has is not offered."""
        return {name: _offered(counts) for name, counts in self._counts.items()}


def _values(value: str | None, *, is_set: bool) -> list[str]:
    if not is_set:
        return [value or ""]
    return [name for name in (value or "").split(SET_MARK) if name]


def _offered(counts: Mapping[str, int]) -> tuple[Choice, ...]:
    if set(counts) == {""}:
        return ()
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Choice(value, leads) for value, leads in ordered[:MOST_CHOICES])
