"""Holds: why a lead must be left alone, whatever its score. A held lead keeps its score and is shown as held.

| code | why |
|---|---|
| no_consent | it said no to being contacted, or never said yes where the shop asks for that |
| unsubscribed | it unsubscribed, and has not subscribed again since |
| open_deal | somebody is talking to it already |
| override | a person said so, and the word has not expired |
| held_in_crm | a person said so in a CRM, in the property that Leadlight reads for it |
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.situation import OPEN_DEAL, UNSUBSCRIBED, column_of
from models.decision_rules import Bools, listed

OVERRIDE: Final = "override"
IN_CRM: Final = "held_in_crm"
CODES: Final = ("no_consent", "unsubscribed", "open_deal", OVERRIDE, IN_CRM)
"""Every code, in the order in which they are told."""
CONSENT: Final = "consent"
OVERRIDDEN: Final = "is_overridden"
HELD_IN_CRM: Final = "is_held_in_crm"
FACTS_READ: Final = frozenset({UNSUBSCRIBED, OPEN_DEAL})
"""The facts of the situation that holds read."""


@dataclass(frozen=True)
class HoldRules:
    """When leads are left alone.

    Attributes:
        no_consent: What a consent says that means no, in lower case.
        needs_consent: Whether a lead whose consent is unknown is left alone as well.
        apply: The codes of `CODES` that the shop wants to hear of.
    """

    no_consent: frozenset[str] = frozenset()
    needs_consent: bool = False
    apply: frozenset[str] = frozenset(CODES)


def held(rules: HoldRules, facts: pa.Table) -> pa.Array:
    """Return the codes that hold each lead, an empty list where it is free.

    Args:
        rules: When leads are left alone.
        facts: One row per lead: ``consent`` (text) where it is kept, the facts `FACTS_READ` under their columns'
            names where they can be told, ``is_overridden`` and ``is_held_in_crm`` (truth).
    """
    found = {
        "no_consent": _without_consent(rules, facts),
        "unsubscribed": _is_true(column_of(UNSUBSCRIBED), facts),
        "open_deal": _is_true(column_of(OPEN_DEAL), facts),
        OVERRIDE: _is_true(OVERRIDDEN, facts),
        IN_CRM: _is_true(HELD_IN_CRM, facts),
    }
    return listed(np.stack([found[code] & (code in rules.apply) for code in CODES], axis=1), CODES)


def is_held(held: pa.ChunkedArray | pa.Array) -> Bools:
    """Return which leads are held by any code; runs that were stored before there were holds hold nobody."""
    return np.asarray(pc.greater(pc.fill_null(pc.list_value_length(held), 0), 0), dtype=np.bool_)


def _without_consent(rules: HoldRules, facts: pa.Table) -> Bools:
    if CONSENT not in facts.column_names:
        return np.full(len(facts), rules.needs_consent)
    said = pc.utf8_lower(pc.utf8_trim_whitespace(facts[CONSENT].cast(pa.string())))
    says_no = _booleans(pc.is_in(said, value_set=_words(rules.no_consent)))
    is_unknown = _booleans(pc.is_null(said)) | _booleans(pc.equal(said, ""))
    return says_no | (is_unknown & rules.needs_consent)


def _words(words: Collection[str]) -> pa.Array:
    return pa.array(sorted(words), pa.string())


def _is_true(name: str, facts: pa.Table) -> Bools:
    if name not in facts.column_names:
        return np.zeros(len(facts), dtype=np.bool_)
    column = facts[name]
    return _booleans(column if pa.types.is_boolean(column.type) else pc.greater(column, 0.0))


def _booleans(column: pa.ChunkedArray | pa.Array) -> Bools:
    return np.asarray(pc.fill_null(column, False), dtype=np.bool_)
