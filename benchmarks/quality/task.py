"""A task: a labelled table, the rows to learn from, and the rows to be judged on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.matrix import FeatureTable
from models.splits import Moments, scramble
from models.training import moments_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FEW_SEED = 31


@dataclass(frozen=True)
class Task:
    """One question on real or synthetic data.

    Attributes:
        name: As `--tasks` takes it.
        table: Features and labels; every row is ripe.
        train, test: Row positions.
        best_log_odds: Of each test row, the best that anyone could say; None where nobody knows the truth.
    """

    name: str
    table: FeatureTable
    train: Ints
    test: Ints
    best_log_odds: Floats | None = field(default=None, repr=False)

    @cached_property
    def moments(self) -> Moments:
        """Times, leads and labels of all rows of the table."""
        return moments_of(self.table)

    @property
    def converted(self) -> npt.NDArray[np.bool_]:
        """Labels of the test rows, shape ``(n_test,)``."""
        return self.moments.converted[self.test]

    @property
    def lead(self) -> npt.NDArray[np.uint64]:
        """Hashes of the test rows' leads, shape ``(n_test,)``."""
        return self.moments.lead[self.test]

    def few(self, rows: int) -> Task:
        """Return the same task with about *rows* rows to learn from and half as many to be judged on, whole leads."""
        train, test = self._fewer(self.train, rows), self._fewer(self.test, rows // 2)
        best = None if self.best_log_odds is None else self.best_log_odds[np.isin(self.test, test)]
        return Task(self.name, self.table, train, test, best)

    def fingerprint(self) -> str:
        """Return a hash of everything that a model learns from or is judged on here."""
        digest = hashlib.sha256()
        for name in sorted(self.table.columns.column_names):
            values = self.table.columns[name]
            plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
            digest.update(name.encode())
            digest.update("\x1f".join(map(str, plain.to_pylist())).encode())
        for part in (self.moments.lead, self.moments.converted, self.moments.as_of, self.train, self.test):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]

    def _fewer(self, places: Ints, rows: int) -> Ints:
        edge = np.uint64(min(rows / len(places), 1.0) * (2.0**64 - 2**12))
        return places[scramble(self.moments.lead[places], FEW_SEED) <= edge]
