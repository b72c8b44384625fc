"""Rules in order: which of a shop's named conditions a lead meets, first or all.

A rule holds where any of its alternatives does, and an alternative where all of its conditions do
(`features.conditions`). A rule without alternatives holds for everyone. Rules see one lead at a time, so what they say
of it is the same whoever else is scored, but for what a column itself knows of the others (rank, quintiles).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.conditions import Conditions, columns_of, mask

Bools: TypeAlias = npt.NDArray[np.bool_]
Words: TypeAlias = str | Mapping[str, str]
"""Something said to people: in English, to be translated by the catalogs, or in languages of the shop's own choice."""


@dataclass(frozen=True)
class Rule:
    """Whom a name is given to.

    Attributes:
        name: Its name in stored scores and in other rules.
        label: How people read it.
        where: Alternatives, any of which is enough; none = everyone.
    """

    name: str
    label: Words
    where: tuple[Conditions, ...] = ()


@dataclass(frozen=True)
class Play(Rule):
    """What to do about the leads that a rule holds for.

    Attributes:
        action: What kind of thing is done: call, email, recover_cart, discount, chat, webinar, wait, or a shop's own.
        channel: How: phone, email, chat, none, or a shop's own.
        wording: What to do, in a sentence.
    """

    action: str = "wait"
    channel: str = "none"
    wording: Words = ""


def columns_read(rules: Sequence[Rule]) -> set[str]:
    """Return the names that *rules* ask for."""
    return {name for rule in rules for alternative in rule.where for name in columns_of(alternative)}


def holds(rule: Rule, table: pa.Table) -> Bools:
    """Return for which rows of *table* the rule holds, shape ``(n_rows,)``."""
    met = np.full(len(table), not rule.where)
    for alternative in rule.where:
        met |= mask(alternative, table)
    return met


def first_match(rules: Sequence[Rule], table: pa.Table) -> npt.NDArray[np.int32]:
    """Return the place of the first rule that holds for each row, -1 where none does, shape ``(n_rows,)``."""
    found = np.full(len(table), -1, dtype=np.int32)
    for place, rule in enumerate(rules):
        found[(found < 0) & holds(rule, table)] = place
    return found


def every_match(rules: Sequence[Rule], table: pa.Table) -> Bools:
    """Return which rules hold for each row, shape ``(n_rows, n_rules)``."""
    columns = [holds(rule, table) for rule in rules]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0), dtype=np.bool_)


def named(places: npt.NDArray[np.int32], names: Sequence[str]) -> pa.Array:
    """Return the name at each place, null at -1."""
    codes = pa.array(places, mask=places < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(names), pa.string())).cast(pa.string())


def listed(is_there: Bools, names: Sequence[str]) -> pa.Array:
    """Return the names that are true in each row of *is_there*, shape ``(n_rows, n_names)``, as lists of text."""
    _, places = np.nonzero(is_there)
    ends = np.concatenate([[0], np.cumsum(is_there.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), named(places.astype(np.int32), names))
