"""Whom people said to leave alone, in Leadlight or in a CRM: the holds that are in force now.

They are asked before leads are scored, so that lists show them as held, and again before scores are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.settings import Settings


def overridden(settings: Settings, *, at: datetime, environment: Mapping[str, str] | None = None) -> pa.Array:
    """Return the ids of the leads that somebody holds, each once.

    There are none before the first word; ids that the shop does not know may be among them.

    Args:
        settings: The shop's config.
        at: The moment (aware).
        environment: Where the URLs of marks and ledger are looked up first; None = the process's own.
    """
    said = [held_by_people(settings, at=at, environment=environment), held_in_crms(settings, environment)]
    return pc.unique(pa.concat_arrays(said))


def held_by_people(settings: Settings, *, at: datetime, environment: Mapping[str, str] | None = None) -> pa.Array:
    """Return the ids of the leads that people hold in Leadlight at the moment *at* (aware)."""
    from pipeline.marks import marks_of

    return marks_of(settings, environment).held(at)["lead_id"].combine_chunks()


def held_in_crms(settings: Settings, environment: Mapping[str, str] | None = None) -> pa.Array:
    """Return the ids of the leads that people hold in any CRM, as of its last reading.

    The newest word counts, whatever moment is scored: a lead must not be called because a run looks back.
    """
    nobody = pa.array([], pa.string())
    asked = {name: target.read for name, target in settings.crm.items() if target.read.override}
    if not asked:
        return nobody
    from pipeline.crm.hearing import overridden as overridden_in
    from pipeline.crm.ledger.existing import existing

    with existing(settings, environment) as ledger:
        if ledger is None:
            return nobody
        return pa.concat_arrays([overridden_in(ledger, name, read) for name, read in asked.items()])
