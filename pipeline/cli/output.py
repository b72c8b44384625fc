"""Results go to stdout: tables and sentences for people, or one JSON document for programs."""

import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

Report = TypeVar("Report")
#: Wide enough for a table of ten columns where no terminal says how wide it is.
_WIDTH_WITHOUT_TERMINAL = 120


def show(report: Report, render: Callable[["Console", Report], None], *, as_json: bool, then: str = "") -> None:
    """Print *report* as JSON, or let *render* write it for people.

    Args:
        report: What a library function returned.
        render: Writes the report onto a console.
        as_json: Whether a program reads along.
        then: What people type next, where the order of commands says so.
    """
    if as_json:
        sys.stdout.write(as_json_text(report) + "\n")
        return
    console = console_on_stdout()
    render(console, report)
    if then:
        console.print(f"\nNext: {then}", markup=False, soft_wrap=True)


def console_on_stdout() -> "Console":
    """Return a console as wide as the terminal; without one, wide enough for a table."""
    from rich.console import Console

    has_width = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, emoji=False, width=None if has_width else _WIDTH_WITHOUT_TERMINAL)


def as_json_text(report: object) -> str:
    """Return *report* as JSON that every reader accepts: no NaN, times in ISO 8601."""
    return json.dumps(plain(report), indent=2, ensure_ascii=False, allow_nan=False)


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return *value* in the words of JSON.

    A number that is not finite becomes null, a time its ISO text, a path or anything else its text.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return _plain_leaf(value)


def _plain_leaf(value: object) -> Any:  # noqa: ANN401
    """Return one value that holds no others, or an array as a list."""
    if isinstance(value, float):  # numpy's double is one too
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    for to_python in ("tolist", "to_pylist"):  # numpy and Arrow
        if hasattr(value, to_python):
            return plain(getattr(value, to_python)())
    return str(value)
