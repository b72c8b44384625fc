"""Twenty readers on the threads of one process, asking the reading API itself: what pages cost without a web app."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.app.mix import Reader, Wish
from benchmarks.app.until import Until
from features.moments import from_us
from pipeline.published.asks import Ask, Cursor
from pipeline.published.editions import Edition, Published
from pipeline.workspace import Workspace


@dataclass
class Measured:
    """What readers saw.

    Attributes:
        seconds: Per kind of ask, how long each took.
        errors: What went wrong, in words.
        mixed: Answers that were not all of one run.
        editions: The editions that were seen.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    mixed: int = 0
    editions: set[str] = field(default_factory=set)

    def add(self, kind: str, seconds: float) -> None:
        """Keep one answer's seconds."""
        self.seconds.setdefault(kind, []).append(seconds)


def read_for(
    root: Path, keys: Sequence[int], *, seconds: float, readers: int, think_s: float, editions: int = 1
) -> Measured:
    """Let readers ask the API of a workspace for some time and return what they saw.

    Args:
        root: The workspace.
        keys: Keys of the leads that are opened.
        seconds: How long at least.
        readers: How many, each on a thread of its own.
        think_s: Mean seconds between two asks of one reader.
        editions: They read on until they have seen so many.
    """
    published, measured = Published(Workspace(root)), Measured()
    ask_once(published, keys, Reader(0, 0.0), measured)  # the first ask pays for opening files
    measured.seconds.clear()
    until = Until(seconds, measured.editions, editions)
    threads = [
        threading.Thread(target=_read, args=(published, keys, Reader(seed, think_s), measured, until))
        for seed in range(1, readers + 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return measured


def _read(published: Published, keys: Sequence[int], reader: Reader, measured: Measured, until: Until) -> None:
    time.sleep(reader.thinks())
    while until.goes_on():
        ask_once(published, keys, reader, measured)
        time.sleep(reader.thinks())


def ask_once(published: Published, keys: Sequence[int], reader: Reader, measured: Measured) -> None:
    """Ask one thing, check that the answer is of one run, and keep how long it took."""
    wish = reader.wishes()
    work: Callable[[Edition], bool] = _lead(keys[reader.chosen(len(keys))]) if wish.kind == "lead" else _page(wish)
    began = time.perf_counter()
    try:
        edition = published.open()
        is_whole = work(edition)
    except Exception as error:  # noqa: BLE001 - every error counts, whatever it is
        measured.errors.append(f"{wish.kind}: {type(error).__name__}: {error}")
        return
    measured.add(wish.kind, time.perf_counter() - began)
    measured.editions.add(edition.id)
    measured.mixed += not is_whole


def _page(wish: Wish) -> Callable[[Edition], bool]:
    def work(edition: Edition) -> bool:
        after = Cursor("rank", int(wish.depth * edition.run.rows)) if wish.kind == "deep page" else None
        page = edition.page(Ask(**wish.filters, text=wish.text, sort=wish.sort, after=after))
        return {row.as_of for row in page.rows} <= {from_us(edition.run.as_of)}

    return work


def _lead(key: int) -> Callable[[Edition], bool]:
    def work(edition: Edition) -> bool:
        rows, history = edition.lead(key), edition.history(key)
        edition.listed(key)
        moment = from_us(edition.run.as_of)
        return {row["as_of"] for row in rows} == {moment} and history[-1].as_of == moment

    return work
