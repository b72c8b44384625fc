"""Marketo Engage as a place that scores are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from pipeline.crm.connectors.marketo.bulk import LeadImport
from pipeline.crm.connectors.marketo.calls import Calls
from pipeline.crm.connectors.marketo.fields import LeadFields
from pipeline.crm.connectors.marketo.lead_file import fits
from pipeline.crm.connectors.marketo.login import MarketoLogin, judge_login
from pipeline.crm.connectors.marketo.options import MarketoOptions
from pipeline.crm.connectors.marketo.reading import LeadReader
from pipeline.crm.connectors.marketo.sync import ID, MOST_RECORDS, LeadSync
from pipeline.crm.connectors.marketo.verdicts import Verdict
from pipeline.crm.connectors.marketo.watching import Pace, Watch
from pipeline.crm.http import Http, checked_url, place_of, secret
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Breaker, Patience, patiently
from pipeline.crm.promise import Answer, Changes, CrmField, Outcome, Record, Row, Ticket
from pipeline.crm.trouble import StopError, StopReason
from pipeline.crm.turns import Limit, SharedTurns

T = TypeVar("T")
_PAUSES_AFTER_CUT = 10
"""A call that was cut is given so many first pauses to end before the same leads may be created by another."""
_OTHER_SPELLING: Final = "Marketo takes this key for another row's, which differs in capital or small letters alone."


@dataclass(frozen=True)
class Marketo:
    """Marketo; its parts share one way there.

    Args:
        at_once: Batches on their way at the same time.
        bulk_from: Rows in all from which on files are imported.
        file_rows: Rows of one file.
        login: Who calls.
        calls: The way there.
        sync: Writes row by row.
        imports: Writes files; None where files could create leads that must not be created.
        fields: Describes and creates fields.
        reader: Reads.
        patience: How long an answer that makes no sense is waited out.
        who: Where a person looks when Marketo lets nobody in.
    """

    at_once: int
    bulk_from: int
    file_rows: int
    login: MarketoLogin
    calls: Calls
    sync: LeadSync
    imports: LeadImport
    fields: LeadFields
    reader: LeadReader
    patience: Patience
    who: str

    def batch_size(self, n_rows: int) -> int:
        """Return 300, or the rows of a file where there are many and files can be imported."""
        return self.file_rows if self._imports and n_rows >= self.bulk_from else MOST_RECORDS

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return which fields are missing, of another type, too short or read-only."""
        return self._patiently(lambda: self.fields.faults(fields))

    def setup(self, fields: Sequence[CrmField]) -> list[str]:
        """Create missing fields."""
        return self._patiently(lambda: self.fields.create(fields))

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Write rows: few of them one by one, many as a file, and what a file cannot say one by one again."""
        rows, refused = _told_apart(rows)
        with self._saying_who():
            if not self._imports and ticket.text:
                self.imports.abandon(ticket.text)
            return refused + self._sent(rows, ticket)

    def _sent(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        if not self._imports or (len(rows) <= MOST_RECORDS and not ticket.text):
            return self.sync.send(rows)
        fitting = {row.key for row in rows if fits(row) and (self.sync.key != ID or row.key.isdigit())}
        answers = self.imports.send([row for row in rows if row.key in fitting], ticket)
        return answers + self.sync.send([row for row in rows if row.key not in fitting])

    def abandon(self, ticket: str) -> None:
        """Wait until an import has ended: Marketo has no way to stop one."""
        self._patiently(lambda: self.imports.abandon(ticket))

    def finish(self) -> None:
        """Nothing is left to do."""

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what leads hold."""
        return self._patiently(lambda: self.reader.read(keys, names))

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return leads that changed."""
        return self._patiently(lambda: self.reader.changes(cursor, names))

    def close(self) -> None:
        """Close the connections."""
        self.calls.close()
        self.login.close()

    def _patiently(self, call: Callable[[], T]) -> T:
        """Return what *call* returns; what makes no sense although each answer by itself did is asked for again."""
        with self._saying_who():
            return patiently(call, self.patience, Breaker(self.patience))

    @contextmanager
    def _saying_who(self) -> Iterator[None]:
        """Say where a person looks when Marketo lets nobody in."""
        try:
            yield
        except StopError as error:
            if error.reason != StopReason.CREDENTIALS or error.hint:
                raise
            raise StopError(error.words, reason=error.reason, hint=self.who) from error

    @property
    def _imports(self) -> bool:
        """Whether files are imported: only where an unknown key may make a lead, or cannot."""
        return self.sync.may_create or self.sync.key == ID


def _told_apart(rows: Sequence[Row]) -> tuple[Sequence[Row], list[Answer]]:
    """Return the rows whose leads Marketo can tell apart, and answers to those that it would write over another's."""
    spelled: dict[str, Row] = {}
    refused = [
        Answer(row.key, Outcome.REJECTED, _OTHER_SPELLING, "OTHER_SPELLING")
        for row in rows
        if spelled.setdefault(row.key.casefold(), row) is not row
    ]
    return list(spelled.values()) if refused else rows, refused


