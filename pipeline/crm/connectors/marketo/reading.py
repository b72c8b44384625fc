"""Leads read back: those of given keys, and those that changed.

Marketo keeps a log of changes for about 90 days. It is read from a position that Marketo itself names; the cursor stays
before the last page that was read, so whatever is written late into that page is seen the next time. What a lead holds
is then asked for: the log tells that something changed, the lead tells what counts now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.crm.connectors.marketo.calls import Calls, no_batch, results
from pipeline.crm.connectors.marketo.sync import ID
from pipeline.crm.connectors.marketo.verdicts import UnknownCodeError
from pipeline.crm.connectors.value_texts import as_text, moment_of
from pipeline.crm.promise import Changes, Record
from pipeline.crm.trouble import BatchRefusedError, RetryError

MOST_KEYS: Final = 300
LOG: Final = timedelta(days=90)
_LEADS: Final = "/rest/v1/leads.json"
_CHANGES: Final = "/rest/v1/activities/leadchanges.json"
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_TOO_MANY: Final = "1003"
"""More than a thousand leads match."""


@dataclass(frozen=True)
class LeadReader:
    """Reads leads.

    Args:
        calls: The way to Marketo.
        key: The field that tells leads apart.
        now: The time of day.
    """

    calls: Calls
    key: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the leads of *keys* hold, by key; Marketo knows no difference between a and A in a key.

        Where several leads carry one key, each field is the first of theirs that is not empty. A key with a comma
        cannot be asked for: Marketo takes it for two, and its description has no way to say it otherwise.
        """
        asked = [key for key in dict.fromkeys(keys) if key and "," not in key]
        found: dict[str, list[dict[str, Any]]] = {}
        for part in _parts(asked):
            for lead in self._leads(self.key, part, names):
                found.setdefault(_folded(lead.get(self.key)), []).append(lead)
        return {key: _record(key, found[key.casefold()], names) for key in asked if key.casefold() in found}

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return the leads of one page of the log in which one of *names* changed."""
        token = _token(cursor) or self._first_token()
        asked = {"nextPageToken": token, "fields": ",".join(names), "batchSize": str(MOST_KEYS)}
        try:
            page = self.calls.question(_CHANGES, asked)
        except (BatchRefusedError, UnknownCodeError):
            # A position that Marketo no longer knows: whatever the log still holds is read once more.
            asked["nextPageToken"] = token = self._first_token()
            with no_batch():
                page = self.calls.question(_CHANGES, asked)
        is_more, following = page.get("moreResult") is True, page.get("nextPageToken")
        if is_more and (not (isinstance(following, str) and following) or following == token):
            raise RetryError("The log of changes has more, and does not say where.")
        changed = _changed(results(page))
        return Changes(self._records(changed, names), json.dumps({"token": following if is_more else token}), is_more)

    def _first_token(self) -> str:
        since = (self.now() - LOG).strftime("%Y-%m-%dT%H:%M:%SZ")
        with no_batch():
            told = self.calls.question("/rest/v1/activities/pagingtoken.json", {"sinceDatetime": since})
        token = told.get("nextPageToken")
        if not isinstance(token, str) or not token:
            raise RetryError("Marketo named no position in its log of changes.")
        return token

    def _records(self, changed: Mapping[str, datetime | None], names: Sequence[str]) -> tuple[Record, ...]:
        leads = {
            str(lead.get(ID)): lead for part in _parts(list(changed)) for lead in self._leads(ID, part, names)
        }  # fmt: skip
        return tuple(
            _record(key, [leads[number]], names, changed_at=at)
            for number, at in sorted(changed.items(), key=lambda one: one[1] or _LONG_AGO)
            if (key := as_text(leads.get(number, {}).get(self.key)))
        )

    def _leads(self, field: str, values: Sequence[str], names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the leads of which *field* holds one of *values*, oldest first within a page."""
        asked = {
            "filterType": field,
            "filterValues": ",".join(values),
            "fields": ",".join(dict.fromkeys([ID, self.key, *names])),
            "batchSize": str(MOST_KEYS),
        }
        pages = self._pages(asked)
        try:
            first = next(pages)
        except BatchRefusedError as error:
            if error.code != _TOO_MANY or len(values) == 1:
                with no_batch():
                    raise
            middle = len(values) // 2
            yield from self._leads(field, values[:middle], names)
            yield from self._leads(field, values[middle:], names)
            return
        yield from first
        for page in pages:
            yield from page

    def _pages(self, asked: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
        page = self.calls.question(_LEADS, asked)
        yield results(page)
        seen: set[str] = set()
        while (token := _following(page)) is not None:
            if token in seen:
                raise RetryError("The pages of leads come around again.")
            seen.add(token)
            with no_batch():
                page = self.calls.question(_LEADS, {**asked, "nextPageToken": token})
            yield results(page)


def _parts(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), MOST_KEYS):
        yield values[start : start + MOST_KEYS]


def _following(page: Mapping[str, Any]) -> str | None:
    """Return the position of the page of leads after *page*; None = it is the last.

    Raises:
        RetryError: There is one, and nobody says where.
    """
    token = page.get("nextPageToken")
    if page.get("moreResult", bool(token)) is not True:
        return None
    if not isinstance(token, str) or not token:
        raise RetryError("The pages of leads have more, and do not say where.")
    return token


def _changed(activities: Sequence[Mapping[str, Any]]) -> dict[str, datetime | None]:
    """Return when each lead last changed, by Marketo's id; None where no moment can be read."""
    newest: dict[str, datetime | None] = {}
    for one in activities:
        number, at = one.get("leadId"), moment_of(str(one.get("activityDate")).replace("Z+0000", "Z"))
        if number is not None:
            known = newest.get(str(number))
            newest[str(number)] = known if at is None else max(at, known or at)
    return newest


def _record(
    key: str, leads: Sequence[Mapping[str, Any]], names: Sequence[str], *, changed_at: datetime | None = None
) -> Record:
    held = {name: next((word for lead in leads if (word := as_text(lead.get(name)))), None) for name in names}
    return Record(key, held, changed_at)


def _folded(value: object) -> str:
    return str(value).casefold()


def _token(cursor: str) -> str:
    """Return the position that a cursor names; empty where it names none."""
    try:
        told = json.loads(cursor) if cursor else {}
    except ValueError:
        return ""
    token = told.get("token") if isinstance(told, dict) else None
    return token if isinstance(token, str) else ""
