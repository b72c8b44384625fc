"""Salesforce as the promise of connectors wants it: leads and contacts by one key.

Which record a key means is asked before each batch (`places`), so a run never creates records by mistake, never writes
at a locked lead, and refuses keys that several records carry. Up to 200 rows then go by sObject Collections
(`few_rows`), more by Bulk API 2.0 (`many_rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from features.errors import wrong_input
from pipeline.crm.connectors.salesforce import few_rows
from pipeline.crm.connectors.salesforce.api import Api, Usage
from pipeline.crm.connectors.salesforce.changing import Changing
from pipeline.crm.connectors.salesforce.checking import faults
from pipeline.crm.connectors.salesforce.columns import Columns
from pipeline.crm.connectors.salesforce.describing import described
from pipeline.crm.connectors.salesforce.jobs import Jobs
from pipeline.crm.connectors.salesforce.login import ClientCredentials, LoginJudge
from pipeline.crm.connectors.salesforce.many_rows import ManyRows
from pipeline.crm.connectors.salesforce.options import SalesforceOptions
from pipeline.crm.connectors.salesforce.places import ID, Finder, Whereabouts
from pipeline.crm.connectors.salesforce.records import Records
from pipeline.crm.connectors.salesforce.rows import Order, order_of
from pipeline.crm.connectors.salesforce.setting_up import set_up
from pipeline.crm.connectors.salesforce.soql import is_name
from pipeline.crm.connectors.salesforce.taken import Taken
from pipeline.crm.connectors.salesforce.tickets import jobs_of
from pipeline.crm.http import Http, checked_url, place_of, secret
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Breaker, patiently
from pipeline.crm.promise import Answer, Changes, CrmField, Record, Row, Ticket
from pipeline.crm.turns import Limit, SharedTurns

T = TypeVar("T")
_SPAN_S = 20


class Salesforce:
    """One org.

    Args:
        options: The config's.
        surroundings: The key and whether records may be created.
        api: The org's REST API.
        login: Who calls; closed with the connector.
        usage: The day's calls.
    """

    def __init__(
        self, options: SalesforceOptions, surroundings: Surroundings, api: Api, login: ClientCredentials, usage: Usage
    ) -> None:
        self._options, self._api, self._login, self._usage = options, api, login, usage
        self._key = surroundings.key
        self._may_create = surroundings.may_create
        self._creates = surroundings.may_create and self._key != ID
        self._case: bool | None = None
        self._taken = Taken()
        self._patience, self._breaker = surroundings.patience, Breaker(surroundings.patience)
        jobs = Jobs(api, options, surroundings.patience)
        self._many = ManyRows(api, jobs, places=self._places, order=self._order)
        override = surroundings.override
        columns = Columns(api, options.objects, target=surroundings.target, override=override)
        self._records = Records(api, self._key, options.objects, columns)
        self._changing = Changing(api, self._key, options.objects, columns, self._records, override)

    @property
    def at_once(self) -> int:
        """How many batches may be on their way at the same time."""
        return self._options.at_once

    def batch_size(self, n_rows: int) -> int:
        """Return the rows of a Collections call, or of a Bulk job where there are many."""
        return few_rows.MOST if n_rows <= self._options.bulk_from else self._options.bulk_rows

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what does not fit in any of the objects that are written."""
        return self._patiently(lambda: self._checked(fields))

    def _checked(self, fields: Sequence[CrmField]) -> list[str]:
        lines: list[str] = []
        for place, name in enumerate(self._options.objects):
            creates = self._may_create and place == 0
            lines += faults(described(self._api, name), fields, key=self._key, may_create=creates)
        return lines

    def setup(self, fields: Sequence[CrmField]) -> list[str]:
        """Create the custom fields that are missing, in each of the objects."""
        return self._patiently(lambda: set_up(self._api, self._options.objects, fields))

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Write *rows*: few by calls, many by a job; with a ticket, go on with the job that it names."""
        if not rows:
            return []
        if jobs_of(ticket.text):
            return self._many.resume(rows, ticket)
        self._usage.guard()
        return self._many.write(rows, ticket)

    def abandon(self, ticket: str) -> None:
        """Abort the jobs that *ticket* names, or wait for their end."""
        self._patiently(lambda: self._many.abandon(ticket))

    def finish(self) -> None:
        """Nothing is left to be done."""

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the records of *keys* hold."""
        self._usage.guard()
        return self._patiently(lambda: self._records.read(keys, names))

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return a page of the records that changed since *cursor*."""
        self._usage.guard()
        return self._patiently(lambda: self._changing.since(cursor, names))

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._login.close()

    def _patiently(self, call: Callable[[], T]) -> T:
        """Return what *call* returns, made again where an answer made no sense; of what is sent the sender sees to."""
        return patiently(call, self._patience, self._breaker)

    def _places(self, keys: Sequence[str]) -> dict[str, Whereabouts]:
        return Finder(self._api, self._key, self._options.objects, tells_case=self._tells_case()).find(keys)

    def _order(self, rows: Sequence[Row], places: Mapping[str, Whereabouts]) -> Order:
        creates_at = self._options.objects[0] if self._creates else ""
        return order_of(
            rows, places, creates_at=creates_at, key=self._key, tells_case=self._tells_case(), taken=self._taken
        )

    def _tells_case(self) -> bool:
        """Return whether keys in other letters need no care: the org tells them apart, or no record is made."""
        if not self._creates:
            return True
        if self._case is None:
            found = described(self._api, self._options.objects[0]).fields.get(self._key, {})
            self._case = found.get("caseSensitive") is True
        return self._case


def places(options: SalesforceOptions, _surroundings: Surroundings) -> frozenset[str]:
    """Return the org's objects."""
    return frozenset(f"{place_of(options.base_url)} {name}" for name in options.objects)


def connected(options: SalesforceOptions, surroundings: Surroundings) -> Salesforce:
    """Return the connector that *options* describe; nothing is called yet.

    Raises:
        LeadlightError: An address or a secret cannot be used.
    """
    if not is_name(surroundings.key):
        hint = "it is the API name of the external id field, such as Leadlight_Key__c, or Id."
        raise wrong_input(f"'{surroundings.key}' is no name of a Salesforce field.", hint=hint)
    place = f"connect of the target '{surroundings.target}'"
    base_url = checked_url(options.base_url, place=f"base_url in {place}", allowed_hosts=options.allow_http)
    login_url = checked_url(
        options.login_url or options.base_url, place=f"login_url in {place}", allowed_hosts=options.allow_http
    )
    take = partial(secret, surroundings.environment, target=surroundings.target)
    client_id, client_secret = take(options.client_id_env), take(options.client_secret_env)
    patience = surroundings.patience
    entrance = Http(
        login_url,
        judge=LoginJudge((client_secret, client_id)),
        login=None,
        patience=patience,
        timeout_s=options.timeout_s,
    )
    login = ClientCredentials(entrance, client_id, client_secret)
    usage = Usage(options.daily_share, login)
    turns = SharedTurns(surroundings.state, base_url, [Limit(options.calls_per_20_s, _SPAN_S)])
    http = Http(
        base_url,
        judge=usage.judge,
        login=login,
        patience=patience,
        turns=turns,
        secrets=surroundings.secrets,
        timeout_s=options.timeout_s,
    )
    return Salesforce(options, surroundings, Api(http, options.api_version), login, usage)
