"""What Marketo says of the records of one call, one answer each, in the order asked.

Marketo's codes of single records have four digits. Whatever else is said of a record is no record's fault: it is what a
call is refused with as a whole, met in the midst of it. Said of all records it stops, as it does for a call; said of
some it passes with the next call, or stops that. A field that is gone (1006) is missing for all rows, since all have
the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.crm.connectors.marketo.verdicts import STOPPING, TRANSIENT, TURNED_AWAY, stop_of
from pipeline.crm.connectors.marketo.wording import words_of_row
from pipeline.crm.promise import Answer, Outcome, Row
from pipeline.crm.trouble import StopError

_WRITTEN: Final = frozenset({"created", "updated"})
_OF_A_RECORD: Final = re.compile(r"1\d{3}")
_NO_SUCH_FIELD: Final = "1006"
_OF_ALL: Final = frozenset({_NO_SUCH_FIELD, "1009", "1011"})
"""Codes of records that tell of the fields and the partition, which all rows share."""
_FEWEST: Final = 2
"""Records that must say the same before it counts as said of the call."""


@dataclass(frozen=True)
class RowAnswers:
    """Reads what Marketo says of records.

    Args:
        key: The field that tells leads apart.
        secrets: What no words may show.
    """

    key: str
    secrets: Callable[[], Iterable[str]]

    def of(self, rows: Sequence[Row], told: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Return one answer for each of *rows*.

        Raises:
            StopError: No row is at fault.
        """
        if len(told) != len(rows):
            # Answers are told apart by their place alone, so with one missing none can be trusted.
            words = f"{len(told)} answers came for {len(rows)} rows"
            return [Answer(row.key, Outcome.RETRY, words=words) for row in rows]
        answers = [self._answer(row, one) for row, one in zip(rows, told, strict=True)]
        self._require_rows_at_fault(rows, answers)
        return answers

    def is_of_a_field(self, words: str, row: Row) -> bool:
        """Return whether *words* say that a field which is written with *row* is not there."""
        named = re.search(r"[Ff]ield '(\w+)' not found", words)
        return named is not None and (named[1] in row.fields or named[1] == self.key)

    def _answer(self, row: Row, told: Mapping[str, Any]) -> Answer:
        status = str(told.get("status") or "")
        if status in _WRITTEN:
            return Answer(row.key, Outcome.WRITTEN)
        reasons = told.get("reasons")
        reason = reasons[0] if isinstance(reasons, list) and reasons and isinstance(reasons[0], dict) else {}
        code = str(reason.get("code") or "")
        words = words_of_row(reason.get("message") or status, row, hidden=self.secrets())
        is_for_good = _OF_A_RECORD.fullmatch(code) and code not in TURNED_AWAY | TRANSIENT
        return Answer(row.key, Outcome.REJECTED if is_for_good else Outcome.RETRY, words=words, code=code)

    def _require_rows_at_fault(self, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        """Raise where it is the call that is refused, or a field of all rows that is not there."""
        for row, answer in zip(rows, answers, strict=True):
            if answer.code == _NO_SUCH_FIELD and self.is_of_a_field(answer.words, row):
                raise _stop(answer)
        first = answers[0]
        if len(answers) < _FEWEST or any(answer.code != first.code for answer in answers):
            return
        if first.code in STOPPING and (first.outcome is Outcome.RETRY or first.code in _OF_ALL):
            raise _stop(first)


def _stop(answer: Answer) -> StopError:
    return stop_of(answer.code, f"{answer.code} {answer.words}")