def places(options: MarketoOptions, _surroundings: Surroundings) -> frozenset[str]:
    """Return the instance: it has leads alone."""
    return frozenset({place_of(options.base_url).removesuffix("/rest")})


def connect(options: MarketoOptions, surroundings: Surroundings) -> Marketo:
    """Return the connector; no connection is opened yet.

    Raises:
        LeadlightError: An address cannot be used, or a secret is missing.
    """
    base_url = _address(options.base_url, "connect.base_url", options).removesuffix("/rest")
    identity_url = _address(options.identity_url or f"{base_url}/identity", "connect.identity_url", options)
    login = _login(identity_url, options, surroundings)
    limits = [Limit(options.calls_per_20_s, 20)]
    patience = surroundings.patience
    turns = SharedTurns(surroundings.state, f"marketo {base_url}", limits, sleep=patience.sleep)
    http = Http(
        base_url,
        judge=Verdict(login.secrets),
        login=login,
        patience=patience,
        turns=turns,
        secrets=surroundings.secrets,
        timeout_s=options.timeout_s,
    )
    return _assembled(Calls(http, daily_calls=options.daily_calls), login, options, surroundings)


def _assembled(calls: Calls, login: MarketoLogin, options: MarketoOptions, surroundings: Surroundings) -> Marketo:
    key, patience = surroundings.key, surroundings.patience
    sync = LeadSync(
        calls,
        key=key,
        may_create=surroundings.may_create and key != ID,
        partition=options.partition,
        after_cut_s=_PAUSES_AFTER_CUT * patience.first_s,
        secrets=login.secrets,
    )
    pace = Pace(options.poll_s, options.import_most_s, options.settle_s, patience)
    return Marketo(
        at_once=options.at_once,
        bulk_from=options.bulk_from,
        file_rows=options.file_rows,
        login=login,
        calls=calls,
        sync=sync,
        imports=LeadImport(calls, sync, Watch(calls, pace), login.secrets),
        fields=LeadFields(calls, key, surroundings.may_create, login.secrets),
        reader=LeadReader(calls, key),
        patience=patience,
        who=f"check that {options.client_id_env} and {options.client_secret_env} hold what Admin > LaunchPoint shows, "
        "and that the service's API-only user is still under Admin > Users & Roles.",
    )


def _login(identity_url: str, options: MarketoOptions, surroundings: Surroundings) -> MarketoLogin:
    environment, target, patience = surroundings.environment, surroundings.target, surroundings.patience
    client_id = secret(environment, options.client_id_env, target=target)
    client_secret = secret(environment, options.client_secret_env, target=target)
    http = Http(identity_url, judge=judge_login, login=None, patience=patience, timeout_s=options.timeout_s)
    return MarketoLogin(http, client_id=client_id, client_secret=client_secret, clock=patience.clock)


def _address(url: str, place: str, options: MarketoOptions) -> str:
    return checked_url(url, place=place, allowed_hosts=options.allow_http)
