"""A synthetic online shop whose best possible prediction is known.

`generate` writes leads, orders, sessions, events and identities as a shop would export them,
late rows, cancellations and shared browsers included, and ``truth.parquet``: for each lead and
each as_of of the four-weekly grid, the probability of converting given what is visible then.

Why that number is the best possible. Let V be the rows visible at the start of period k
(`signals` says which, by the same two clocks, links and cancellations as the rest of Leadlight)
and p(V) the number written (`decision`). Whether the lead converts in period k is decided by
coins of period k alone, thrown with probability p(V); nothing known before as_of depends on
them, and periods do not overlap, so that no other coin moves this label. Hence
``P(converts | everything before as_of) = p(V)``; it depends on V only, so it equals
``P(converts | V)``, and no prediction made from V has a lower expected log-loss (Gibbs'
inequality) or ranks better in expectation. What is *not* visible, a lead's latent activity, rows
still on their way, visitors not yet linked, tells nothing more.

Example:
    >>> import tempfile
    >>> shop = small_shop(Path(tempfile.mkdtemp()), leads=128)
    >>> sorted(shop.paths)
    ['events', 'identities', 'leads', 'orders', 'sessions', 'truth']
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import LeadlightError, wrong_input
from pipeline.synthetic import columns, periods
from pipeline.synthetic.files import RowGroups
from pipeline.synthetic.history import History, draw_history
from pipeline.synthetic.tally import Shares, Tally, tally
from pipeline.synthetic.visitors import GROUP

TABLES = {
    "leads": columns.leads_table,
    "orders": columns.orders_table,
    "sessions": columns.sessions_table,
    "events": columns.events_table,
    "identities": columns.identities_table,
    "truth": columns.truth_table,
}
"""The files of a shop and how each is made from a run's history."""

BATCH = 256 * GROUP
MOST_LEADS = 9_999_999

Progress = Callable[[int, int], None]
"""Called with the leads done and the leads in all."""


@dataclass(frozen=True)
class SyntheticShop:
    """What was generated.

    Attributes:
        folder: Where the files lie.
        leads: How many leads there are.
        seed: What the shop was drawn from.
        paths: The file of each table and of the truth.
        rows: Number of rows in each.
        shares: What the shop is like.
    """

    folder: Path
    leads: int
    seed: int
    paths: dict[str, Path]
    rows: dict[str, int]
    shares: Shares


def generate(
    folder: Path,
    *,
    leads: int,
    seed: int,
    progress: Progress | None = None,
    batch: int = BATCH,
    threads: int = 2,
) -> SyntheticShop:
    """Write a synthetic shop into *folder*; files of an earlier one there are replaced.

    Args:
        folder: Made where it does not exist.
        leads: How many leads, 1 to 9,999,999; memory does not grow with it.
        seed: Same seed and number of leads, same bytes. The leads of a smaller shop are the
            first of a larger one (where the smaller number is a multiple of 64).
        progress: Told how many leads are done.
        batch: Leads drawn at a time, a multiple of 64; changes nothing but time and memory.
        threads: Batches drawn at once; changes nothing but time and memory.

    Returns:
        Paths, numbers of rows and shares.

    Raises:
        LeadlightError: The number of leads or the batch cannot be.
    """
    _check(leads, batch)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    files = {name: RowGroups(path) for name, path in paths.items()}
    tallies = []
    done = 0
    try:
        for drawn, counted in _drawn(leads, seed, batch=batch, threads=threads):
            for name, table in drawn.items():
                files[name].append(table)
            tallies.append(counted)
            done = min(done + batch, leads)
            if progress is not None:
                progress(done, leads)
        for file in files.values():
            file.finish()
        for file in files.values():
            file.publish()
    finally:
        for file in files.values():
            file.discard()
    rows = {name: file.rows for name, file in files.items()}
    return SyntheticShop(folder, leads, seed, paths, rows, Shares.of(tallies))


def small_shop(folder: Path, *, leads: int = 1_000, seed: int = 7) -> SyntheticShop:
    """Write a shop that tests can afford: a thousand leads in about a second."""
    return generate(folder, leads=leads, seed=seed, threads=1)


def truth(folder: Path) -> pa.Table:
    """Return the best possible prediction of each lead at each as_of.

    Args:
        folder: Of a generated shop.

    Returns:
        ``lead_id`` (string), ``as_of`` (timestamp[us, UTC]) and ``best_probability`` (0 to 1),
        sorted by lead and time; a lead has rows from the first as_of at which it exists to the
        moment of the export.
    """
    return pq.read_table(folder / "truth.parquet")


def as_ofs() -> pa.Array:
    """Return the moments for which the truth is known: 27 local midnights, four weeks apart."""
    return pa.array(periods.to_us(periods.starts())).cast(pa.timestamp("us", tz="UTC"))


def _drawn(leads: int, seed: int, *, batch: int, threads: int) -> Iterator[tuple[dict[str, pa.Table], Tally]]:
    """All batches in order, at most one more than there are threads in memory."""

    def draw(first: int) -> tuple[dict[str, pa.Table], Tally]:
        history = draw_history(seed, first, n_leads=min(batch, leads - first))
        return _tables(history), tally(history)

    waiting: deque[Future[tuple[dict[str, pa.Table], Tally]]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for first in range(0, leads, batch):
            waiting.append(pool.submit(draw, first))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _tables(history: History) -> dict[str, pa.Table]:
    return {name: table(history) for name, table in TABLES.items()}


def _check(leads: int, batch: int) -> None:
    if not 1 <= leads <= MOST_LEADS:
        raise _impossible_size(leads)
    if batch < GROUP or batch % GROUP:
        raise _impossible_batch(batch)


def _impossible_size(leads: int) -> LeadlightError:
    return wrong_input(
        f"A synthetic shop cannot have {leads:,} leads.",
        hint=f"ask for 1 to {MOST_LEADS:,}; 1,000 suit a test, 20,000 a demonstration.",
    )


def _impossible_batch(batch: int) -> LeadlightError:
    return wrong_input(
        f"Leads cannot be drawn {batch:,} at a time: they share browsers in groups of {GROUP}.",
        hint=f"take a multiple of {GROUP}, such as {BATCH:,}.",
    )
