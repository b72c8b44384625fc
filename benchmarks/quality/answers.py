"""Asks everyone about every task, and remembers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality import ours
from benchmarks.quality import rows as rows_made
from benchmarks.quality.cache import code_of, code_of_models, remembered
from benchmarks.quality.peers import PEERS
from benchmarks.quality.rows import Floats, rows_of
from benchmarks.quality.task import Task


@dataclass(frozen=True)
class Budget:
    """What everyone may use.

    Attributes:
        threads: Threads.
        seconds: For a peer that searches.
    """

    threads: int
    seconds: int


def answers(
    task: Task, peers: Sequence[str], *, cache: Path, budget: Budget, notify: Callable[[str], None]
) -> Mapping[str, Floats]:
    """Return the log-odds of the test rows by Leadlight and by each of *peers*.

    Args:
        task: What is asked.
        peers: Names of `PEERS`.
        cache: Where answers are kept.
        budget: What everyone may use.
        notify: Told who is asked.
    """
    fingerprint = task.fingerprint()
    notify(f"{task.name}: {ours.NAME}")
    said = {
        ours.NAME: remembered(
            cache,
            f"{task.name}-{ours.NAME}",
            key=f"{fingerprint} {code_of(ours)} {code_of_models()}",
            ask=lambda: ours.log_odds(task, threads=budget.threads),
        )
    }
    rows = rows_of(task, threads=budget.threads, seconds=budget.seconds)
    for name in peers:
        notify(f"{task.name}: {name}")
        peer = PEERS[name]
        code = code_of(inspect.getmodule(peer) or inspect, rows_made)
        seconds = budget.seconds if name == "flaml" else ""
        said[name] = remembered(
            cache, f"{task.name}-{name}", key=f"{fingerprint} {code} {seconds}", ask=lambda peer=peer: peer(rows)
        )
    return said
