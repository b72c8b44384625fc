"""Leads written by calls that answer row by row: at most 300 records and 1 MB each, answers in the order asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.crm.connectors.marketo.calls import Calls, results
from pipeline.crm.connectors.marketo.row_answers import RowAnswers
from pipeline.crm.http import UnansweredError
from pipeline.crm.promise import Answer, Outcome, Row
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

MOST_RECORDS: Final = 300
MOST_BYTES: Final = 1_000_000
ID: Final = "id"
"""Marketo's own key: it finds leads and creates none."""
_PATH: Final = "/rest/v1/leads.json"
_REFUSES_ALL: Final = (
    "Marketo refuses every call, whatever it holds: check connect.base_url and what stands on the way."
)


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
            StopError: It is not these rows that are refused.
        """
        said = RowAnswers(self.key, self.secrets)
        answers = [_no_id(row) for row in rows if self.key == ID and not _is_id(row.key)]
        good = rows if not answers else [row for row in rows if _is_id(row.key)]
        for part, content in self._parts(good):
            answers += said.of(part, self._sent(part, content))
        return answers

    def _sent(self, rows: Sequence[Row], content: bytes) -> list[dict[str, Any]]:
        try:
            return results(self.calls.order(_PATH, content, is_repeatable=not self.may_create))
        except UnansweredError as error:
            raise RetryError(error.words, after_s=self.after_cut_s) from error
        except BatchRefusedError as error:
            if len(rows) == 1:
                self._require_row_at_fault(error)
            raise

    def _require_row_at_fault(self, refused: BatchRefusedError) -> None:
        """Raise where a call that holds nothing of a row is refused as well: halving would turn all rows away."""
        nobody = {self.key: 0 if self.key == ID else "0"}  # without fields and leave to create it changes nothing
        content = json.dumps({"action": "updateOnly", "lookupField": self.key, "input": [nobody]}).encode()
        try:
            self.calls.order(_PATH, content)
        except BatchRefusedError as error:
            raise StopError(refused.words, reason=StopReason.SETUP, hint=_REFUSES_ALL) from error

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


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit()


def _no_id(row: Row) -> Answer:
    return Answer(row.key, Outcome.REJECTED, words="Marketo's id is a whole number, which this key is not")
