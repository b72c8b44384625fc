"""``python -m benchmarks.blend [--quick]``: which rule for the blend holds in both kinds of market.

At several moments, a model is trained on what was known then and judged on what came next. The parts are the same for
all contestants; only the rule that blends them differs:

- both: lead folds and forward blocks at once (what `models.calibration` does);
- leads: lead folds alone;
- forward: forward blocks alone;
- newest: the newest forward block alone;
- strict: as *both*, but a part is used alone as soon as it is ahead by anything on the newest block.

Reads ``../shared/data`` (or LEADLIGHT_SHARED_DATA).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from benchmarks import blend_data
from features.matrix import FeatureTable
from models import calibration
from models.calibration import Blend, HeldOut
from models.cross_fit import TrainingRows
from models.model import sigmoid
from models.recipe import Recipe, fit_parts, held_out_margins
from models.screening import only, usable
from models.splits import Moments, scramble
from models.training import ripe_rows

import lightgbm as lgb  # isort: skip

NEVER = 1e9


def rules(held_out: HeldOut, lead: np.ndarray, conversions: int) -> dict[str, Blend]:
    """Return the blend that each rule finds."""

    def fit(
        places: np.ndarray, *, block: Callable[[np.ndarray], np.ndarray] = lambda b: b, clearly: float = NEVER
    ) -> Blend:
        part = held_out.take(places)
        part = HeldOut(part.rows, part.linear, part.trees, part.converted, block(part.block))
        calibration.CLEARLY = clearly
        return calibration.fit_blend(part, lead[places], conversions=conversions).blend

    block, everything = held_out.block, np.ones(len(held_out.block), bool)
    last = block.max()
    return {
        "both": fit(everything, clearly=3.0),
        "leads": fit(block == 0),
        "forward": fit(block > 0, block=lambda b: b - b.min()),
        "newest": fit(block == last, block=np.zeros_like),
        "strict": fit(everything, clearly=0.0),
    }


def judge(table: FeatureTable, moments: Moments, start: int, end: int) -> dict[str, tuple[float, float]]:
    """Return AUC and log-loss of the parts and of every rule on ``[start, end)``, learned from before *start*."""
    train = np.flatnonzero((moments.decided_at <= start) & (moments.as_of < start))
    test = np.flatnonzero((moments.as_of >= start) & (moments.as_of < end))
    learned, then = table.take(train), moments.take(train)
    rows = TrainingRows.of(only(learned, usable(learned, then.as_of)[0]), then)
    recipe, conversions = Recipe(), then.converting_leads(then.converted)
    plan, held_out = held_out_margins(rows, recipe, None, conversions=conversions, notify=lambda _: None)
    linear, text = fit_parts(rows, recipe, plan)
    later = table.take(test)
    margins = (
        linear.margins(later),
        lgb.Booster(model_str=text).predict(rows.encoder.tree_matrix(later), raw_score=True),
    )
    blends = {"linear": Blend(0, 1, 0), "trees": Blend(0, 0, 1)}
    blends |= rules(held_out, then.lead[held_out.rows], conversions)
    return {name: _quality(blend.margins(*margins), moments.converted[test]) for name, blend in blends.items()}


def _quality(margins: np.ndarray, converted: np.ndarray) -> tuple[float, float]:
    probability = np.where(converted, sigmoid(margins), sigmoid(-margins))
    return float(roc_auc_score(converted, margins)), float(-np.log(np.maximum(probability, 1e-15)).mean())


def origins(name: str, moments: Moments, *, quick: bool) -> list[tuple[int, int]]:
    """Return the moments at which models are trained, and where what they are judged on ends."""
    if name == "bank":
        shares = (0.9,) if quick else (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
        calls = int(moments.as_of.max()) + 1
        return [(int(share * calls), int((share + 0.15) * calls)) for share in shares]
    starts = np.unique(moments.as_of)
    return [(int(starts[place]), int(starts[place]) + 1) for place in ((-1,) if quick else (-7, -4, -1))]


def main() -> int:
    """Judge every rule at every moment, print, and return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blend", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one moment, few leads")
    quick = parser.parse_args().quick
    folder = Path(os.environ.get("LEADLIGHT_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    console, found = Console(width=None if sys.stdout.isatty() else 140), {}
    for name, read in (("bank", blend_data.bank), ("cdnow", blend_data.cdnow)):
        table, moments, _ = ripe_rows(read(folder))
        if quick or name == "cdnow":
            few = np.flatnonzero(scramble(moments.lead, 77) % np.uint64(20 if quick else 3) == 0)
            table, moments = table.take(few), moments.take(few)
        for start, end in origins(name, moments, quick=quick):
            found[f"{name} {start if name == 'bank' else start // blend_data.DAY_US}"] = judge(
                table, moments, start, end
            )
    console.print(_as_table(found))
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def _as_table(found: dict[str, dict[str, tuple[float, float]]]) -> Table:
    contestants = list(next(iter(found.values())))
    table = Table("judged from", *contestants, title="AUC / log-loss", caption="mean: over all moments")
    for moment, qualities in found.items():
        table.add_row(moment, *(f"{auc:.3f} / {loss:.3f}" for auc, loss in qualities.values()))
    means = [np.mean([one[name] for one in found.values()], axis=0) for name in contestants]
    table.add_row("mean", *(f"{auc:.3f} / {loss:.3f}" for auc, loss in means))
    return table


if __name__ == "__main__":
    sys.exit(main())
