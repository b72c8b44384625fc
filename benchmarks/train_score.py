"""``python -m benchmarks.train_score [--quick]``: what training and scoring cost, beside plain LightGBM.

A shop of 1 M snapshots (250 k leads at four as_ofs) with 60 features, 6 of them categories, is trained and then
scored. Training (folds, forward blocks, linear part, bags, blend, interval, hold-out, metrics, refit) is compared with
one plain LightGBM fit of 300 trees on the same tree columns; scoring without reasons is compared with LightGBM's own
predict of the shipped booster plus the linear part. Both must give the same log-odds.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable
from models.model import LeadModel
from models.training import TrainedModel, train

AS_OFS = 4
NUMBERS, CATEGORIES = 54, 6
MONTH_US = 30 * 86_400_000_000
T = TypeVar("T")
GB = 2**20  # ru_maxrss counts KiB


@dataclass(frozen=True)
class Result:
    """What was measured; seconds are of the wall clock."""

    rows: int
    features: int
    trees: int
    train_seconds: float
    plain_fit_seconds: float
    train_ratio: float
    score_seconds: float
    plain_predict_seconds: float
    linear_seconds: float
    score_ratio: float
    scores_per_second: float
    train_peak_gb: float
    roc_auc: float
    plain_roc_auc: float


def shop(rows: int, seed: int = 0) -> FeatureTable:
    """Return a labelled shop whose conversions hang on counts, on levels and on two interactions."""
    rng = np.random.default_rng(seed)
    names = [f"number_{place:02d}" for place in range(NUMBERS)] + [f"category_{place}" for place in range(CATEGORIES)]
    features = tuple(Feature(name, "purchase", name.split("_")[0], "number", name, Phrase("{n}"), "") for name in names)
    numbers = [_number(rng, rows, place) for place in range(NUMBERS)]
    codes = [rng.integers(0, 4 + 6 * place, rows) for place in range(CATEGORIES)]
    z = [np.nan_to_num(np.log1p(values)) for values in numbers]
    margin = -4.2 + 0.25 * sum(z[:12]) - 0.2 * sum(z[12:20]) + 1.2 * ((z[20] > 1) & (z[21] < 1))
    margin += np.tanh(z[22] - z[23]) + 0.5 * (codes[2] % 3 == 0) + 0.3 * np.sin(codes[5])
    levels = [
        pa.DictionaryArray.from_arrays(code.astype(np.int32), [f"level {n}" for n in range(code.max() + 1)])
        for code in codes
    ]
    converted = rng.random(rows) < 1 / (1 + np.exp(-margin))
    columns = dict(zip(names, [*numbers, *levels], strict=True))
    return FeatureTable(_keys(rows), pa.table(columns), features, _labels(converted))


def _keys(rows: int) -> pa.Table:
    keys = {
        "lead_id": pa.array(np.arange(rows) // AS_OFS).cast(pa.string()),
        "as_of": _time(np.arange(rows) % AS_OFS),
        "trigger_id": pa.nulls(rows, pa.string()),
    }
    return pa.table(keys)


def _labels(converted: np.ndarray) -> pa.Table:
    rows = len(converted)
    labels = {
        "converted": converted,
        "converted_at": pa.nulls(rows, pa.timestamp("us", tz="UTC")),
        "decided_at": _time(np.arange(rows) % AS_OFS + 1),
        "is_ripe": np.ones(rows, dtype=bool),
    }
    return pa.table(labels)


def _time(month: np.ndarray) -> pa.Array:
    return pa.array(month.astype(np.int64) * MONTH_US).cast(pa.timestamp("us", tz="UTC"))


def _number(rng: np.random.Generator, rows: int, place: int) -> np.ndarray:
    """Return counts, amounts or days; a third of the columns has gaps."""
    values = rng.poisson(1.5, rows).astype(float) if place % 2 else np.round(rng.exponential(20.0, rows), 2)
    if place % 3 == 0:
        values[rng.random(rows) < 0.2] = np.nan
    return values


def measure(table: FeatureTable, notify: Callable[[str], None]) -> Result:
    """Train, fit plain LightGBM, score, and check that both ways of scoring agree."""
    trained, train_seconds = _timed(lambda: train(table, notify=notify))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GB
    notify("one plain LightGBM fit of 300 trees")
    plain_fit_seconds, plain_auc = plain_fit(table, trained)
    notify("scoring")
    model = trained.model
    booster = model.loaded_boosters[0]
    model.predict(table.take(np.arange(10)))
    trees, predict_seconds = plain_predict(model, table)
    linear, linear_seconds = _timed(lambda: model.linear.margins(table))
    scored, score_seconds = _timed(lambda: model.predict(table))
    np.testing.assert_array_equal(scored.log_odds, model.blend.margins(linear, trees))
    return Result(
        rows=len(table),
        features=len(table.features),
        trees=booster.num_trees(),
        train_seconds=train_seconds,
        plain_fit_seconds=plain_fit_seconds,
        train_ratio=train_seconds / plain_fit_seconds,
        score_seconds=score_seconds,
        plain_predict_seconds=predict_seconds,
        linear_seconds=linear_seconds,
        score_ratio=score_seconds / (predict_seconds + linear_seconds),
        scores_per_second=len(table) / score_seconds,
        train_peak_gb=peak_gb,
        roc_auc=trained.metrics.roc_auc.value,
        plain_roc_auc=plain_auc,
    )


def plain_predict(model: LeadModel, table: FeatureTable) -> tuple[np.ndarray, float]:
    """Return the raw scores of LightGBM's own predict on ready tree columns, and its seconds."""
    matrix = model.encoder.tree_matrix(table)
    return _timed(lambda: model.loaded_boosters[0].predict(matrix, raw_score=True))


