"""``python -m benchmarks.gate [--quick]``: does the gate let worse models through, and equal ones by luck?

Every simulated retrain draws a shop whose true probabilities are known, fits a champion, and sets a challenger against
it on a window of leads that neither has seen:

- worse: fitted on few rows and without half of the features, so that its expected log-loss under the true
  probabilities is higher by .005 nats or more (where it comes out less, the retrain is drawn anew);
- equal: the champion's own model with two exchangeable features taken for each other: leads are drawn so that both
  models have exactly the same expected log-loss, while they say different things of each lead.

Each challenger is set against a fresh champion, where only "better" passes, and against an old one, where "no worse by
more than .002" does too. No worse one may pass; equal ones may be called better as often as a 5 % test errs (the 95th
percentile of that count). Ends with 1 where either is broken. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import binom

from benchmarks.labelled_frame import labelled_table
from features.matrix import FeatureTable
from models.contest import paired_log_loss
from models.gate import GateRules, against_champion
from models.model import LeadModel, sigmoid
from models.recipe import Recipe, fit_recipe
from models.screening import only
from models.training import ripe_rows

RECIPE = Recipe(max_trees=30, bags=1, groups=3, blocks=1)
RULES = GateRules()
FRESH, OLD = 1.0, RULES.champion_days + 1
WORSE_BY = 0.005
LEVEL = 0.05
"""How often a test may call equals different."""
COUNT_PERCENTILE = 0.95
"""Of how often it does so by chance: more than this is no chance."""
ROWS = {"train": 3000, "window": 4000, "truth": 30_000}


@dataclass(frozen=True)
class Retrain:
    """One simulated retrain: by how much the challenger is truly behind, and whether it was let through."""

    kind: str
    truly_behind: float
    passes_fresh: bool
    passes_old: bool


def leads(n: int, seed: int) -> tuple[FeatureTable, np.ndarray]:
    """Return leads and their true log-odds; the first two features may be swapped without a change in distribution."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8))
    truth = -1.8 + 0.5 * (x[:, 0] + x[:, 1]) + 0.6 * np.maximum(x[:, 2], x[:, 3]) + 0.4 * x[:, 4] * (x[:, 5] > 0)
    converted = rng.random(n) < sigmoid(truth)
    frame = pd.DataFrame({f"x{place}": x[:, place] for place in range(8)})
    at = np.zeros(n, dtype=np.int64)
    who = np.array([f"{seed}-{place}" for place in range(n)])
    return labelled_table(frame, converted, lead=who, as_of=at, decided_at=at + 1), truth


def fitted(table: FeatureTable, *, rows: int, features: int) -> LeadModel:
    """Return a model of the first *rows* rows that reads the first *features* features."""
    known, moments, _ = ripe_rows(only(table.take(np.arange(rows)), table.features[:features]))
    return fit_recipe(known, moments, RECIPE, notify=lambda _: None)[0]


def swapped(table: FeatureTable) -> FeatureTable:
    """Return *table* with its first two features taken for each other."""
    names = table.columns.column_names
    columns = table.columns.select(["x1", "x0", *names[2:]]).rename_columns(names)
    return FeatureTable(table.keys, columns, table.features, table.labels)


def retrain(kind: str, seed: int) -> Retrain:
    """Simulate one retrain."""
    table, _ = leads(ROWS["train"], 3 * seed)
    champion = fitted(table, rows=ROWS["train"], features=8)
    challenger = champion if kind == "equal" else fitted(table, rows=ROWS["train"] // 6, features=4)

    def said(of: FeatureTable) -> tuple[np.ndarray, np.ndarray]:
        theirs = challenger.margins(swapped(of)) if kind == "equal" else challenger.margins(of)
        return theirs, champion.margins(of)

    many, truth = leads(ROWS["truth"], 3 * seed + 1)
    probability = sigmoid(truth)
    losses = [(np.logaddexp(0, margins) - probability * margins).mean() for margins in said(many)]
    window, _ = leads(ROWS["window"], 3 * seed + 2)
    converted = np.asarray(window.labels["converted"], dtype=bool)
    ahead = paired_log_loss(*said(window), converted, np.arange(len(window)).astype(np.uint64), seed=seed)
    fresh, old = (against_champion(ahead, champion="", age_days=age, rules=RULES).passed for age in (FRESH, OLD))
    return Retrain(kind, float(losses[0] - losses[1]), fresh, old)


def simulate(count: int) -> list[Retrain]:
    """Return *count* retrains of each kind; worse ones are drawn until they are truly worse."""
    found: list[Retrain] = []
    seeds = iter(range(20 * count))
    for kind in track(["worse", "equal"] * count, description="retrains", console=Console(stderr=True)):
        one = retrain(kind, next(seeds))
        while kind == "worse" and one.truly_behind < WORSE_BY:
            one = retrain(kind, next(seeds))
        found.append(one)
    return found


def main() -> int:
    """Simulate, print, and return 0 where the gate holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three retrains of each kind")
    found = simulate(3 if parser.parse_args().quick else 200)
    table = Table("challenger", "retrains", "truly behind (nats)", "called better", "promoted over an old champion")
    figures: dict[str, dict[str, float]] = {}
    for kind in ("worse", "equal"):
        mine = [one for one in found if one.kind == kind]
        behind = [one.truly_behind for one in mine]
        fresh, old = sum(one.passes_fresh for one in mine), sum(one.passes_old for one in mine)
        spread = f"{np.mean(behind):+.4f} ({min(behind):+.4f} to {max(behind):+.4f})"
        table.add_row(kind, str(len(mine)), spread, str(fresh), str(old))
        figures[kind] = {"retrains": len(mine), "called_better": fresh, "promoted_over_old": old,
                         "least_behind": min(behind)}  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if holds(figures) else 1


def holds(figures: dict[str, dict[str, float]]) -> bool:
    """Whether no worse challenger passed, and equal ones no more often than a test at `LEVEL` errs."""
    worse, equal = figures["worse"], figures["equal"]
    allowed = binom.ppf(COUNT_PERCENTILE, equal["retrains"], LEVEL)
    return worse["called_better"] == worse["promoted_over_old"] == 0 and equal["called_better"] <= allowed


if __name__ == "__main__":
    sys.exit(main())
