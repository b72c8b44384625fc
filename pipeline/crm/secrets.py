"""Secrets that a CRM's words may repeat: none of them reaches the screen, the ledger or a file.

What a connector looks up in the environment is a secret, and so is a token that it was given for that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pipeline.crm.promise import Answer, Changes, Connector, CrmField, Misplaced, Missing, Record, Row, Ticket
from pipeline.crm.said import HIDDEN
from pipeline.crm.trouble import BatchRefusedError, StopError, TroubleError

_SHORTEST: Final = 4
"""Characters of a secret from which on it is hidden: a shorter one stands in words that have nothing to do with it."""


class Secrets:
    """The secrets of one target; several threads may add to them."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def add(self, secret: str) -> None:
        """Hide *secret* from now on."""
        plain = secret.strip()
        if len(plain) < _SHORTEST or plain in self._known:
            return
        with self._lock:
            # The longest first: one may be the beginning of another.
            self._known = tuple(sorted({*self._known, plain}, key=len, reverse=True))

    def hidden(self, text: str) -> str:
        """Return *text* without them, also where words that were too long were cut within one."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        *cut, rest = text.split(HIDDEN)
        return HIDDEN.join([*map(self._without_beginning, cut), rest])

    def _without_beginning(self, words: str) -> str:
        """Return *words* without the beginning of a secret at their end."""
        for secret in self._known:
            at = words.find(secret[:_SHORTEST], max(0, len(words) - len(secret)))
            while at >= 0:
                if secret.startswith(words[at:]):
                    return words[:at]
                at = words.find(secret[:_SHORTEST], at + 1)
        return words

    def __repr__(self) -> str:
        """Name none."""
        return "Secrets(…)"


class LookedUp(Mapping[str, str]):
    """An environment, of which every value that is looked up is a secret.

    Args:
        environment: The environment.
        secrets: Where they are added.
    """

    def __init__(self, environment: Mapping[str, str], secrets: Secrets) -> None:
        self._environment, self._secrets = environment, secrets

    def __getitem__(self, name: str) -> str:
        """Return the value of *name*, a secret from now on."""
        found = self._environment[name]
        self._secrets.add(found)
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._environment)

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._environment)

    def __repr__(self) -> str:
        """Name no value."""
        return "LookedUp(…)"


class Masked:
    """A connector whose words are told without secrets.

    Args:
        connector: The connector.
        secrets: What is hidden.
    """

    def __init__(self, connector: Connector, secrets: Secrets) -> None:
        self._connector, self._secrets = connector, secrets

    @property
    def at_once(self) -> int:
        """See `pipeline.crm.promise.Connector`, as for all others."""
        return self._connector.at_once

    def batch_size(self, n_rows: int) -> int:
        """Return the rows of a batch."""
        return self._connector.batch_size(n_rows)

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what does not fit."""
        with self._masking():
            return [self._line(line) for line in self._connector.check(fields)]

    def setup(self, fields: Sequence[CrmField]) -> list[str]:
        """Create what is missing."""
        with self._masking():
            return [self._secrets.hidden(line) for line in self._connector.setup(fields)]

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Write rows."""
        with self._masking():
            return [self._answer(answer) for answer in self._connector.send(rows, ticket)]

    def abandon(self, ticket: str) -> None:
        """End a job."""
        with self._masking():
            self._connector.abandon(ticket)

    def finish(self) -> None:
        """Make what was staged count."""
        with self._masking():
            self._connector.finish()

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what records hold."""
        with self._masking():
            return self._connector.read(keys, names)

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return what changed."""
        with self._masking():
            return self._connector.changes(cursor, names)

    def close(self) -> None:
        """Let go of connections and files."""
        self._connector.close()

    @contextmanager
    def _masking(self) -> Iterator[None]:
        try:
            yield
        except TroubleError as error:
            error.words = self._secrets.hidden(error.words)
            error.args = (error.words,)
            if isinstance(error, StopError):
                error.hint = self._secrets.hidden(error.hint)
            if isinstance(error, BatchRefusedError):
                error.code = self._secrets.hidden(error.code)
            raise

    def _line(self, line: str) -> str:
        kind = type(line) if isinstance(line, (Missing, Misplaced)) else str
        return kind(self._secrets.hidden(line))

    def _answer(self, answer: Answer) -> Answer:
        if not (answer.words or answer.code):
            return answer
        return replace(answer, words=self._secrets.hidden(answer.words), code=self._secrets.hidden(answer.code))
