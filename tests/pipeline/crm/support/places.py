"""One small class per place that scores are written to: what the config says of it, and what lies there afterwards.

with place_called("hubspot", folder, leads) as place:
    shop = LittleShop(folder / "shop", leads=300, crm=place.crm(), publish={})
    ...
    place.state()
"""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from fakes.serving import Fake, Reply, Request, serving
from support.little_shop import FIELDS

State = dict[str, dict[str, Any]]
"""What leads hold in Leadlight's properties, without empty ones, by lead."""


class Place(ABC):
    """A place that scores are written to, from when it is entered.

    Args:
        folder: Where it may keep files.
        leads: The leads that it is given.

    Attributes:
        creates: Whether it is empty at first and leads are created in it; else it knows them all from the start.
        is_twin: Whether it differs from another place in what it holds alone: secrets are kept there as here.
        slowed_by: What a process that writes there calls first (`support.forks`), so that writing takes a while.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    key: ClassVar[str] = "leadlight_key"
    creates: ClassVar[bool] = False
    is_twin: ClassVar[bool] = False
    turns_leads_away: ClassVar[bool] = True
    makes_properties: ClassVar[bool] = True
    keeps_writes: ClassVar[bool] = True
    has_secrets: ClassVar[bool] = True
    cannot_hold: ClassVar[frozenset[str]] = frozenset()
    cannot_read: ClassVar[frozenset[str]] = frozenset()
    slowed_by: ClassVar[str] = ""
    server: ClassVar[str] = ""

    def __init__(self, folder: Path, leads: Sequence[str]) -> None:
        self.folder, self.leads = folder, list(leads)
        self.written: list[tuple[str, str]] = []
        self.open = ExitStack()
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.close()

    @property
    def known(self) -> list[str]:
        """The leads that are there from the start."""
        return [] if self.creates else self.leads

    @abstractmethod
    def begin(self) -> None:
        """Let it be there."""

    @abstractmethod
    def connect(self) -> dict[str, Any]:
        """Return the section `connect`."""

    @property
    def environment(self) -> dict[str, str]:
        """The secrets."""
        return {}

    def secrets(self) -> list[str]:
        """Return what nobody may read anywhere: what the environment holds, and tokens that were given for it."""
        return list(self.environment.values())

    def with_other_secrets(self) -> dict[str, str]:
        """Return an environment that is refused."""
        return {name: f"{value}-of-somebody-else" for name, value in self.environment.items()}

    def unreachable(self) -> dict[str, Any]:
        """Return the section `connect` of a place that is not there, at the same kind of address."""
        return {**self.connect(), "base_url": "http://127.0.0.1:9"}

    @property
    def nowhere(self) -> dict[str, str]:
        """What stands in the environment beside, for a place that is not there."""
        return {}

    @abstractmethod
    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what leads hold, as it says."""

    @abstractmethod
    def slow_down(self) -> None:
        """Let it take its time from now on, so that something is under way at most moments."""

    @abstractmethod
    def speed_up(self) -> None:
        """Let it be as quick as it was."""

    def forget(self, leads: Iterable[str]) -> None:
        """See to it that the rows of these leads are turned away."""
        raise NotImplementedError

    def called(self, name: str) -> str:
        """Return how a property such as ``leadlight_score`` is called here."""
        return name

    def crm(self, more: Mapping[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
        """Return the section `crm` of a config that leads here.

        Args:
            more: Further fields.
            rest: Further settings of the target.
        """
        fields = {self.called(name): spec for name, spec in {**FIELDS, **(more or {})}.items()}
        target = {
            "kind": self.kind, "key": self.key, "create": self.creates, "fields": fields, "connect": self.connect(),
            "settle_s": 1.0, **rest,
        }  # fmt: skip
        return {self.name: target}

    def state(self) -> State:
        """Return what leads hold in Leadlight's properties; leads with nothing there are absent."""
        names = {self.called(name): name for name in (*FIELDS, "leadlight_note")}
        found = {
            lead: {names[name]: value for name, value in held.items() if name in names and value not in {None, ""}}
            for lead, held in self.held().items()
        }
        return {lead: held for lead, held in sorted(found.items()) if held}

    def note_write(self, lead: str, values: Mapping[str, Any]) -> None:
        """Remember that something was written to a lead."""
        with self._writing:
            self.written.append((lead, json.dumps(values, sort_keys=True, default=str)))


class Description(Protocol):
    """A vendor's published description of the calls that it takes."""

    def is_here(self) -> bool:
        """Return whether it is at hand."""

    def hold_against_description(self, requests: Iterable[Request]) -> object:
        """Raise where one of *requests* is not as described."""


class ServedPlace(Place):
    """A place behind HTTP: its stand-in is served on loopback.

    Attributes:
        description: What all that was said is held against at the end, unless processes were killed while they spoke.
    """

    fake: Fake
    latency_s: ClassVar[float] = 0.2
    description: ClassVar[Description | None] = None

    def begin(self) -> None:
        """Serve the stand-in."""
        self.fake = self.made()
        if self.description is not None and self.description.is_here():
            self.open.callback(self._hold_against, self.description)
        self.url = self.open.enter_context(serving(self.fake))

    def _hold_against(self, description: Description) -> None:
        if self.fake.keeps_calls:
            description.hold_against_description(self.fake.calls)

    @abstractmethod
    def made(self) -> Fake:
        """Return the stand-in."""

    def slow_down(self) -> None:
        """Let answers to what is written come late: half of the time goes before the call takes effect."""
        self.fake.keeps_calls = False
        answer = type(self.fake).answer

        def late(request: Request) -> Reply:
            if request.method == "GET":
                return answer(self.fake, request)
            time.sleep(self.latency_s / 2)
            reply = answer(self.fake, request)
            time.sleep(self.latency_s / 2)
            return reply

        self.fake.answer = late  # type: ignore[method-assign]

    def speed_up(self) -> None:
        """Answer at once."""
        del self.fake.answer


def noting(call: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
    """Return *call*, whose arguments *note* is told of first."""

    def noted(*args: Any, **rest: Any) -> Any:
        note(*args)
        return call(*args, **rest)

    return noted


def once_each(records: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """Return records by their leads; two records of one lead are a fault."""
    listed = list(records)
    found = dict(listed)
    assert len(found) == len(listed), "a lead has several records"
    return found


def place_called(name: str, folder: Path, leads: Sequence[str]) -> Place:
    """Return the place of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    return _PLACES[name](folder, leads)


def _all() -> dict[str, type[Place]]:
    from support import places_http, places_local

    return {place.name: place for place in (*places_http.PLACES, *places_local.TABLES, *places_local.FILES)}


_PLACES = _all()
PLACES = tuple(_PLACES)
SERVED = tuple(name for name, place in _PLACES.items() if issubclass(place, ServedPlace) and not place.is_twin)
WITH_SECRETS = tuple(name for name, place in _PLACES.items() if place.has_secrets and not place.is_twin)
TURNING_AWAY = tuple(name for name, place in _PLACES.items() if place.turns_leads_away)
NEEDS_SERVER = {name: place.server for name, place in _PLACES.items() if place.server}
"""The fixture that starts the server of each place that has one."""
