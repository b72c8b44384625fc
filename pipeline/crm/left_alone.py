"""Sets of leads that are asked about again and again: hashed once, found by a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.lead_hash import lead_hash

Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SetOfLeads:
    """Leads that are to be left alone, however their ids are spelled in upper and lower case.

    A CRM that finds `lead-7` under `LEAD-7` tells that this one is held, and would write to it as that one.

    Attributes:
        hashes: Hashes of their ids in lower case, ascending.
    """

    hashes: Hashes

    @classmethod
    def of(cls, lead_ids: pa.Array) -> SetOfLeads:
        """Return the set of *lead_ids*, in any order and with repeats."""
        return cls(np.unique(_in_any_case(pa.chunked_array([lead_ids]))))

    def and_those(self, lead_ids: pa.Array) -> SetOfLeads:
        """Return the set of these and *lead_ids*."""
        return SetOfLeads(np.union1d(self.hashes, SetOfLeads.of(lead_ids).hashes))

    def holds(self, lead_ids: pa.ChunkedArray) -> Bools:
        """Return which of *lead_ids* are in it, shape ``(n_leads,)``."""
        return are_among(_in_any_case(lead_ids), self.hashes) if len(self.hashes) else np.zeros(len(lead_ids), bool)

    def among(self, lead_ids: Sequence[str]) -> list[str]:
        """Return those of *lead_ids* that are in it."""
        found = self.holds(pa.chunked_array([pa.array(lead_ids, pa.string())]))
        return [lead_id for lead_id, is_in in zip(lead_ids, found, strict=True) if is_in]


def are_among(hashes: Hashes, known: Hashes) -> Bools:
    """Return which of *hashes* are in *known*, which ascend; shape ``(n_leads,)``."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.asarray(known[at] == hashes, bool)


def _in_any_case(lead_ids: pa.ChunkedArray) -> Hashes:
    return lead_hash(pc.utf8_lower(lead_ids))
