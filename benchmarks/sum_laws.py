"""``python -m benchmarks.sum_laws [--quick] [--config FILE]``: does everything that is shown add up, on every lead?

The synthetic shop of the demo is scored at three moments, trained anew and scored again.

- Every scored row of every run: points per feature, per family and per axis sum to the total in whole hundredths, the
  total is the score, and the lines of a lead's page sum to the score shown.
- Every lead of every two runs: the four steps of what changed sum to the difference of the stored points, the model's
  step is nothing where one model gave both scores, the lines shown sum to the new score, and no lead that was scored
  twice is without its steps.

With ``--config`` the runs that a workspace holds are checked instead. Ends with 1 where anything does not add up. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections import Counter
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from models.points import shown
from models.what_changed import NOT_SCORED_NOW, NOT_SCORED_THEN, STEPS, UNSCORED_NOW, UNSCORED_THEN, End, shown_steps
from pipeline.changes import all_changes
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.scorers import scorer_of
from pipeline.settings import Settings, load
from pipeline.stages.demo import demo
from pipeline.stages.registered import promote
from pipeline.stages.score import score
from pipeline.stages.train import train
from pipeline.workspace import Workspace

NOW = datetime(2025, 2, 1, tzinfo=UTC)
MOMENTS = tuple(datetime.fromisoformat(day) for day in ("2024-11-25", "2024-12-23"))
FAIR = {NOT_SCORED_THEN, NOT_SCORED_NOW, UNSCORED_THEN, UNSCORED_NOW}
"""Why a lead may have no steps here: it was not scored twice."""
HALF_A_HUNDREDTH = 0.005


def prepared(folder: Path, *, leads: int) -> Settings:
    """Return the demo's shop, scored by two models at two moments beside the end of its data."""
    for _ in demo("synthetic", folder=folder, now=NOW, leads=leads):
        pass
    settings = load(folder / "leadlight.yaml")
    for as_of in MOMENTS:
        score(settings, as_of=as_of, scored_at=NOW)
    another = settings.model.model_copy(update={"seed": 1})
    retrained = train(settings.model_copy(update={"model": another}))
    promote(settings, retrained.version, at=NOW)
    score(settings, scored_at=NOW)
    return settings


def points_violations(scores: pa.Table, *, start: int, top: int) -> Counter[str]:
    """Return how many scored rows break each law of points."""
    total = scores["points_total"].to_numpy()
    found = Counter[str]()
    for name in ("points", "points_family"):
        parts = scores[name].combine_chunks().flatten()
        found[name] = int((sum(part.fill_null(0).to_numpy(zero_copy_only=False) for part in parts) != total).sum())
    found["axes"] = int((scores["fit"].to_numpy() + scores["engagement"].to_numpy() != total).sum())
    unclipped = np.clip(start + total / 100, 0, top)
    found["score"] = int((np.abs(scores["score"].to_numpy() - unclipped) > 0.5 + HALF_A_HUNDREDTH).sum())
    for row in scores.select(["reasons", "points_total", "score"]).to_pylist():
        lines = [reason["points"] for reason in row["reasons"]]
        page = shown(lines, total_hundredths=row["points_total"], score=row["score"], start=start, top=top)
        found["page"] += start + sum(page.lines) + page.everything_else + page.limits != row["score"]
    return found


def change_violations(changes: pa.Table, *, is_one_model: bool) -> tuple[int, Counter[str]]:
    """Return how many leads have steps, and how many break each law of what changed."""
    codes = changes["why_not"].drop_null().to_pylist()
    told = changes.filter(pc.is_null(changes["why_not"]))
    steps = np.stack([told[name].to_numpy() for name in STEPS], axis=1)
    difference = told["new_hundredths"].to_numpy() - told["old_hundredths"].to_numpy()
    found = Counter(
        {
            "steps": int((steps.sum(axis=1) != difference).sum()),
            "untold": sum(code not in FAIR for code in codes),
            "model": int((steps[:, STEPS.index("model")] != 0).sum()) if is_one_model else 0,
        }
    )
    for row in told.to_pylist():
        ends = [End(row[f"{which}_score"], row[f"{which}_hundredths"]) for which in ("old", "new")]
        page = shown_steps([row[name] for name in STEPS], *ends)
        found["page of changes"] += page.old + sum(page.lines) + page.limits != row["new_score"]
    return len(told), found


def checked(settings: Settings) -> tuple[Table, dict[str, object]]:
    """Return a table for people and the figures of every run and every two runs of a workspace."""
    store = ScoreStore(Workspace(settings.shop.workspace))
    table = Table("law", "of", "leads", "violations", "seconds")
    points, changes, broken = 0, 0, Counter[str]()

    def note(law: str, of: str, leads: int, found: Counter[str], began: float) -> None:
        table.add_row(law, of, f"{leads:,}", _said(found), f"{time.perf_counter() - began:.1f}")
        broken.update(found)

    for run in store.runs():
        began, scorer = time.perf_counter(), scorer_of(settings, run.model_version)
        scores = store.read(run).filter(pc.field("score").is_valid())
        note("points", _name(run), len(scores), points_violations(scores, start=scorer.start, top=scorer.top), began)
        points += len(scores)
    for old, new in combinations(store.runs(), 2):
        began = time.perf_counter()
        is_one_model = old.model_version == new.model_version
        leads, found = change_violations(all_changes(settings, old, new), is_one_model=is_one_model)
        note("what changed", f"{_name(old)} → {_name(new)}", leads, found, began)
        changes += leads
    return table, {"scored": points, "changes": changes, "violations": broken.total(), "broken": dict(broken)}


def _said(found: Counter[str]) -> str:
    return ", ".join(f"{law}: {count:,}" for law, count in found.items() if count) or "0"


def _name(run: StoredRun) -> str:
    return f"{datetime.fromtimestamp(run.as_of / 1e6, tz=UTC):%Y-%m-%d} by {run.model_version}"


def main() -> int:
    """Prepare the shop, check it, print, and return 0 where everything adds up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sum_laws", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small shop")
    parser.add_argument("--config", type=Path, help="a shop whose stored runs are checked instead")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # MLflow and SQLAlchemy warn of each other
    with tempfile.TemporaryDirectory(prefix="leadlight-sums-") as folder:
        drawn = 700 if asked.quick else 20_000
        settings = load(asked.config) if asked.config else prepared(Path(folder), leads=drawn)
        table, figures = checked(settings)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if figures["violations"] == 0 and figures["changes"] else 1


if __name__ == "__main__":
    sys.exit(main())
