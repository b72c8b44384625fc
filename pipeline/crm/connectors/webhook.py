"""Scores sent to an address of the shop's own, as signed batches of JSON.

A receiver verifies the signature (`webhook_signing`), writes the rows, and answers with nothing, or with what became of
each. What it reads from, if it offers that, lies at ``…/read`` and ``…/changes`` beside the address.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import httpx
from pydantic import Field

from features.errors import wrong_input
from pipeline.crm.connectors.webhook_answers import answers, check_understood, judge, page_end, records
from pipeline.crm.connectors.webhook_signing import IDEMPOTENCY, signed
from pipeline.crm.http import TIMEOUT_S, Http, checked_url, secret
from pipeline.crm.kinds import ConnectorKind, Surroundings
from pipeline.crm.patience import Breaker, patiently
from pipeline.crm.promise import Answer, Changes, Connector, CrmField, Outcome, Record, Row, Ticket
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason
from pipeline.crm.turns import Limit, NoTurns, SharedTurns, Turns
from pipeline.settings_tables import Section

T = TypeVar("T")
_READ_AT_ONCE: Final = 500
_MOST_NOTED: Final = 20_000
"""Batches that a receiver wants later, of which it is known how often it said so."""
_TELLING: Final = 8
"""Letters of a part of a secret address that is a secret itself; shorter ones stand in all kinds of words."""
_OWN_NAME: Final = "leadlight"


class WebhookOptions(Section):
    """How the connector `webhook` reaches the receiver."""

    url: str = Field("", description="The receiver's address, such as https://crm.example.com/leadlight.")
    url_env: str = Field(
        "", description="The environment variable with the address, where the address itself is a secret."
    )
    secret_env: str = Field(
        "LEADLIGHT_WEBHOOK_SECRET", min_length=1, description="The environment variable with the shared secret."
    )
    rows_per_call: int = Field(500, ge=1, le=10_000, description="Rows of one call.")
    at_once: int = Field(4, ge=1, le=32, description="Calls at the same time.")
    calls_per_s: float = Field(
        0.0, ge=0, description="Calls per second at most, over all processes of this workspace; 0 = no limit."
    )
    timeout_s: float = Field(TIMEOUT_S, gt=0, le=3_600, description="Seconds without a byte after which a call is cut.")
    allow_http: list[str] = Field(default_factory=list, description="Hosts that may be called without TLS.")
    any_answer: bool = Field(
        False, description="True: any success means that all rows are written, whatever it says (Zapier, Make)."
    )
    reads: bool = Field(False, description="True: the receiver also answers at …/read and …/changes.")


class WebhookConnector:
    """One receiver.

    Args:
        options: Where it is.
        surroundings: The target's.
        clock: Seconds since 1970 (UTC), for signatures.

    Raises:
        LeadlightError: There is no address or no secret, or the address may not be called.
    """

    def __init__(
        self, options: WebhookOptions, surroundings: Surroundings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._options, self._target, self._clock = options, surroundings.target, clock
        self._secret = secret(surroundings.environment, options.secret_env, target=surroundings.target)
        self._base, self._path, self._query = _address(options, surroundings)
        self._patience, self._breaker = surroundings.patience, Breaker(surroundings.patience)
        self._asked_later: dict[str, int] = {}
        self._noting = threading.Lock()
        self._http = Http(
            self._base,
            judge=self._judge,
            login=None,
            patience=surroundings.patience,
            turns=_turns(options, surroundings, self._base + self._path),
            timeout_s=options.timeout_s,
        )

    @property
    def at_once(self) -> int:
        """How many calls there may be at the same time."""
        return self._options.at_once

    def batch_size(self, n_rows: int) -> int:  # noqa: ARG002 - the protocol's
        """Return how many rows a call has."""
        return self._options.rows_per_call

    def check(self, fields: Sequence[CrmField]) -> list[str]:  # noqa: ARG002 - a receiver takes any
        """Send a signed ``{"ping": true}``: any success means that the address and the secret are good."""
        try:
            self._ask("", {"target": self._target, "ping": True})
        except BatchRefusedError as error:
            return [f"The receiver refused the ping. {error.words}"]
        return []

    def setup(self, fields: Sequence[CrmField]) -> list[str]:  # noqa: ARG002 - there is nothing to create
        """Return nothing: a receiver looks after itself."""
        return []

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:  # noqa: ARG002 - calls are no jobs
        """Send *rows* in one call and return one answer for each."""
        if not rows:
            return []
        listed = [{"key": row.key, "fields": dict(row.fields), "trace": row.trace} for row in rows]
        # Of all that is sent, traces included: the same only where the very same writes are sent again.
        digest = hashlib.sha256(_as_bytes(listed)).hexdigest()
        # Once a receiver asked for them later, it must not take them for what it has answered already.
        n_asked = self._asked_later.get(digest, 0)
        batch = f"{digest}-{n_asked}" if n_asked else digest
        answer = self._ask("", {"target": self._target, "batch": batch, "rows": listed}, once=batch)
        told = answers(rows, answer, any_answer=self._options.any_answer)
        if any(one.outcome is Outcome.RETRY for one in told):
            self._note_later(digest, n_asked + 1)
        return told

    def _note_later(self, digest: str, n_asked: int) -> None:
        with self._noting:
            self._asked_later.pop(digest, None)
            if len(self._asked_later) >= _MOST_NOTED:
                self._asked_later.pop(next(iter(self._asked_later)))
            self._asked_later[digest] = n_asked

    def abandon(self, ticket: str) -> None:
        """Do nothing: a call ends with whoever made it."""

    def finish(self) -> None:
        """Do nothing: what was answered counts."""

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the receiver holds of *keys*, by key."""
        found: dict[str, Record] = {}
        for start in range(0, len(keys), _READ_AT_ONCE):
            some = list(keys[start : start + _READ_AT_ONCE])
            body = {"target": self._target, "keys": some, "names": list(names)}
            asked = set(some)
            found |= {one.key: _with(one, names) for one in self._read("/read", body, records) if one.key in asked}
        return found

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return the page of records that the receiver gives for *cursor*; of what it leaves out a record is silent."""

        def understood(answer: httpx.Response) -> Changes:
            return Changes(records(answer), *page_end(answer))

        return self._read("/changes", {"target": self._target, "cursor": cursor, "names": list(names)}, understood)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __repr__(self) -> str:
        """Name the target, and no secret: addresses may be secrets too."""
        return f"WebhookConnector({self._target!r})"

    def _judge(self, answer: httpx.Response) -> None:
        if IDEMPOTENCY in answer.request.headers:
            check_understood(answer, any_answer=self._options.any_answer)
        else:
            judge(answer)

    def _read(self, place: str, body: dict[str, Any], understood: Callable[[httpx.Response], T]) -> T:
        """Return what *understood* makes of an answer, asked for again as long as that makes no sense."""
        if not self._options.reads:
            hint = "a receiver that answers at …/read and …/changes is named by `reads: true`."
            raise StopError("A webhook cannot be read.", reason=StopReason.SETUP, hint=hint)
        try:
            return patiently(lambda: understood(self._ask(place, body)), self._patience, self._breaker)
        except BatchRefusedError as error:
            raise StopError(error.words, reason=StopReason.SETUP, hint="see what the receiver reads.") from error

    def _ask(self, place: str, body: dict[str, Any], *, once: str = "") -> httpx.Response:
        content = _as_bytes(body)
        path = self._path.rstrip("/") + place if place else self._path
        headers = signed(self._secret, content, once=once, clock=self._clock)
        # The whole address: of a path that begins with // the client would take a part for a host.
        return self._http.ask("POST", self._base + path + self._query, content=content, headers=headers)


def _as_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _with(record: Record, names: Sequence[str]) -> Record:
    """Return *record* with exactly the fields *names*; what the receiver leaves out is empty."""
    return Record(record.key, {name: record.fields.get(name) for name in names}, record.changed_at)


def _address(options: WebhookOptions, surroundings: Surroundings) -> tuple[str, str, str]:
    """Return the receiver's scheme and host, the path there, and what follows the question mark."""
    given = surroundings.environment.get(options.url_env, "").strip() if options.url_env else options.url
    place = options.url_env or f"The url of the target '{surroundings.target}'"
    if not given:
        raise wrong_input(f"{place} is empty.", hint="give the receiver's address as `url`, or name `url_env`.")
    checked_url(given, place=place, allowed_hosts=options.allow_http, is_whole=True)
    url = httpx.URL(given)
    path, mark, query = url.raw_path.decode().partition("?")
    if options.url_env:
        for part in _telling(path, query):
            surroundings.secrets.add(part)
    return f"{url.scheme}://{url.netloc.decode()}", path, mark + query


def _telling(path: str, query: str) -> list[str]:
    """Return what a receiver may repeat of a secret address: the end of its path from any slash on, and its query."""
    steps = path.strip("/").split("/")
    values = [value for _, _, value in (one.partition("=") for one in query.split("&"))]
    parts = [*("/".join(steps[at:]) for at in range(len(steps))), query, *values]
    return [part for part in parts if len(part) >= _TELLING and part != _OWN_NAME]


def _turns(options: WebhookOptions, surroundings: Surroundings, account: str) -> Turns:
    if not options.calls_per_s:
        return NoTurns()
    # Whole calls in as long as they may take: half a call per second is one in two seconds.
    calls = max(1, math.floor(options.calls_per_s))
    limit = Limit(calls, calls / options.calls_per_s)
    return SharedTurns(surroundings.state, account, [limit], sleep=surroundings.patience.sleep)


def _connect(options: WebhookOptions, surroundings: Surroundings) -> Connector:
    return WebhookConnector(options, surroundings)


KIND: Final = ConnectorKind(WebhookOptions, _connect)
