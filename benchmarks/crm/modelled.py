"""A shop with a trained model and tables, whose holds are asked anew before writing, among a million scored leads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.app.leads import night_of
from benchmarks.app.trained import leads_of, make_shop, settings_of
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace

_WITH_TABLES: Final = 50_000


class ModelledShop:
    """One shop.

    Args:
        folder: Where it lies.
        leads: How many leads are scored; the first 50,000 of them have orders, sessions and events.
        crm: The section of the config.
    """

    def __init__(self, folder: Path, *, leads: int, crm: dict[str, Any]) -> None:
        make_shop(folder, leads=min(leads, _WITH_TABLES))
        self.path = folder / "leadlight.yaml"
        self._settings = settings_of(folder)
        self.leads = leads_of(self._settings, leads)
        self.configure(crm)

    def configure(self, crm: dict[str, Any]) -> None:
        """Write another section of the config."""
        raw = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        self.path.write_text(yaml.safe_dump({**raw, "crm": crm}, sort_keys=False), encoding="utf-8")

    def score_all_free(self, night: int) -> None:
        """Store and publish the scores of a night in which only the tables hold leads."""
        store = ScoreStore(Workspace(self._settings.shop.workspace))
        run = store.add(
            self.leads.free_scores(night),
            as_of=night_of(night),
            model_version=self.leads.version,
            scored_at=datetime.now(UTC),
        )
        store.publish(run)
