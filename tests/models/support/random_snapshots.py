"""Snapshots at random, of which the tests of splits and folds ask what must hold of any."""

import numpy as np

from models.splits import Moments

DAY = 86_400_000_000


def moments(n: int = 600, *, leads: int = 150, as_ofs: int = 8, horizon: int = 2, seed: int = 0) -> Moments:
    """Return snapshots of *leads* leads at random as_ofs, each label closed *horizon* as_ofs later."""
    rng = np.random.default_rng(seed)
    as_of = rng.integers(0, as_ofs, n) * DAY
    lead = rng.integers(0, leads, n).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return Moments(as_of, as_of + horizon * DAY, lead, rng.random(n) < 0.3)
