"""Places without a network take no time: processes that are to be killed there write in smaller steps, and slowly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

_HALF_S: Final = 0.03


def of_tables() -> None:
    """Let each transaction of this process take a while."""
    from pipeline.crm.connectors.sql import SqlConnector

    SqlConnector.send = _slowly(SqlConnector.send)  # type: ignore[method-assign]


def of_files() -> None:
    """Let this process lay small parts, and take a while for each."""
    from pipeline.crm.connectors.file import FileConnector

    FileConnector.batch_size = lambda *_: 100  # type: ignore[method-assign]
    FileConnector.send = _slowly(FileConnector.send)  # type: ignore[method-assign]


def _slowly(send: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*arguments: Any) -> Any:
        time.sleep(_HALF_S)
        answers = send(*arguments)
        time.sleep(_HALF_S)
        return answers

    return slow
