"""Progress of long work, drawn on stderr where a person watches."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def shown_on_stderr() -> Iterator[Progress]:
    """Give a listener that draws one bar per step; without a terminal it keeps quiet."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    steps: dict[str, TaskID] = {}
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:

        def draw(step: str, done: int, total: int) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step, total=total or None)
            bars.update(steps[step], completed=done, total=total or None)

        yield draw
