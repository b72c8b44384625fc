"""Where targets write: no two of them the same property of one place, each would undo what the other wrote.

Nor does one write what another tells records by, or reads: what people say in a CRM is never written over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from pydantic import ValidationError

from features.errors import LeadlightError, wrong_input
from pipeline.crm.kinds import ConnectorKind, Surroundings, kind_name
from pipeline.settings import Settings
from pipeline.settings_crm import TargetSettings


def place_hash(places: frozenset[str]) -> str:
    """Return what tells where a target leads to from where else it may lead; empty where that cannot be told."""
    return hashlib.sha256(json.dumps(sorted(places)).encode()).hexdigest()[:16] if places else ""


def require_own_properties(
    settings: Settings, kind: ConnectorKind, places: frozenset[str], surroundings: Surroundings
) -> None:
    """See that no other target of the kind writes there what one target writes, tells records by, or reads.

    Args:
        settings: The shop's config.
        kind: The target's kind.
        places: Where it writes.
        surroundings: What else its connector knows.

    Raises:
        LeadlightError: Another one does.
    """
    name = surroundings.target
    mine = kind_name(name, settings.crm[name])
    others = [other for other, config in settings.crm.items() if other != name and kind_name(other, config) == mine]
    faults = [
        fault
        for other in others
        if places & _places_of(settings, kind, other, surroundings)
        for fault in _faults(settings, kind, name, other)
    ]
    if faults:
        raise _same_place(name, faults)


def _places_of(settings: Settings, kind: ConnectorKind, name: str, surroundings: Surroundings) -> frozenset[str]:
    """Return where another target writes; nowhere where its own settings have faults, which it tells itself."""
    config = settings.crm[name]
    try:
        options = kind.options.model_validate(config.connect)
        return kind.places(options, replace(surroundings, target=name, key=config.key, may_create=config.create))
    except (ValidationError, LeadlightError):
        return frozenset()


def _faults(settings: Settings, kind: ConnectorKind, name: str, other: str) -> Iterator[str]:
    mine, theirs = settings.crm[name], settings.crm[other]
    if not kind.is_shared:
        yield f"crm.{name} and crm.{other}: both write it, and it is written as a whole"
        return
    ours = {field.casefold(): field for field in mine.fields}
    for field in theirs.fields:
        if field.casefold() in ours:
            yield f"crm.{name}.fields.{ours[field.casefold()]}: crm.{other} writes it too"
    yield from _written_over(name, mine, other, theirs)
    yield from _written_over(other, theirs, name, mine)


def _written_over(name: str, one: TargetSettings, other: str, writing: TargetSettings) -> Iterator[str]:
    """Yield what *one* needs as it is, and *writing* would write."""
    written = {field.casefold() for field in writing.fields}
    if one.key.casefold() in written:
        yield f"crm.{name}.key: {one.key} is written by crm.{other}"
    for read in one.read.properties:
        if read.casefold() in written:
            yield f"crm.{name}.read: {read} is written by crm.{other}, and what is read is never written"


def _same_place(name: str, faults: list[str]) -> LeadlightError:
    hint = "let one of them write it, or give each its own properties and its own file."
    return wrong_input(f"The target '{name}' and another write to the same place:", faults, hint=hint)
