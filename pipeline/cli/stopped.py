"""Ctrl+C: what is left behind, in words, and the exit code that says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from pipeline.exit_codes import STOPPED_BY_HAND


@contextmanager
def told_when_stopped(left: Callable[[], str]) -> Iterator[None]:
    """Say what Ctrl+C leaves behind, which *left* returns."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {left()}", err=True)
        raise typer.Exit(STOPPED_BY_HAND) from None
