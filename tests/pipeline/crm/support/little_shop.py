"""A shop whose leads are scored without a model: runs of any size, night after night, and a config with targets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from benchmarks.app.leads import Leads, night_of
from features.catalog import Feature, Phrase, as_dict
from features.moments import from_us
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.settings import Settings, load
from pipeline.workspace import Workspace

VERSION = "points-0123456789ab"
FEATURES = (
    Feature(
        "orders_count_30d", "purchase", "number", "count", "orders", Phrase("{n} orders", one="1 order"), "Orders."
    ),
    Feature(
        "sessions_count_7d", "engagement", "number", "count", "sessions", Phrase("{n} visits in 7 days"), "Visits."
    ),
)
FIELDS = {
    "leadlight_score": "score",
    "leadlight_grade": "grade",
    "leadlight_probability": "probability",
    "leadlight_action": "next_action",
    "leadlight_reasons": {"from": "reasons", "length": 200},
    "leadlight_as_of": "as_of",
}
"""What a target is given, of every type that there is."""
FILE = {
    "kind": "file", "key": "lead_id", "create": True, "fields": {"score": "score", "grade": "grade"},
    "connect": {"path": "scored.csv"},
}  # fmt: skip
"""A target that is a file."""
CARD = (
    "base: 0\ncaps: {fit: 50, engagement: 50, total: 100}\ngrades: {a: 60, b: 40, c: 20}\n"
    "temperatures: {hot: 50, warm: 25}\nrules:\n"
    "  - {name: bought, group: fit, points: 5, table: orders, within: ever, per: each}\n"
)


class LittleShop:
    """One shop with scored leads.

    Args:
        folder: Where it lies.
        leads: How many it has.
        crm: The section of the config.
        publish: Another section of it.
    """

    def __init__(self, folder: Path, *, leads: int, crm: dict[str, Any], publish: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.path = folder / "leadlight.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(crm, publish)
        self.leads = Leads(leads, features=FEATURES, version=VERSION)
        card = self.settings.shop.workspace / "points" / f"{VERSION}.json"
        card.parent.mkdir(parents=True, exist_ok=True)
        card.write_text(json.dumps({"card": CARD, "words": [as_dict(feature) for feature in FEATURES]}))

    def configure(self, crm: dict[str, Any], publish: dict[str, Any] | None = None) -> None:
        """Write the config anew."""
        tables = {"leads": {"path": "leads.csv"}, "orders": {"path": "orders.csv"}}
        raw = {"shop": {"name": "Little shop"}, "tables": tables, "crm": crm, "publish": publish or {}}
        self.path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """The config as it stands."""
        return load(self.path)

    @property
    def store(self) -> ScoreStore:
        """The scores."""
        return ScoreStore(Workspace(self.settings.shop.workspace))

    def score(self, night: int, scores: pa.Table | None = None) -> StoredRun:
        """Store and publish the scores of a night, or those given."""
        run = self.store.add(
            self.leads.scores(night) if scores is None else scores,
            as_of=night_of(night),
            model_version=VERSION,
            scored_at=self.morning(night),
        )
        self.store.publish(run)
        return run

    def free_scores(self, night: int) -> pa.Table:
        """Return the scores of a night in which nobody is held."""
        return self.leads.free_scores(night)

    def free_ids(self, night: int = 0) -> list[str]:
        """Return the ids of the leads that nothing holds in a night."""
        scores = self.leads.scores(night)
        return scores.filter(pc.equal(pc.list_value_length(scores["held"]), 0))["lead_id"].to_pylist()

    def score_all_free(self, night: int) -> StoredRun:
        """Store and publish the scores of a night in which nobody is held."""
        return self.score(night, self.free_scores(night))

    def morning(self, night: int) -> datetime:
        """Return the moment at which the scores of a night are written."""
        return from_us(night_of(night)).astimezone(UTC) + timedelta(hours=4)


def beside_a_file(folder: Path, *, leads: int) -> LittleShop:
    """Return a shop with scores of a night in which nobody is held, and a file that they go to."""
    made = LittleShop(folder, leads=leads, crm={"leads_file": FILE})
    made.score_all_free(0)
    return made


def lead_ids(count: int) -> list[str]:
    """Return the ids of a shop's leads."""
    return [f"lead-{number:08d}" for number in range(count)]
