"""Progress of long work, drawn on stderr where a person watches, or logged where one asked for that."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.progress import NEWS, Progress, silent

if TYPE_CHECKING:
    from rich.progress import TaskID

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listener:
    """Who is told of progress.

    Attributes:
        tell: Draws or logs it.
        paused: While this is entered nothing is drawn, so that a person can be asked.
    """

    tell: Progress
    paused: Callable[[], AbstractContextManager[object]] = nullcontext

    def __call__(self, step: str, done: int, total: int) -> None:
        """Tell that a step has come so far."""
        self.tell(step, done, total)


@contextmanager
def shown_on_stderr() -> Iterator[Listener]:
    """Give a listener: under --verbose it logs steps, on a terminal it draws a bar for each, else it keeps quiet."""
    if _log.isEnabledFor(logging.INFO):
        yield Listener(_log_new_steps())
        return
    if not sys.stderr.isatty():
        yield Listener(silent)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    steps: dict[str, TaskID] = {}
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:

        def draw(step: str, done: int, total: int) -> None:
            name = step.partition(NEWS)[0]
            if name not in steps:
                steps[name] = bars.add_task(step, total=total or None)
            bars.update(steps[name], description=step, completed=done, total=total or None)

        @contextmanager
        def paused() -> Iterator[None]:
            bars.stop()
            try:
                yield
            finally:
                bars.start()

        yield Listener(draw, paused)


def _log_new_steps() -> Progress:
    begun: set[str] = set()

    def log(step: str, _done: int, _total: int) -> None:
        if step not in begun:
            begun.add(step)
            _log.info("%s", step)

    return log
