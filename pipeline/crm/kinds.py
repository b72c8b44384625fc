"""The kinds of connectors: those of the house, and those that other packages bring along.

A package adds a kind by an entry point in the group ``leadlight.crm`` that names a `ConnectorKind`::

    [project.entry-points."leadlight.crm"]
    pipedrive = "leadlight_pipedrive:KIND"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from features.errors import LeadlightError, nearest, wrong_input
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Connector
from pipeline.crm.secrets import Secrets
from pipeline.settings_crm import TargetSettings

GROUP: Final = "leadlight.crm"
_OF_THE_HOUSE: Final = {
    "file": "file",
    "sql": "sql",
    "hubspot": "hubspot",
    "salesforce": "salesforce",
    "marketo": "marketo",
    "webhook": "webhook",
}
KINDS_OF_THE_HOUSE: Final = tuple(_OF_THE_HOUSE)
_EXTRAS: Final = frozenset({"hubspot", "salesforce", "marketo", "webhook"})


@dataclass(frozen=True)
class Surroundings:
    """What a connector may know beside its options.

    Attributes:
        target: How the config calls the target.
        key: The property that tells records apart.
        folder: The folder of the config: relative paths start there.
        state: A folder for what all processes of a workspace share, such as the turns of a rate limit; it exists.
        environment: Where secrets are looked up: what a connector finds there, its CRM's words never show.
        patience: How long trouble that passes by itself is waited out.
        may_create: Whether records that are not there yet are created; else their rows are rejected.
        override: The property by which people hold leads, where one is read; a hold that is not heard is worse than any
            other silence.
        secrets: Takes tokens that are given out for those of the environment.
    """

    target: str
    key: str
    folder: Path
    state: Path
    environment: Mapping[str, str] = field(repr=False)
    patience: Patience = field(default_factory=Patience)
    may_create: bool = False
    override: str = ""
    secrets: Secrets = field(default_factory=Secrets, repr=False)


def _untold(_options: Any, _surroundings: Surroundings) -> frozenset[str]:  # noqa: ANN401 - each kind has its own
    return frozenset()


def _no_files(_options: Any, _surroundings: Surroundings) -> frozenset[Path]:  # noqa: ANN401 - each kind has its own
    return frozenset()


@dataclass(frozen=True)
class ConnectorKind:
    """One kind of connector.

    Attributes:
        options: The section ``connect`` of a target of this kind: closed to unknown keys, without secrets.
        connect: Makes the connector; opens no connection, and raises `LeadlightError` where a secret is missing.
        places: Where it writes: the file, the table, the objects of an account; the same text for the same place,
            without secrets. Two targets of a kind never write one property of one place, and another place is filled
            anew. Empty = it cannot be told.
        files: Which files of this machine it writes, links followed: none may be one of the shop's own.
        is_shared: Whether several targets may write to one place at all, each its own properties.
    """

    options: type[BaseModel]
    connect: Callable[[Any, Surroundings], Connector]
    places: Callable[[Any, Surroundings], frozenset[str]] = _untold
    files: Callable[[Any, Surroundings], frozenset[Path]] = _no_files
    is_shared: bool = True


def kind_name(name: str, config: TargetSettings) -> str:
    """Return the name of the kind of the target *name*: what its config says, or else its own."""
    return config.kind or name


def kind_of(name: str) -> ConnectorKind:
    """Return the kind called *name*.

    Raises:
        LeadlightError: There is none, or what it needs is not installed.
    """
    if name in _OF_THE_HOUSE:
        return _house(name)
    others = {point.name: point for point in entry_points(group=GROUP)}
    if name not in others:
        raise _no_such_kind(name, [*_OF_THE_HOUSE, *others])
    try:
        kind = others[name].load()
    except (ImportError, AttributeError) as error:
        raise _cannot_load(name, others[name].value, error) from error
    if not isinstance(kind, ConnectorKind):
        raise _cannot_load(name, others[name].value, "it is no ConnectorKind")
    return kind


def _house(name: str) -> ConnectorKind:
    try:
        module = import_module(f"pipeline.crm.connectors.{_OF_THE_HOUSE[name]}")
    except ModuleNotFoundError as error:
        raise _not_installed(name, str(error.name)) from error
    kind: ConnectorKind = module.KIND
    return kind


def _no_such_kind(name: str, known: list[str]) -> LeadlightError:
    close = nearest(name, known)
    meant = f" (did you mean '{close}'?)" if close else ""
    hint = (
        f"`kind` of a target says which, or else its name: there are {', '.join(known)}; another package adds one by "
        f"an entry point in the group {GROUP}."
    )
    return wrong_input(f"There is no kind of CRM called '{name}'{meant}.", hint=hint)


def _not_installed(name: str, module: str) -> LeadlightError:
    extra = f"pip install 'leadlight[{name}]'" if name in _EXTRAS else f"pip install {module}"
    return wrong_input(f"The connector '{name}' needs the package '{module}', which is not installed.", hint=extra)


def _cannot_load(name: str, place: str, error: object) -> LeadlightError:
    hint = "see that package's own documentation; its entry point must name a pipeline.crm.kinds.ConnectorKind."
    return wrong_input(f"The connector '{name}' ({place}) cannot be used: {error}.", hint=hint)
