"""Where targets write, and that no two of them write the same property there: each would undo what the other wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from features.errors import LeadlightError, wrong_input
from pipeline.crm.kinds import ConnectorKind, Surroundings
from pipeline.crm.patience import Patience
from pipeline.settings import Settings
from pipeline.settings_crm import TargetSettings


def kind_name(settings: Settings, name: str) -> str:
    """Return the name of the kind of the target *name*."""
    return settings.crm[name].kind or name


def surroundings_of(settings: Settings, name: str, environment: Mapping[str, str], patience: Patience) -> Surroundings:
    """Return what the connector of the target *name* may know beside its options."""
    config = settings.crm[name]
    return Surroundings(
        target=name,
        key=config.key,
        folder=settings.folder.resolve(),
        state=(settings.shop.workspace / "crm").resolve(),
        environment=environment,
        patience=patience,
        may_create=config.create,
    )


def require_own_properties(
    settings: Settings,
    kind: ConnectorKind,
    options: Any,  # noqa: ANN401 - each kind has its own
    surroundings: Surroundings,
) -> frozenset[str]:
    """Return where a target writes.

    Args:
        settings: The shop's config.
        kind: The target's kind.
        options: Its section ``connect``.
        surroundings: What else its connector knows.

    Raises:
        LeadlightError: Another target of the kind writes there what this one writes, or tells records by.
    """
    name = surroundings.target
    places = kind.places(options, surroundings)
    others = [
        other for other in settings.crm if other != name and kind_name(settings, other) == kind_name(settings, name)
    ]
    faults = [
        fault
        for other in others
        if places & _places_of(settings, kind, other, surroundings)
        for fault in _faults(settings, kind, name, other)
    ]
    if faults:
        raise _same_place(name, faults)
    return places


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
    yield from _written_keys(name, mine, other, theirs)
    yield from _written_keys(other, theirs, name, mine)


def _written_keys(name: str, one: TargetSettings, other: str, writing: TargetSettings) -> Iterator[str]:
    if one.key.casefold() in {field.casefold() for field in writing.fields}:
        yield f"crm.{name}.key: {one.key} is written by crm.{other}"


def _same_place(name: str, faults: list[str]) -> LeadlightError:
    hint = "let one of them write it, or give each its own properties and its own file."
    return wrong_input(f"The target '{name}' and another write to the same place:", faults, hint=hint)
