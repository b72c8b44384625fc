"""Asking a person before something large happens."""

import sys
from collections.abc import Callable

import typer

from pipeline.cli.progress import Listener


def asker(listener: Listener, *, yes: bool) -> Callable[[str], bool]:
    """Return who answers questions: --yes, a person at a terminal, or nobody, which means no.

    Args:
        listener: Draws nothing while a person is asked.
        yes: Whether every answer is yes.

    Returns:
        What gives the answer to a question; it raises KeyboardInterrupt where the person stops instead.
    """

    def ask(question: str) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            return False
        try:
            with listener.paused():
                return typer.confirm(question, err=True)
        except typer.Abort:  # Ctrl+C, or nothing more will be typed: no answer, but a stop as at any other moment
            raise KeyboardInterrupt from None

    return ask
