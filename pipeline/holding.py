"""Who must be left alone by now: the holds that tables told since the scores were made.

A run of scores knows what was known at its moment. A consent that was withdrawn the day after counts all the same when
the scores are sent.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pyarrow as pa

from features.moments import to_us
from pipeline.apart import apart
from pipeline.holds import overridden
from pipeline.settings import Settings
from pipeline.workspace import Workspace


def left_alone(settings: Settings, *, at: datetime, environment: Mapping[str, str] | None = None) -> pa.Array:
    """Return the ids of the leads that are to be left alone at the moment *at* (aware), whoever or whatever says so.

    Consents, unsubscribed events and open deals count as the tables told them until then; holds of people, here and in
    CRMs, as they are in force.

    Args:
        settings: The shop's config.
        at: The moment.
        environment: Says where the holds of people were written; None = the process's own.

    Returns:
        Strings, in no order and with repeats.

    Raises:
        NotFinishedError: The process that asks the tables was killed, or the ledger does not answer.
    """
    said = overridden(settings, at=at, environment=environment)
    if Workspace(settings.shop.workspace).current_generation() is None:
        return said
    # The sweep and its compiler take 115 MB, which whoever writes a million leads has a better use for.
    has_compiler = "numba" in sys.modules
    told = held_by_tables(settings, at) if has_compiler else apart(held_by_tables, settings, at)
    return pa.concat_arrays([said, told])


def held_by_tables(settings: Settings, at: datetime) -> pa.Array:
    """Return the ids of the leads whom the tables, which must be there, say to leave alone at *at* (aware)."""
    from features.situation import situation
    from models.holds import CONSENT, FACTS_READ, held, is_held
    from pipeline.deciding import naming_of, with_people
    from pipeline.lead_data import lead_data
    from pipeline.playbooks import decisions_of

    leads, as_of = lead_data(settings), to_us(at)
    facts = situation(leads.available, naming_of(settings), event_types=leads.event_types, wanted=FACTS_READ)
    told = with_people(leads.standing(facts, as_of=as_of), leads.people(as_of=as_of, only={CONSENT}), held={})
    codes = held(decisions_of(settings.decisions).holds, told)
    return told["lead_id"].combine_chunks().take(pa.array(np.flatnonzero(is_held(codes))))
