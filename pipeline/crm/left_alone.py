"""Sets of leads that are asked about again and again: hashed once, found by a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.lead_hash import lead_hash

Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SetOfLeads:
    """A set of leads.

    Attributes:
        hashes: Their hashes, ascending.
    """

    hashes: Hashes

    @classmethod
    def of(cls, lead_ids: pa.Array) -> SetOfLeads:
        """Return the set of *lead_ids*, in any order and with repeats."""
        return cls(np.unique(lead_hash(pa.chunked_array([lead_ids]))))

    def and_those(self, lead_ids: pa.Array) -> SetOfLeads:
        """Return the set of these and *lead_ids*."""
        return SetOfLeads(np.union1d(self.hashes, SetOfLeads.of(lead_ids).hashes))

    def holds(self, hashes: Hashes) -> Bools:
        """Return which of *hashes* are in it, shape ``(n_leads,)``."""
        if not len(self.hashes):
            return np.zeros(len(hashes), bool)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.asarray(self.hashes[at] == hashes, bool)

    def among(self, lead_ids: Sequence[str]) -> list[str]:
        """Return those of *lead_ids* that are in it."""
        found = self.holds(lead_hash(pa.chunked_array([pa.array(lead_ids, pa.string())])))
        return [lead_id for lead_id, is_in in zip(lead_ids, found, strict=True) if is_in]
