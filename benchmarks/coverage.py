"""``python -m benchmarks.coverage [--quick] [--shops NAME …]``: do the intervals hold what they promise?

The backtest of two shops, CDNOW (real) and the synthetic one, cut into cells: a tenth of a fold by probability. In each
cell of 500 snapshots or more, the conversions should lie inside the 95 % binomial band around its intervals. On the
synthetic shop the true probability of each snapshot is known too: the share inside its own interval is printed.

Reads ``../shared/data`` (or LEADLIGHT_SHARED_DATA). The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from models.reliability import LEAST_ROWS_OF_CELL
from pipeline import shipped
from pipeline.settings import Settings, load
from pipeline.stages.backtest import BacktestReport, backtest
from pipeline.stages.ingest import ingest
from pipeline.synthetic.judge import best_probabilities
from pipeline.synthetic.shop import generate, truth

OWED = 0.95
SHOPS = ("cdnow", "synthetic_shop")


def tested(settings: Settings, *, folds: int | None) -> BacktestReport:
    """Ingest a shop and test it back, with a line on stderr per fold."""
    ingest(settings, now=datetime.now(UTC))
    console = Console(stderr=True)
    return backtest(
        settings,
        folds=folds,
        with_random_split=False,
        progress=lambda step, done, total: console.print(f"{settings.shop.name}: {step} {done} of {total}"),
    )


def true_share(settings: Settings, report: BacktestReport) -> float:
    """Return the share of the judged snapshots whose true probability lies inside its interval."""
    answers = pq.read_table(report.answers)
    true = best_probabilities(truth(settings.data_folder), answers)
    low, high = (np.asarray(answers[name]) for name in ("probability_low", "probability_high"))
    return float(((low <= true) & (true <= high)).mean())


def main() -> int:
    """Test both shops back, print, and return 0 where both hold what is owed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small synthetic shop alone")
    parser.add_argument("--shops", nargs="+", choices=SHOPS, default=SHOPS, help="only these")
    asked = parser.parse_args()
    quick = asked.quick
    table = Table("shop", "folds", "cells", "covered", "share", "owed", "true probability inside its interval")
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="leadlight-coverage-") as folder:
        for name in ("synthetic_shop",) if quick else asked.shops:
            settings = _settings(name, Path(folder, name), leads=800 if quick else 10_000)
            report = tested(settings, folds=2 if quick else None)
            inside = true_share(settings, report) if name == "synthetic_shop" else None
            share = report.covered_cells / max(report.cells, 1)
            table.add_row(
                settings.shop.name, str(len(report.folds)), str(report.cells), str(report.covered_cells),
                f"{share:.1%}", f"{OWED:.0%}", "" if inside is None else f"{inside:.1%}",
            )  # fmt: skip
            figures[name] = {"folds": len(report.folds), "cells": report.cells, "covered": report.covered_cells}
            figures[name] |= {} if inside is None else {"true_inside": round(inside, 4)}
    table.caption = f"a cell: a tenth of a fold, {LEAST_ROWS_OF_CELL} snapshots or more"
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if all(one["covered"] >= OWED * one["cells"] for one in figures.values()) else 1


def _settings(name: str, folder: Path, *, leads: int) -> Settings:
    folder.mkdir(parents=True)
    shared = Path(os.environ.get("LEADLIGHT_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    settings = load(shipped.config(name), data=str(shared) if name == "cdnow" else None, beside=folder)
    if name == "synthetic_shop":
        generate(settings.data_folder, leads=leads, seed=1)
    return settings


if __name__ == "__main__":
    sys.exit(main())
