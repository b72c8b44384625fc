"""The connector to HubSpot: writes to contacts in batches of 100, keyed by a property with unique values."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from pipeline.crm.connectors.hubspot.asking import Asking, listed, no_batch
from pipeline.crm.connectors.hubspot.batches import MOST_ROWS, RECORD_ID, Batch
from pipeline.crm.connectors.hubspot.changes import Reader, record
from pipeline.crm.connectors.hubspot.judging import Judge, object_in
from pipeline.crm.connectors.hubspot.properties import Properties
from pipeline.crm.connectors.hubspot.read_names import ReadNames
from pipeline.crm.connectors.hubspot.words import without
from pipeline.crm.http import FixedLogin, Http, checked_url, place_of, secret
from pipeline.crm.kinds import ConnectorKind, Surroundings
from pipeline.crm.promise import Answer, Changes, CrmField, Record, Row, Ticket
from pipeline.crm.said import values_of
from pipeline.crm.trouble import BatchRefusedError, RetryError
from pipeline.crm.turns import Limit, SharedTurns
from pipeline.settings_tables import Section

_OBJECTS: Final = "/crm/v3/objects/contacts/batch"
_SEARCHES_PER_S: Final = 4
"""HubSpot allows five a second to the whole account, and counts them apart from all other calls."""


class HubSpotOptions(Section):
    """How HubSpot is reached; the account's limits are under *Usage and limits* in its documents."""

    base_url: str = Field("https://api.hubapi.com", description="Where HubSpot answers.")
    token_env: str = Field(
        "LEADLIGHT_HUBSPOT_TOKEN", min_length=1, description="Environment variable with a private app's access token."
    )
    calls_per_10_s: int = Field(
        180,
        ge=1,
        le=190,
        description="Calls in 10 seconds, over all processes of this workspace: HubSpot allows 190, or 100 on free and "
        "starter accounts.",
    )
    at_once: int = Field(6, ge=1, le=32, description="Batches under way at the same time.")
    timeout_s: float = Field(60, gt=0, description="Seconds without an answer after which a call is made again.")
    property_group: str = Field(
        "leadlight", pattern="^[a-z][a-z0-9_]*$", description="HubSpot's group of the properties that setup creates."
    )
    allow_http: list[str] = Field(default_factory=list, description="Hosts that may be called without TLS.")


class HubSpot:
    """HubSpot, as `pipeline.crm.promise` promises.

    Args:
        options: The section ``connect``.
        surroundings: What else it knows.
        http: Calls but searches.
        searching: Searches.
    """

    def __init__(self, options: HubSpotOptions, surroundings: Surroundings, *, http: Http, searching: Http) -> None:
        self._options, self._http, self._searching = options, http, searching
        self._key = surroundings.key
        self._creates = surroundings.may_create and self._key != RECORD_ID
        self._asking = Asking(http, surroundings.patience)
        self._properties = Properties(http, self._asking, self._key, options.property_group, surroundings.may_create)
        self._read_names = ReadNames(self._properties, self._key, surroundings.target)
        self._reader = Reader(Asking(searching, surroundings.patience), self._key, time.time)

    @property
    def at_once(self) -> int:
        """How many batches may be on their way at the same time."""
        return self._options.at_once

    def batch_size(self, n_rows: int) -> int:  # noqa: ARG002 - the protocol's
        """Return 100, however many there are."""
        return MOST_ROWS

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what in HubSpot does not fit *fields*, a line each."""
        return self._properties.faults(fields)

    def setup(self, fields: Sequence[CrmField]) -> list[str]:
        """Create the property group and what is missing of the properties, the key's included."""
        return self._properties.make(fields)

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:  # noqa: ARG002 - there are no jobs
        """Write a batch of contacts in one call."""
        if not rows:
            return []
        batch = Batch(rows, self._key, self._creates)
        traced = batch.traced()
        try:
            answer = self._http.ask("POST", self._writing, json=batch.body(traced))
        except BatchRefusedError as error:
            words = without(error.words, values_of(rows))
            raise BatchRefusedError(words, code=error.code) from None
        body = object_in(answer)
        if body is None:
            raise RetryError("HubSpot's answer is no JSON object.")
        return batch.answers(body, traced)

    def abandon(self, ticket: str) -> None:
        """There are no jobs."""

    def finish(self) -> None:
        """What was sent counts already."""

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what contacts hold, 100 a call."""
        found: dict[str, Record] = {}
        unique = list(dict.fromkeys(keys))
        for start in range(0, len(unique), MOST_ROWS):
            records = self._records(unique[start : start + MOST_ROWS], names)
            found.update({one.key: one for one in records})
        return {key: found[key] for key in unique if key in found}

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return contacts that changed since *cursor*, at most 200.

        Raises:
            StopError: HubSpot has no property of one of *names*.
        """
        self._read_names.require(names)
        return self._reader.page_after(cursor, names)

    def close(self) -> None:
        """Let go of connections and of the files of turns."""
        self._http.close()
        self._searching.close()

    @property
    def _writing(self) -> str:
        return f"{_OBJECTS}/upsert" if self._creates else f"{_OBJECTS}/update"

    def _records(self, keys: Sequence[str], names: Sequence[str]) -> list[Record]:
        named = {} if self._key == RECORD_ID else {"idProperty": self._key}
        asked = {
            "inputs": [{"id": key} for key in keys],
            "properties": list(dict.fromkeys((self._key, *names))),
            "propertiesWithHistory": [],
            **named,
        }

        def understood(body: dict[str, Any]) -> list[Record]:
            found = (record(one, self._key, names) for one in listed(body, "contacts"))
            return [one for one in found if one is not None]

        with no_batch():
            try:
                return self._asking.ask("POST", f"{_OBJECTS}/read", understood, json=asked)
            except BatchRefusedError as error:
                if error.code == "OBJECT_NOT_FOUND":
                    return []
                raise BatchRefusedError(without(error.words, keys), code=error.code) from None


def connect(options: HubSpotOptions, surroundings: Surroundings) -> HubSpot:
    """Return the connector; no connection is opened.

    Raises:
        LeadlightError: The address may not be called, or there is no token.
    """
    place = f"connect.base_url of the target '{surroundings.target}'"
    url = checked_url(options.base_url, place=place, allowed_hosts=options.allow_http)
    token = secret(surroundings.environment, options.token_env, target=surroundings.target)

    def calling(account: str, limit: Limit) -> Http:
        return Http(
            url,
            judge=Judge(token, options.token_env),
            login=FixedLogin({"Authorization": f"Bearer {token}"}),
            patience=surroundings.patience,
            turns=SharedTurns(
                surroundings.state, f"{account} {url} {token}", [limit], sleep=surroundings.patience.sleep
            ),
            timeout_s=options.timeout_s,
        )

    return HubSpot(
        options,
        surroundings,
        http=calling("hubspot", Limit(options.calls_per_10_s, 10)),
        searching=calling("hubspot-search", Limit(_SEARCHES_PER_S, 1)),
    )


def places(options: HubSpotOptions, _surroundings: Surroundings) -> frozenset[str]:
    """Return the account's contacts; the account is told by the variable that holds its token."""
    return frozenset({f"{place_of(options.base_url)} {options.token_env}"})


KIND: Final = ConnectorKind(options=HubSpotOptions, connect=connect, places=places)
