"""Leads written by calls that answer row by row: at most 300 records and 1 MB each, answers in the order asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.crm.connectors.marketo.calls import Calls, results
from pipeline.crm.connectors.marketo.verdicts import TRANSIENT, TURNED_AWAY
from pipeline.crm.connectors.marketo.wording import words_of_row
from pipeline.crm.http import UnansweredError
from pipeline.crm.promise import Answer, Outcome, Row
from pipeline.crm.trouble import RetryError

MOST_RECORDS: Final = 300
MOST_BYTES: Final = 1_000_000
ID: Final = "id"
"""Marketo's own key: it finds leads and creates none."""
_PATH: Final = "/rest/v1/leads.json"
_WRITTEN: Final = frozenset({"created", "updated"})
_PASSES: Final = TURNED_AWAY | TRANSIENT


@dataclass(frozen=True)
class LeadSync:
    """Writes leads row by row.

    Args:
        calls: The way to Marketo.
        key: The field that tells leads apart.
        may_create: Whether a lead that is not there is created.
        partition: Where; empty = Marketo's default.
        after_cut_s: Seconds that a call whose answer was lost is given to end before the same leads are written
            again: two calls at once would create them twice.
        secrets: What no words may show.
    """

    calls: Calls
    key: str
    may_create: bool
    partition: str
    after_cut_s: float
    secrets: Callable[[], Iterable[str]]

    def send(self, rows: Sequence[Row]) -> list[Answer]:
        """Return one answer for each of *rows*.

        Raises:
            RetryError: Leads may be created, and it is not known whether they were.
            BatchRefusedError: Marketo refused a call as a whole.
        """
        answers = [_no_id(row) for row in rows if self.key == ID and not _is_id(row.key)]
        good = rows if not answers else [row for row in rows if _is_id(row.key)]
        for part, content in self._parts(good):
            answers += self._answers(part, self._sent(content))
        return answers

    def _sent(self, content: bytes) -> list[dict[str, Any]]:
        try:
            return results(self.calls.order(_PATH, content, is_repeatable=not self.may_create))
        except UnansweredError as error:
            raise RetryError(error.words, after_s=self.after_cut_s) from error

    def _parts(self, rows: Sequence[Row]) -> Iterator[tuple[list[Row], bytes]]:
        """Yield as many rows as go into one call, with its body."""
        head, tail = self._frame()
        part: list[Row] = []
        records: list[str] = []
        size = 0
        for row in rows:
            record = self._record(row)
            if part and (len(part) == MOST_RECORDS or size + len(record) > MOST_BYTES):
                yield part, (head + ",".join(records) + tail).encode()
                part, records, size = [], [], 0
            part.append(row)
            records.append(record)
            size += len(record) + 1
        if part:
            yield part, (head + ",".join(records) + tail).encode()

    def _frame(self) -> tuple[str, str]:
        said = {"action": "createOrUpdate" if self.may_create else "updateOnly", "lookupField": self.key}
        if self.may_create and self.partition:
            said["partitionName"] = self.partition
        return json.dumps(said)[:-1] + ', "input": [', "]}"

    def _record(self, row: Row) -> str:
        key = int(row.key) if self.key == ID else row.key
        return json.dumps({**row.fields, self.key: key})  # ASCII: its length is its bytes

    def _answers(self, rows: Sequence[Row], told: Sequence[Mapping[str, Any]]) -> list[Answer]:
        if len(told) != len(rows):
            # Answers are told apart by their place alone, so with one missing none can be trusted.
            words = f"{len(told)} answers came for {len(rows)} rows"
            return [Answer(row.key, Outcome.RETRY, words=words) for row in rows]
        return [self._answer(row, one) for row, one in zip(rows, told, strict=True)]

    def _answer(self, row: Row, told: Mapping[str, Any]) -> Answer:
        status = told.get("status")
        if status in _WRITTEN:
            return Answer(row.key, Outcome.WRITTEN)
        reasons = told.get("reasons")
        reason = reasons[0] if isinstance(reasons, list) and reasons and isinstance(reasons[0], dict) else {}
        code = str(reason.get("code") or "")
        words = words_of_row(reason.get("message") or status, row, hidden=self.secrets())
        is_for_good = bool(code) and code not in _PASSES
        return Answer(row.key, Outcome.REJECTED if is_for_good else Outcome.RETRY, words=words, code=code)


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit()


def _no_id(row: Row) -> Answer:
    return Answer(row.key, Outcome.REJECTED, words="Marketo's id is a whole number, which this key is not")
