"""Overlay: what the states of a lead say of it, laid over what the shop's list of leads says.

Let s be the newest state of a lead that can be seen at a moment, by when it occurred, then by when it became known. The
lead's owner at that moment is

    owner(s) where there is an s that names one, else what `leads` says.

Example: the list of leads says Eve. A state of 3 May, heard on 4 May, says Max; one of 7 May names nobody. At 5 May the
owner is Max, at 4 May and at 8 May Eve.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import moments
from features.timeline import microseconds

STATES = "lead_states"
OWNER = "owner"


def with_owners(people: pa.Table, states: pa.Table, *, as_of: int) -> pa.Table:
    """Return *people* with the owners that their states name at a moment.

    Args:
        people: One row per lead: ``lead_no`` and whatever is known of it, ``owner`` or not.
        states: The timeline of ``lead_states`` with ``owner``, sorted as timelines are.
        as_of: The moment, microseconds (UTC); a state that became known exactly then is not seen.

    Returns:
        The rows and columns of *people*, with ``owner`` (string, null where nobody is known).
    """
    newest = newest_states(states, as_of=as_of)
    places = pc.index_in(people["lead_no"], value_set=newest["lead_no"].combine_chunks())
    named = newest[OWNER].cast(pa.string()).take(places)
    if OWNER not in people.column_names:
        return people.append_column(OWNER, named)
    owners = pc.coalesce(named, people[OWNER].cast(pa.string()))
    return people.set_column(people.schema.get_field_index(OWNER), OWNER, owners)


def newest_states(states: pa.Table, *, as_of: int) -> pa.Table:
    """Return each lead's newest state that can be seen at *as_of*: one row per lead that has any, by lead.

    Args:
        states: A timeline, sorted as timelines are.
        as_of: The moment, microseconds (UTC).
    """
    known, superseded = microseconds(states["known_at"]), microseconds(states["superseded_at"])
    seen = states.filter(pa.array(moments.are_visible(known, superseded, as_of)))
    is_last = np.diff(seen["lead_no"].to_numpy(), append=-1) != 0
    return seen.filter(pa.array(is_last))