def plain_fit(table: FeatureTable, trained: TrainedModel) -> tuple[float, float]:
    """Return the seconds of one fit of 300 default trees on all rows, and the hold-out's AUC of such a model."""
    import lightgbm as lgb
    from sklearn.metrics import roc_auc_score

    model: LeadModel = trained.judged
    matrix, converted = model.encoder.tree_matrix(table), table.labels["converted"].to_numpy()
    settings = {"objective": "binary", "verbosity": -1, "num_threads": trained.report.plan.settings.threads}
    _, seconds = _timed(lambda: lgb.train(settings, lgb.Dataset(matrix, converted), 300))
    before, after = trained.hold_out.train_rows, trained.hold_out.test_rows
    judged = lgb.train(settings, lgb.Dataset(matrix[before], converted[before]), 300)
    return seconds, float(roc_auc_score(converted[after], judged.predict(matrix[after], raw_score=True)))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


def report(result: Result) -> Table:
    """Return the table for people."""
    table = Table(
        "", "seconds", "beside", "ratio", "at most", title=f"{result.rows:,} rows × {result.features} features"
    )
    table.add_row(
        "training, all of it", f"{result.train_seconds:.1f}", f"plain fit, 300 trees: {result.plain_fit_seconds:.1f}",
        f"{result.train_ratio:.2f}", "8",
    )  # fmt: skip
    beside = f"predict {result.plain_predict_seconds:.1f} + linear {result.linear_seconds:.1f}"
    table.add_row("scoring, no reasons", f"{result.score_seconds:.1f}", beside, f"{result.score_ratio:.2f}", "1.5")
    table.caption = (
        f"{result.trees} trees shipped; {result.scores_per_second:,.0f} scores a second; "
        f"peak {result.train_peak_gb:.2f} GB in training; "
        f"hold-out AUC {result.roc_auc:.4f}, plain LightGBM {result.plain_roc_auc:.4f}"
    )
    return table


def main() -> int:
    """Measure, print, and return 0 when both ratios are within bounds (a quick run is too small to judge)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_score", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="8,000 rows: seconds, and ratios that mean nothing")
    parser.add_argument("--rows", type=int, default=1_000_000, help="snapshots, four per lead")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    errors = Console(stderr=True)
    result = measure(shop(8_000 if asked.quick else asked.rows), lambda text: errors.print(text, highlight=False))
    console.print(report(result))
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0 if asked.quick or (result.train_ratio <= 8 and result.score_ratio <= 1.5) else 1


if __name__ == "__main__":
    sys.exit(main())
