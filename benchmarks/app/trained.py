"""The shop behind the benchmark: a config, ingested tables, and a small model whose features the scores are made of.

Its leads come first among those that are scored, so that a lead's page has a timeline and words as in any shop; the
others are made up around them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.app.leads import Leads
from models import bundle, registry, training
from models.recipe import Recipe
from models.registry import training_run
from pipeline import shipped
from pipeline.champion import champion, place_of
from pipeline.settings import Settings, load
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest
from pipeline.synthetic.shop import generate

PERSONAL = ["display_name", "company", "owner", "email"]
_RUN = "benchmark"
_MOST_TRAINED = 20_000
_WHEN = datetime(2025, 1, 20, 9, tzinfo=UTC)


def settings_of(folder: Path) -> Settings:
    """Return the config of the benchmark's shop."""
    return load(folder / "leadlight.yaml")


def make_shop(folder: Path, *, leads: int) -> Settings:
    """Draw and ingest a shop, and register a model that a few trees make.

    Args:
        folder: Where to.
        leads: How many leads it has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    raw = yaml.safe_load(shipped.config("synthetic_shop").read_text(encoding="utf-8"))
    raw["features"] = {"windows": [7, 28, 90]}
    raw["app"] = {"personal": PERSONAL, "max_data_age_hours": 10_000}
    raw["report"] = {}
    (folder / "leadlight.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    settings = settings_of(folder)
    generate(settings.data_folder, leads=leads, seed=1)
    ingest(settings, now=_WHEN)
    recipe = Recipe(max_trees=20, bags=1, groups=2, blocks=1)
    table = compute_training_table(settings)
    # Its words and the number of its features matter here, not its quality.
    few = table.take(np.arange(0, len(table), max(len(table) // _MOST_TRAINED, 1)))
    model = training.train(few, config=training.TrainingConfig(recipe=recipe)).model
    place = place_of(settings)
    registry.prepare(place)
    asked = training_run.client(place)
    asked.create_registered_model(place.name)
    artifacts = settings.shop.workspace / "mlartifacts" / _RUN / "artifacts"
    bundle.save(model, artifacts / "bundle")
    asked.create_model_version(place.name, artifacts.parent.as_uri(), run_id=_RUN)
    training_run._name(asked, place, "1", alias="")  # noqa: SLF001 - as training does at its end
    return settings


def leads_of(settings: Settings, count: int) -> Leads:
    """Return *count* leads that the shop's model scores, those of the shop first."""
    model, version = champion(settings)
    return Leads(count, features=model.features, version=version, known=known_ids(settings))


def known_ids(settings: Settings) -> list[str]:
    """Return the ids of the leads that have a timeline."""
    folder = settings.shop.workspace / "tables"
    files = sorted(folder.glob("*/timelines/leads/*.parquet"))
    ids = pa.concat_tables([pq.read_table(file, columns=["lead_id"], partitioning=None) for file in files])
    return sorted(ids["lead_id"].to_pylist())
