"""How many leads of a group convert: expected from their probabilities, and realised once that is known.

    expected = Σ p,      realised ~ Poisson-binomial(p)

A group is *as expected* where the number realised lies inside the central 95 % of that law: then chance alone explains
the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.poisson_binomial import central_95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Realised:
    """One group of leads, what was expected of it and what came.

    Attributes:
        name: The group; empty where the leads did not say.
        leads: Its leads, > 0.
        converted: How many converted.
        expected: Expected conversions; None where a points card gave none.
        low, high: Ends of the central 95 % of what chance allows around the expectation; None without one.
    """

    name: str
    leads: int
    converted: int
    expected: float | None
    low: int | None
    high: int | None

    @property
    def is_as_expected(self) -> bool | None:
        """Whether chance explains the difference; None where nothing was expected."""
        return None if self.low is None or self.high is None else self.low <= self.converted <= self.high


def realised_by(groups: pa.ChunkedArray, probability: pa.ChunkedArray, converted: pa.ChunkedArray) -> list[Realised]:
    """Return what came of each group beside what was expected, most leads first, then by name.

    Args:
        groups: The group of each lead; null = not known. A list puts a lead into each of its groups.
        probability: Its probability, 0–1; null where there was none.
        converted: Whether it converted (bool, no nulls).
    """
    rows, names = _memberships(groups)
    p = probability.take(rows).to_numpy()
    came = np.asarray(converted.take(rows).to_numpy(), dtype=np.bool_)
    coded = (
        names.combine_chunks().dictionary_encode() if isinstance(names, pa.ChunkedArray) else names.dictionary_encode()
    )
    codes = coded.indices.to_numpy()
    # Sorted once and cut, so that many groups do not read every lead each.
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(1, len(coded.dictionary)))
    parts = zip(coded.dictionary.to_pylist(), np.split(p[order], cuts), np.split(came[order], cuts), strict=True)
    found = [_realised(*part) for part in parts] if len(coded.dictionary) else []
    return sorted(found, key=lambda one: (-one.leads, one.name))


def _realised(name: str, p: Floats, came: npt.NDArray[np.bool_]) -> Realised:
    has_probability = len(p) > 0 and not np.isnan(p).any()
    low, high = central_95(p) if has_probability else (None, None)
    return Realised(name, len(came), int(came.sum()), float(p.sum()) if has_probability else None, low, high)


def _memberships(groups: pa.ChunkedArray) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return a row and a name for each lead in each of its groups."""
    if not pa.types.is_list(groups.type):
        return pa.array(np.arange(len(groups))), pc.fill_null(groups.cast(pa.string()), "")
    whole = groups.combine_chunks()
    return pc.list_parent_indices(whole), pc.list_flatten(whole).cast(pa.string())


def in_order(found: Sequence[Realised], names: Sequence[str]) -> list[Realised]:
    """Return the groups in the order of *names*, those that it lacks after them."""
    return sorted(found, key=lambda one: (names.index(one.name) if one.name in names else len(names), one.name))
