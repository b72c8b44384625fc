"""A shop whose exports come day by day and that is scored by a points card: nights are run on it."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from pipeline.score_store import ScoreStore
from pipeline.settings import Settings, load
from pipeline.workspace import Workspace
from support.little_shop import FIELDS

LEADS = 20
EVENTS_A_DAY = 60
FIRST_DAY = date(2024, 3, 1)
HISTORY = 36
"""Days of exports that are there before the first night: four weeks to compare a day with, and a few more."""
_CARD = (
    "base: 0\ncaps: {fit: 50, engagement: 50, total: 100}\ngrades: {a: 60, b: 40, c: 20}\n"
    "temperatures: {hot: 50, warm: 25}\nrules:\n"
    "  - {name: came by, group: engagement, points: 1, table: events, within: 7, per: each}\n"
    "  - {name: bought, group: fit, points: 5, table: orders, within: ever, per: each}\n"
)
_RAW: dict[str, Any] = {
    "shop": {"name": "Night shop"},
    "tables": {
        "orders": {
            "path": "orders-*.csv",
            "columns": {"lead_id": "who", "ordered_at": {"column": "day", "type": "date"}},
        },
        "events": {
            "path": "events-*.csv",
            "columns": {"lead_id": "who", "occurred_at": {"column": "day", "type": "date"}},
        },
    },
    "points": {"card": "points.yaml"},
    "crm": {"crm": {"fields": FIELDS}},
}


class NightShop:
    """Files, config and workspace of the shop.

    Args:
        folder: Where it lies.
        changed: Sections of the config in place of the usual ones.
    """

    def __init__(self, folder: Path, **changed: Any) -> None:
        self.folder = folder
        self.path = folder / "leadlight.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "points.yaml").write_text(_CARD)
        self.configure(**changed)
        self.write_days(range(HISTORY))

    def configure(self, **changed: Any) -> None:
        """Write the config anew."""
        self.path.write_text(yaml.safe_dump({**deepcopy(_RAW), **changed}, sort_keys=False), encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """The config as it stands."""
        return load(self.path)

    @property
    def store(self) -> ScoreStore:
        """The scores."""
        return ScoreStore(Workspace(self.folder / "workspace"))

    def write_days(
        self, numbers: Iterable[int], *, name: str = "day", events: int = EVENTS_A_DAY, orders: int = 3
    ) -> None:
        """Let the exports of some days arrive; who does what changes from day to day."""
        for number in numbers:
            day = FIRST_DAY + timedelta(days=number)
            came = [f"L{(lead * (lead + number)) % LEADS:02d},{day},view" for lead in range(events)]
            bought = [f"L{(number + lead) % LEADS:02d},{day},10" for lead in range(orders)]
            self._write(f"events-{day}-{name}.csv", ["who,day,type", *came])
            self._write(f"orders-{day}-{name}.csv", ["who,day,amount", *bought])

    def stored(self) -> dict[int, list[dict[str, Any]]]:
        """Return the scores of every stored moment, but for when they were made."""
        return {run.as_of: _rows(self.store, run) for run in self.store.runs()}

    def _write(self, name: str, lines: list[str]) -> None:
        if len(lines) > 1:
            (self.folder / name).write_text("\n".join(lines) + "\n")


def before_dawn(number: int) -> datetime:
    """Return the moment at which the night after a day of the shop is run."""
    return datetime.combine(FIRST_DAY + timedelta(days=number + 1), time(3), UTC)


def _rows(store: ScoreStore, run: Any) -> list[dict[str, Any]]:
    return store.read(run).drop_columns(["scored_at"]).sort_by("lead_id").to_pylist()
