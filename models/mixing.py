"""One mixing of 64 bits for all hashes: the same on every machine, in every version."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

GOLDEN: Final = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: multiples of it are spread evenly (Steele et al. 2014)."""


def mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return *x* mixed, one to one: every input bit changes half of the output bits.

    It is the finaliser of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    Splits and stored fingerprints rest on it: it may never change.
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
