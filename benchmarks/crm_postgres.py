"""``python -m benchmarks.crm_postgres [--quick]``: a million rows upserted into PostgreSQL, killed and resumed.

Debian's server is started for this alone. First `leadlight publish` writes all leads into an empty table, and is timed.
Then every score moves, and the command that writes them is killed (SIGKILL) while it sends, when shares of the batches
that are drawn evenly have been answered, and started again, until it ends by itself. At last every row of the table is
held against what the ledger says stands there.

Ends with 0 when they agree, row by row and value by value, every lead is accounted for, the run was killed as often as
asked for and taken up again each time, and the command stayed within 500 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, create_engine, text

from benchmarks.crm.commands import STAND_INS, Published, publish
from benchmarks.crm.places import PLACES

_MOST_MB = 500
_AT_ONCE = 20_000
_NIGHTS = 2
"""Runs that the ledger knows where none was planned anew."""


def main() -> int:
    """Write, kill, resume, compare; return 0 when all agrees (a quick run may end before it is killed)."""
    asked = _asked()
    sys.path.insert(0, str(STAND_INS))
    from support.databases import postgresql_server

    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, postgresql_server() as server:
        told = _measured(Path(folder), server.database(), asked)
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(_table(told))
    sys.stdout.write(json.dumps(told) + "\n")
    agrees = told["rows"] == told["agree"] and told["is_accounted"]
    is_shown = told["kills"] == asked.kills and told["is_resumed"] and told["peak_mb"] <= _MOST_MB
    return 0 if agrees and (asked.quick or is_shown) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crm_postgres", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 leads, killed once")
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the shop is made; by default the system's")
    asked = parser.parse_args()
    if asked.quick:
        asked.leads, asked.kills = 1_000, 1
    return asked


def _measured(folder: Path, url: str, asked: argparse.Namespace) -> dict[str, Any]:
    from support.little_shop import LittleShop

    environment = {"LEADLIGHT_SQL_URL": url}
    target = {**PLACES["sqlite"].config(""), "connect": {"table": "scored"}}
    shop = LittleShop(folder / "shop", leads=asked.leads, crm={"table": target})
    publish(shop.path, "--setup", environment=environment)
    shop.score_all_free(0)
    first = publish(shop.path, environment=environment)
    shop.score(1, _moved(shop.free_scores(1)))
    file = shop.settings.shop.workspace / "ledger.db"
    ended = _killed_and_resumed(shop.path, environment, asked, file)
    server = create_engine(url)
    ledger = create_engine(f"sqlite:///{file}")
    rows, agree = _agreement(ledger, server)
    with ledger.connect() as connection:
        n_runs = connection.execute(text("SELECT count(*) FROM ledger_runs")).scalar_one()
    tallies = [_target(one)["tally"] for one in (first, ended[-1])]
    server.dispose()
    ledger.dispose()
    return {
        "leads": asked.leads,
        "first_seconds": first.seconds,
        "first_written": tallies[0]["written"],
        "second_seconds": [one.seconds for one in ended],
        "kills": sum(one.code == -9 for one in ended),
        "is_resumed": _target(ended[-1])["is_resumed"] and n_runs == _NIGHTS,
        "rows": rows,
        "agree": agree,
        "is_accounted": all(
            tally["written"] + tally["unchanged"] + tally["held"] == tally["given"] for tally in tallies
        ),
        "peak_mb": max(one.peak_mb for one in (first, *ended)),
    }


def _moved(scores: pa.Table) -> pa.Table:
    """Return scores of which each is so far from what it was that it is written again."""
    score = scores["score"]
    far = pc.if_else(pc.less(score, 50), pc.add(score, 50), pc.subtract(score, 50))
    return scores.set_column(scores.schema.get_field_index("score"), "score", pc.cast(far, score.type))


def _killed_and_resumed(
    config: Path, environment: dict[str, str], asked: argparse.Namespace, ledger: Path
) -> list[Published]:
    """Run the command until it ends by itself, killed before as often as asked for."""
    draws = random.Random(asked.seed)  # noqa: S311 - when a process is killed is no secret
    ended: list[Published] = []
    for share in sorted(draws.random() for _ in range(asked.kills)):
        ended.append(publish(config, environment=environment, kill_when=lambda: _answered(ledger) > share))  # noqa: B023 - asked in its own turn
        if ended[-1].code != -9:
            return ended
    return [*ended, publish(config, environment=environment)]


def _answered(ledger: Path) -> float:
    """Return which share of the batches of the run that is open was answered; 0 where none is."""
    wanted = (
        "SELECT avg(state = 'done') FROM ledger_batches "
        "WHERE run_id = (SELECT max(id) FROM ledger_runs WHERE state = 'open')"
    )
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        return connection.execute(wanted).fetchone()[0] or 0.0


def _target(done: Published) -> dict[str, Any]:
    return (done.report or {})["targets"][0]


def _agreement(ledger: Engine, server: Engine) -> tuple[int, int]:
    """Return how many leads stand in the ledger or in the table, and for how many both say the same."""
    rows = agree = 0
    known, table = _standing(ledger), _written(server)
    ours, theirs = next(known, None), next(table, None)
    while ours is not None or theirs is not None:
        rows += 1
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            ours = next(known, None)
        elif ours is None or theirs[0] < ours[0]:
            theirs = next(table, None)
        else:
            agree += ours == theirs
            ours, theirs = next(known, None), next(table, None)
    return rows, agree


def _standing(ledger: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the ledger says stands, by lead."""
    wanted = text("SELECT lead_id, payload FROM ledger_standing WHERE payload IS NOT NULL ORDER BY lead_id")
    with ledger.connect() as connection:
        for lead_id, payload in connection.execution_options(yield_per=_AT_ONCE).execute(wanted):
            yield lead_id, {name: _plain(value) for name, value in json.loads(payload).items()}


def _written(server: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the table holds, by lead; in the order of bytes, as the ledger's."""
    names = list(PLACES["sqlite"].config("")["fields"])
    last = ""
    while True:
        wanted = text(
            f"SELECT leadlight_key, {', '.join(names)} FROM scored "  # noqa: S608 - names of ours
            'WHERE leadlight_key COLLATE "C" > :last ORDER BY leadlight_key COLLATE "C" LIMIT :most'
        )
        with server.connect() as connection:
            found = connection.execute(wanted, {"last": last, "most": _AT_ONCE}).all()
        if not found:
            return
        last = found[-1][0]
        for key, *values in found:
            yield key, {name: _plain(value) for name, value in zip(names, values, strict=True)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return a value as both sides tell it."""
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return float(value) if isinstance(value, int | float) or hasattr(value, "as_tuple") else value


def _table(told: dict[str, Any]) -> Table:
    table = Table(title="leads upserted into PostgreSQL", title_justify="left")
    for name in (
        "leads",
        "written, seconds",
        "killed",
        "resumed",
        "runs of the second night, seconds",
        "rows",
        "agree",
        "peak MB",
    ):
        table.add_column(name, justify="right")
    table.add_row(
        f"{told['leads']:,}",
        f"{told['first_written']:,}, {told['first_seconds']:.0f}",
        str(told["kills"]),
        "yes" if told["is_resumed"] else "no",
        ", ".join(f"{seconds:.0f}" for seconds in told["second_seconds"]),
        f"{told['rows']:,}",
        f"{told['agree']:,}",
        f"{told['peak_mb']:.0f}",
    )
    return table


if __name__ == "__main__":
    sys.exit(main())
