"""A target of the config, opened: its connector, what it writes, and how patient it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from features.errors import LeadlightError, nearest, wrong_input
from pipeline.crm.fields import check_fields, crm_fields, mapping_hash
from pipeline.crm.kinds import Surroundings, kind_name, kind_of
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.own_places import require_not_the_shops
from pipeline.crm.patience import Patience, Waiting
from pipeline.crm.places import place_hash, require_own_properties
from pipeline.crm.promise import Connector, CrmField
from pipeline.crm.secrets import LookedUp, Masked, Secrets
from pipeline.settings import Settings
from pipeline.settings_crm import TargetSettings
from pipeline.settings_faults import fault_lines


@dataclass(frozen=True)
class Target:
    """One target, open.

    Attributes:
        name: How the config calls it.
        config: Its settings.
        connector: Its connector.
        fields: The properties that are written.
        destination: Its name, and the place that it leads to.
        mapping: Hash of what goes into which property.
        patience: How long trouble is waited out.
        stop: Ends all waits for the CRM, for good.
    """

    name: str
    config: TargetSettings
    connector: Connector
    fields: tuple[CrmField, ...]
    destination: Destination
    mapping: str
    patience: Patience
    stop: Callable[[], None]


def target_names(settings: Settings, asked: str) -> list[str]:
    """Return the targets that are meant: the one asked for, or all.

    Raises:
        LeadlightError: There is none, or none of that name.
    """
    if not settings.crm:
        raise _no_targets()
    if asked and asked not in settings.crm:
        raise _no_such_target(asked, list(settings.crm))
    return [asked] if asked else list(settings.crm)


@contextmanager
def open_target(
    settings: Settings,
    name: str,
    *,
    environment: Mapping[str, str] | None = None,
    patience: Patience | None = None,
) -> Iterator[Target]:
    """Give the target called *name*, its connections closed at the end.

    Args:
        settings: The shop's config.
        name: One of its targets.
        environment: Where secrets are looked up; None = the process's own.
        patience: In place of the config's.

    Raises:
        LeadlightError: Its settings have faults, its secrets are missing, or its kind is not installed.
    """
    config = settings.crm[name]
    check_fields(name, config)
    waiting = Waiting()
    waits = patience or Patience(most_s=config.give_up_after_s, sleep=waiting.sleep)
    (settings.shop.workspace / "crm").mkdir(parents=True, exist_ok=True)
    environment = os.environ if environment is None else environment
    kind, surroundings = kind_of(kind_name(name, config)), _surroundings(settings, name, environment, waits)
    options = _options(kind.options, name, config.connect)
    places = kind.places(options, surroundings)
    require_own_properties(settings, kind, places, surroundings)
    require_not_the_shops(settings, surroundings, places, kind.files(options, surroundings))
    destination, mapping = Destination(name, place_hash(places)), mapping_hash(settings, config)
    connector = Masked(kind.connect(options, surroundings), surroundings.secrets)
    try:
        yield Target(name, config, connector, crm_fields(config), destination, mapping, waits, waiting.end)
    finally:
        connector.close()


def let_settle(target: Target) -> None:
    """Wait until a call that was cut short can no longer take effect.

    A CRM goes on with a request though whoever sent it was killed: sent again at once, the two would meet, and one that
    creates records would create them twice. When that call went out nobody knows: it may have been a late try.
    """
    target.patience.sleep(target.config.settle_s)


def _surroundings(settings: Settings, name: str, environment: Mapping[str, str], patience: Patience) -> Surroundings:
    """Return what the connector of the target *name* may know beside its options."""
    config, secrets = settings.crm[name], Secrets()
    return Surroundings(
        target=name,
        key=config.key,
        folder=settings.folder.resolve(),
        state=(settings.shop.workspace / "crm").resolve(),
        environment=LookedUp(environment, secrets),
        secrets=secrets,
        patience=patience,
        may_create=config.create,
        override=config.read.override,
    )


def _options(model: Any, name: str, given: dict[str, Any]) -> Any:  # noqa: ANN401 - each kind has its own
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refused(name, fault_lines(error, model, raw=given, within=f"crm.{name}.connect")) from error


def _refused(name: str, faults: list[str]) -> LeadlightError:
    return wrong_input(f"The target '{name}' cannot be reached as configured:", faults, hint="see docs/crm.md.")


def _no_targets() -> LeadlightError:
    hint = "name one under `crm` in the config; docs/crm.md shows how, the shortest with a file."
    return wrong_input("The config names no target that scores are written to.", hint=hint)


def _no_such_target(asked: str, known: list[str]) -> LeadlightError:
    close = nearest(asked, known)
    meant = f" (did you mean '{close}'?)" if close else ""
    return wrong_input(f"The config names no target '{asked}'{meant}.", hint=f"its targets are {', '.join(known)}.")
