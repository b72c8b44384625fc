"""Everything that rules may ask of a lead, by one name each: its situation, its score, its attributes.

The vocabulary is closed: `VOCABULARY` beside ``lead.NAME`` for the attributes that a shop maps. Points (``fit`` and
``engagement``) are asked in points, though they are stored in hundredths. Quintiles place a customer among the
customers of the same run, 5 = best: the share of them that is not better, times 5, rounded up; equals are placed alike.

Example: of ten customers who spent 1, 2, … 10, those with 9 and 10 are in spending quintile 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.situation import ATTRIBUTE, FACTS, column_of
from models.each_lead import first_of_each_lead

_SCORE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "score": "number",
        "probability": "number",
        "probability_low": "number",
        "probability_high": "number",
        "grade": "text",
        "temperature": "text",
        "cell": "text",
        "rank": "number",
        "fit": "number",
        "engagement": "number",
        "reason_code": "text",
    }
)
_POINTS: Final = ("fit", "engagement")
_QUINTILES: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "recency_quintile": ("days_since_last_order", -1),
        "frequency_quintile": ("orders", 1),
        "spending_quintile": ("spending", 1),
    }
)
"""Of which fact, and whether more of it is better."""
STAGE: Final = "stage"
"""What plays and segments may ask beside the vocabulary."""

VOCABULARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: fact.kind for name, fact in FACTS.items()},
        **_SCORE,
        **dict.fromkeys(_QUINTILES, "number"),
    }
)
"""Names that every rule may ask, and their kind: ``number``, ``text`` or ``truth``."""

LEVELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "grade": ("A", "B", "C", "D"),
        "temperature": ("hot", "warm", "cold"),
        "cell": tuple(f"{letter}{digit}" for letter in "ABC" for digit in "123"),
    }
)
"""The only values that some texts have."""

_TYPES: Final = {"number": pa.float64(), "text": pa.string(), "truth": pa.bool_()}


def facts_read(named: AbstractSet[str]) -> set[str]:
    """Return the facts of the situation that rules asking for *named* need."""
    direct = named & FACTS.keys()
    through = {of for name, (of, _) in _QUINTILES.items() if name in named}
    return set(direct | through | ({"orders"} if through else set()))


def nothing(named: Mapping[str, str]) -> pa.Table:
    """Return the columns *named* (name to kind) without a row: what rules can be checked against before any data."""
    return pa.table({name: pa.array([], _TYPES[kind]) for name, kind in named.items()})


def decision_table(scores: pa.Table, facts: pa.Table, named: AbstractSet[str]) -> pa.Table:
    """Return what rules ask of each stored score.

    Args:
        scores: Stored scores with ranks.
        facts: One row per score, in the same order, with columns as `features.situation.column_of` calls them; a fact
            that is not there is missing.
        named: The names that rules ask for, apart from `STAGE`.

    Returns:
        One column per name, one row per score.
    """
    columns = {name: _column(name, scores, facts) for name in sorted(named - {STAGE})}
    # A table without columns has no rows either, and rules without conditions ask for none.
    return pa.table({"lead_id": scores["lead_id"], **columns})


def _column(name: str, scores: pa.Table, facts: pa.Table) -> pa.ChunkedArray | pa.Array:
    if name in _SCORE:
        return pc.divide(scores[name].cast(pa.float64()), 100.0) if name in _POINTS else scores[name]
    if name in _QUINTILES:
        of, sign = _QUINTILES[name]
        return quintiles(_fact("orders", facts), sign * _numbers(_fact(of, facts)), scores["lead_id"])
    return _fact(name, facts)


def _fact(name: str, facts: pa.Table) -> pa.ChunkedArray | pa.Array:
    column = column_of(name)
    is_attribute = name.startswith(ATTRIBUTE)
    if column not in facts.column_names:
        return pa.nulls(len(facts), pa.null() if is_attribute else _TYPES[FACTS[name].kind])
    found = facts[column]
    if not is_attribute and FACTS[name].kind == "truth" and pa.types.is_floating(found.type):
        return pc.greater(found, 0.0)
    return found


def quintiles(
    orders: pa.ChunkedArray | pa.Array, values: npt.NDArray[np.float64], lead_id: pa.ChunkedArray
) -> pa.Array:
    """Return the quintile of each customer among all customers, 1–5, best 5; null for who has not bought.

    Args:
        orders: Orders of each row's lead so far.
        values: What customers are placed by, more = better, shape ``(n_rows,)``.
        lead_id: Whose row it is; a lead with several rows counts once.
    """
    is_customer = (_numbers(orders) > 0) & ~np.isnan(values)
    first = first_of_each_lead(lead_id.filter(pa.array(is_customer)))
    among = np.sort(values[is_customer][first])
    places = np.searchsorted(among, values, side="right") / max(len(among), 1)
    return pa.array(np.clip(np.ceil(places * 5), 1, 5), mask=~is_customer)


def _numbers(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy(), dtype=np.float64)
