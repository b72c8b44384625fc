"""Work that needs much memory for a moment, done in a process of its own: what it took goes away with it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from features.errors import LeadlightError, not_finished

T = TypeVar("T")


def apart(work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - whatever *work* takes
    """Return what *work* returns of *arguments*; all of it can be pickled.

    Raises:
        LeadlightError: What *work* raised.
        NotFinishedError: The process was killed.
        RuntimeError: *work* failed otherwise; its traceback is on stderr.
    """
    # A fork of a process that has threads may wait for ever; a new one begins with none.
    context = get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_worked, args=(writer, work, arguments), daemon=True)
    with reader:
        with writer:
            process.start()
        try:
            told, error = reader.recv()
        except (EOFError, OSError):  # an OSError: it was killed in the middle of what it told
            process.join()
            raise _ended(process.exitcode) from None
    process.join()
    if error is not None:
        raise error
    result: T = told
    return result


def _worked(writer: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # Ctrl+C reaches both processes; the one that waits tells it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told: tuple[Any, LeadlightError | None]
    try:
        told = (work(*arguments), None)
    except LeadlightError as error:
        told = (None, error)
    with suppress(BrokenPipeError):  # nobody waits any more
        writer.send(told)


def _ended(code: int | None) -> Exception:
    if code is not None and code < 0:
        hint = "see that the machine has memory left, then run the same command again; nothing is lost."
        return not_finished(f"A process that worked for this one was ended by signal {-code}.", hint=hint)
    return RuntimeError(f"a process that worked for this one ended with {code}")
