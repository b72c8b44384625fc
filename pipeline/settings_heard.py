"""Tables that come from a CRM, as the config names them: which there may be, and what of the CRM they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from features.errors import nearest
from features.tables import HEARD_TABLES
from pipeline.settings_crm import ReadSettings, TargetSettings
from pipeline.settings_tables import Source

_ASKED = {"crm", "data_from", "data_until"}
"""What may be said of a source that is a CRM: its columns are known."""


def heard_faults(tables: Mapping[str, Sequence[Source]], targets: Mapping[str, TargetSettings]) -> list[str]:
    """Return what is wrong with the tables that come from CRMs, one line each with its place."""
    faults = [line for name, sources in tables.items() for line in _faults_of(name, sources, targets)]
    if tables and all(source.crm for sources in tables.values() for source in sources):
        faults.append("tables: what a CRM tells makes no leads: name a table of the shop's own as well")
    return faults


def told_of(table: str, read: ReadSettings) -> dict[str, Any]:
    """Return what *table* holds of what is read from a CRM, as plain data; empty = nothing."""
    if table == "outcomes":
        asked = [one.model_dump(mode="json") for one in read.outcomes]
        return {"outcomes": asked} if asked else {}
    return {name: said for name, said in (("owner", read.owner), ("stage", read.stage)) if said}


def _faults_of(table: str, sources: Sequence[Source], targets: Mapping[str, TargetSettings]) -> Iterator[str]:
    for number, source in enumerate(sources):
        if not source.crm:
            continue
        place = f"tables.{table}" + (f".{number}" if len(sources) > 1 else "")
        if table not in HEARD_TABLES:
            yield f"{place}.crm: a CRM tells {' and '.join(HEARD_TABLES)} alone"
        elif source.crm not in targets:
            yield f"{place}.crm: there is no target '{source.crm}' under crm" + _meant(source.crm, targets)
        elif not told_of(table, targets[source.crm].read):
            asked = "outcomes" if table == "outcomes" else "owner or stage"
            yield f"{place}.crm: crm.{source.crm}.read names no {asked}"
        for name in sorted(source.model_fields_set - _ASKED):
            yield f"{place}.{name}: has no meaning beside crm"


def _meant(name: str, known: Mapping[str, object]) -> str:
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near else ""
