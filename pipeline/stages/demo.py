"""`leadlight demo`: the main job from files to ranked leads, on data that anyone can have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import pyarrow.parquet as pq

from features.errors import LeadlightError, wrong_input
from pipeline import shipped
from pipeline.progress import Progress, silent
from pipeline.settings import load
from pipeline.stages.features import FeaturesReport, build
from pipeline.stages.ingest import ingest
from pipeline.stages.ingest_report import IngestReport
from pipeline.stages.score import score
from pipeline.stages.score_report import ScoreReport
from pipeline.stages.train import train
from pipeline.stages.train_report import TrainReport
from pipeline.synthetic.judge import BestPossible, best_possible
from pipeline.synthetic.shop import generate, truth

CONFIGS = {"grocery": "complete_journey", "synthetic": "synthetic_shop"}
"""The shops of the demo and their configs: real grocery baskets, and a shop whose truth is known."""


@dataclass(frozen=True)
class DemoPaths:
    """What to open next.

    Attributes:
        config: The config that the demo ran with.
        data_dictionary: What every feature means.
        plots: The pictures of the hold-out.
        card: The model card.
        scores: All leads, ranked, as CSV.
        best_lead: The best lead's id, to explain.
        tracking_uri: Where MLflow keeps the run.
    """

    config: Path
    data_dictionary: Path
    plots: Path
    card: Path
    scores: Path
    best_lead: str
    tracking_uri: str


Step: TypeAlias = IngestReport | FeaturesReport | TrainReport | BestPossible | ScoreReport | DemoPaths


def demo(
    shop: str, *, folder: Path, now: datetime, leads: int = 20_000, seed: int = 0, progress: Progress = silent
) -> Iterator[Step]:
    """Run the main job on a shop of the demo, yielding each step's report when it is done.

    Run again, it goes on from what is there: no row is new, the model trained anew waits beside the
    one that scores, and the stored scores stay.

    Args:
        shop: One of `CONFIGS`.
        folder: Where config, data and workspace go.
        now: The time of the run (aware).
        leads: Size of the synthetic shop.
        seed: Seed of the synthetic shop.
        progress: Told of every step.

    Raises:
        LeadlightError: *folder* holds a synthetic shop of another size or seed.
    """
    config = folder / "leadlight.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped.config(CONFIGS[shop]), config)
    settings = load(config)
    if shop == "synthetic":
        _remember_the_draw(folder, leads=leads, seed=seed)
        generate(settings.data_folder, leads=leads, seed=seed,
                 progress=lambda done, total: progress("drawing the shop", done, total))  # fmt: skip
    yield ingest(settings, now=now, progress=progress)
    prepared = build(settings, progress=progress)
    yield prepared
    trained = train(settings, progress=progress)
    yield trained
    if shop == "synthetic":
        yield best_possible(truth(settings.data_folder), pq.read_table(trained.hold_out))
    scored = score(settings, scored_at=now, progress=progress)
    yield scored
    yield DemoPaths(
        config=config,
        data_dictionary=prepared.data_dictionary,
        plots=Path(trained.plots),
        card=Path(trained.card),
        scores=scored.csv,
        best_lead=scored.best[0]["lead_id"],
        tracking_uri=trained.tracking_uri,
    )


def _remember_the_draw(folder: Path, *, leads: int, seed: int) -> None:
    """Keep two shops out of one workspace: ids are equal, so rows of one would be news about leads of the other."""
    note = folder / "drawn.json"
    asked = {"leads": leads, "seed": seed}
    drawn = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else asked
    if drawn != asked:
        raise _another_shop(folder, drawn)
    note.write_text(json.dumps(asked) + "\n", encoding="utf-8")


def _another_shop(folder: Path, drawn: Mapping[str, int]) -> LeadlightError:
    there = f"--leads {drawn['leads']} --seed {drawn['seed']}"
    hint = f"give another --folder, ask for that shop again ({there}), or remove '{folder}' to start anew."
    return wrong_input(f"The folder '{folder}' holds another synthetic shop.", hint=hint)
