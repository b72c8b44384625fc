"""Rows as columns of one length: what visits, events and orders of a synthetic shop have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from pipeline.synthetic.draws import Bools, Ints


@dataclass(frozen=True)
class Rows:
    """A table whose fields are its columns, arrays of one length each."""

    def __len__(self) -> int:
        """The number of rows."""
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: Ints | Bools) -> Self:
        """Return the chosen *rows*."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all *parts* one after another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))
