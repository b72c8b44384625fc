"""Chance that depends on nothing but the seed, the lead and the name of the draw.

Every random number is a hash (SplitMix64, Steele, Lea and Flood 2014) of the seed, the lead's
number and what the number is for. There is no generator with a state to advance, so a lead's
history is the same bit for bit whether it is drawn alone, in a batch, first or last, in one
thread or in many, in a shop of a thousand leads or of a million.
"""

from __future__ import annotations

from enum import IntEnum, auto, unique
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Keys: TypeAlias = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0xD1342543DE82EF95)


@unique
class Draw(IntEnum):
    """What a random number decides; two draws never share one."""

    CREATED_PERIOD = auto()
    CREATED_TIME = auto()
    CUSTOMER_TYPE = auto()
    AGE_BAND = auto()
    AGE_MISSING = auto()
    COUNTRY = auto()
    DEVICE = auto()
    SIGNUP_SOURCE = auto()
    EMPLOYEES = auto()
    CONSENT = auto()
    GIVEN_NAME = auto()
    FAMILY_NAME = auto()
    CHANGES = auto()
    CHANGED_AT = auto()
    CHANGED_WHAT = auto()
    ACTIVITY = auto()
    BURST = auto()
    VISITS = auto()
    MAILABLE = auto()
    LINKS = auto()
    LINK_DELAY = auto()
    RELINK_DELAY = auto()
    SHARES = auto()
    KIOSK = auto()
    EARLY_VISITS = auto()
    EARLY_TIME = auto()
    STRANGERS = auto()
    STRANGER_VISITS = auto()
    DAY = auto()
    HOUR = auto()
    SECOND = auto()
    DURATION = auto()
    BOUNCE = auto()
    PAGES = auto()
    CHANNEL = auto()
    SESSION_DEVICE = auto()
    SESSION_DEVICE_OTHER = auto()
    LANDING = auto()
    LOGGED_IN = auto()
    AT_KIOSK = auto()
    LATE = auto()
    LATE_DELAY = auto()
    HAPPENS = auto()
    HOW_MANY = auto()
    OFFSET = auto()
    ITEM = auto()
    MAILED = auto()
    OPENED = auto()
    OPEN_DELAY = auto()
    CLICKED = auto()
    CLICK_DELAY = auto()
    BUYS = auto()
    BASKETS = auto()
    AMOUNT = auto()
    COUPON = auto()
    DISCOUNT = auto()
    PIECES = auto()
    CATEGORY = auto()
    ORDER_CHANNEL = auto()
    CANCELS = auto()
    CANCEL_DELAY = auto()
    VISIT_BEFORE = auto()


@unique
class Stream(IntEnum):
    """The kind of thing that a key belongs to, so that a lead's rows have keys of their own."""

    LEAD = auto()
    PERIOD = auto()
    VISIT = auto()
    EARLY = auto()
    STRANGER = auto()
    KIOSK = auto()
    WEB_EVENT = auto()
    ORDER = auto()
    ORDER_VISIT = auto()


def lead_keys(seed: int, numbers: Ints) -> Keys:
    """Return one key per lead number under *seed*, shape ``(n,)``."""
    start = np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    return sub_keys(np.broadcast_to(_mix(start + _GOLDEN), numbers.shape), Stream.LEAD, numbers)


def sub_keys(keys: Keys, stream: Stream, numbers: Ints | int) -> Keys:
    """Return the keys of the things numbered *numbers* of one kind below *keys*."""
    with np.errstate(over="ignore"):
        steps = np.asarray(numbers, dtype=np.uint64) * _STEP + np.uint64(stream) * _MIX_1
        return _mix(_mix(keys ^ steps) + _GOLDEN)


def uniforms(keys: Keys, draw: Draw) -> Floats:
    """Return a number in ``[0, 1)`` per key for *draw*, 53 random bits each."""
    with np.errstate(over="ignore"):
        mixed = _mix(keys + np.uint64(draw) * _GOLDEN)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def happens(keys: Keys, draw: Draw, probability: Floats | float) -> Bools:
    """Return whether something of the given *probability* happens, per key."""
    return np.asarray(uniforms(keys, draw) < probability)


def counts(keys: Keys, draw: Draw, mean: Floats | float, *, most: int) -> Ints:
    """Return geometric counts (0, 1, 2 …) of the given *mean* per key, cut at *most*.

    ``P(N >= n) = (mean / (1 + mean)) ** n``: more zeros and a longer tail than Poisson.
    """
    ratio = np.maximum(np.asarray(mean, dtype=np.float64), 1e-12)
    ratio = ratio / (1.0 + ratio)
    drawn = np.log1p(-uniforms(keys, draw)) / np.log(ratio)
    return np.minimum(drawn, most).astype(np.int64)


def waits(keys: Keys, draw: Draw, mean: Floats | float, *, most: float) -> Floats:
    """Return exponential waiting times of the given *mean* per key, cut at *most*."""
    return np.minimum(-np.log1p(-uniforms(keys, draw)) * mean, most)


def heavy_tailed(keys: Keys, draw: Draw, median: Floats | float, *, shape: float) -> Floats:
    """Return log-logistic sizes: ``median * (u / (1 - u)) ** (1 / shape)``.

    The upper tail falls like ``x ** -shape``, as visits and spending per customer do.
    """
    u = uniforms(keys, draw)
    return np.asarray(median * ((u + 2.0**-54) / (1.0 - u)) ** (1.0 / shape))


def choose(keys: Keys, draw: Draw, weights: Floats) -> Ints:
    """Return an index into *weights* per key, each as likely as its weight says."""
    edges = np.cumsum(weights) / np.sum(weights)
    return np.searchsorted(edges[:-1], uniforms(keys, draw), side="right").astype(np.int64)


def choose_by_row(keys: Keys, draw: Draw, weights: Floats, *, rows: Ints) -> Ints:
    """Return an index per key, chosen by the weights of its row of a table ``(rows, options)``."""
    n_rows, options = weights.shape
    shares = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    shares[:, -1] = 1.0
    edges = (shares + np.arange(n_rows)[:, None]).ravel()
    found = np.searchsorted(edges, rows + uniforms(keys, draw), side="right") - rows * options
    return np.minimum(found, options - 1).astype(np.int64)


def spread(repeats: Ints) -> tuple[Ints, Ints]:
    """Return which owner each of ``sum(repeats)`` things has, and its place among the owner's."""
    owners = np.repeat(np.arange(len(repeats), dtype=np.int64), repeats)
    first = np.cumsum(repeats) - repeats
    return owners, np.arange(len(owners), dtype=np.int64) - first[owners]


def _mix(values: Keys) -> Keys:
    """The finaliser of SplitMix64: every input bit moves every output bit."""
    with np.errstate(over="ignore"):
        mixed = (values ^ (values >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        return np.asarray(mixed ^ (mixed >> np.uint64(31)))
