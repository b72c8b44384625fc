"""One whole number per lead and order, unlike all others: the key that pages go on from.

    key = value · 2^32 + position,      value = the column, its negative for the greatest first, 2^30 where it is null

So ties go by rank, what is not known comes last either way, and ``key mod 2^32`` is the lead's place in the files.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.published.asks import SORTS

_COLUMNS: Final = {"name": "name_order", "company": "company_order"}
_BOUND: Final = 2**30
PLACES: Final = 2**32
"""More rows than a run can have."""


def key_sql(sort: str) -> str:
    """Return the SQL expression of the key (a BIGINT) of an order of `SORTS`, with or without a minus."""
    name = sort.removeprefix("-")
    if sort == "rank":
        return "position"
    if name not in SORTS:
        raise KeyError(sort)
    column = _COLUMNS.get(name, name)
    value = f"{'-' if sort.startswith('-') else ''}{column}::BIGINT"
    # `least` and `greatest` pass over what is null, so that is asked first.
    bounded = f"CASE WHEN {column} IS NULL THEN {_BOUND} ELSE least(greatest({value}, {1 - _BOUND}), {_BOUND - 1}) END"
    return f"{bounded} * {PLACES} + position"


def positions_of(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places in the files of the leads with these *keys*, same shape."""
    return keys % PLACES
