"""Explain 200,000 leads × 60 features × 300 trees of 31 leaves: this project against shap.TreeExplainer.

    python -m benchmarks.explain [--quick] [--rows N] [--threads N] [--shap-rows N]

Two models are explained: LightGBM trees on random data, and a model made by this project's own training. Every
contestant explains the same encoded rows on the same number of threads. Ours is timed from the model's text to checked
contributions: reading the trees, tabling their paths, the model's own margin and the comparison with it are in the
time; compiling, once per installation, is not. Values must agree to 1e-4.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from features.matrix import FeatureTable
    from models.model import LeadModel

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Size:
    """How much is explained."""

    rows: int
    features: int
    trees: int
    leaves: int
    training_rows: int
    shap_rows: int
    threads: int


@dataclass(frozen=True)
class Result:
    """Seconds for all rows by contestant, the largest difference from shap, and the trees explained."""

    seconds: dict[str, float]
    max_abs_diff: float
    trees: int

    def as_json(self, size: Size) -> dict[str, Any]:
        """Return what the last line of the output says."""
        return {
            "ratio_to_shap": round(self.seconds["shap"] / self.seconds["leadlight"], 2),
            "max_abs_diff": self.max_abs_diff,
            "rows_per_second": {name: round(size.rows / seconds) for name, seconds in self.seconds.items()},
            "trees": self.trees,
        }


def main(arguments: list[str] | None = None) -> int:
    """Run both cases, print a table for people and one line of JSON for programs."""
    size = _size(arguments)
    # Read by OpenMP when it loads, and so by LightGBM and by shap, which hands the trees to LightGBM.
    os.environ["OMP_NUM_THREADS"] = str(size.threads)
    _compile()
    random, trained = _case("random trees", _random_model, size), _case("a trained model", _trained_model, size)
    summary = {**random.as_json(size), "trained": trained.as_json(size), "threads": size.threads, "rows": size.rows}
    if size.shap_rows < size.rows:
        summary["shap_rows"] = size.shap_rows
    print(json.dumps(summary))
    return 0 if max(random.max_abs_diff, trained.max_abs_diff) <= TOLERANCE else 1


def _size(arguments: list[str] | None) -> Size:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain")
    parser.add_argument("--quick", action="store_true", help="a small form, for the tests")
    parser.add_argument("--rows", type=int, help="leads to explain")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of every contestant")
    parser.add_argument("--shap-rows", type=int, help="time shap on so many leads and scale up (said in the output)")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        size = Size(3000, 12, 40, 15, 3000, 3000, chosen.threads)
    else:
        size = Size(200_000, 60, 300, 31, 100_000, 200_000, chosen.threads)
    rows = chosen.rows or size.rows
    return replace(size, rows=rows, shap_rows=min(chosen.shap_rows or rows, rows))


def _case(name: str, make: Callable[[Size], tuple[LeadModel, FeatureTable]], size: Size) -> Result:
    model, table = make(size)
    trees = sum(booster.num_trees() for booster in model.loaded_boosters)
    print(f"\n{name}: {size.rows:,} leads x {len(model.features)} features x {trees} trees, {size.threads} threads")
    ours, seconds = _ours(model, table, size)
    times = {"leadlight": seconds}
    times["woodelf"], _ = _timed(lambda: _woodelf(model, table))
    few = table.take(_spread(size))
    shap_seconds, reference = _timed(lambda: _shap(model, few))
    times["shap"] = shap_seconds * size.rows / size.shap_rows
    diff = float(abs(ours[_spread(size)] - reference).max())
    _print_table(times, diff, size)
    return Result(times, diff, trees)


def _print_table(times: dict[str, float], diff: float, size: Size) -> None:
    print(f"{'':28}{'seconds':>10}{'leads/s':>12}{'x shap':>9}")
    names = {"leadlight": "leadlight", "woodelf": "woodelf-explainer", "shap": "shap.TreeExplainer"}
    for key, seconds in times.items():
        scaled = f" ({size.shap_rows:,} leads, scaled)" if key == "shap" and size.shap_rows < size.rows else ""
        speed = times["shap"] / seconds
        print(f"{names[key]:28}{seconds:10.1f}{size.rows / seconds:12,.0f}{speed:9.1f}{scaled}")
    print(f"largest difference from shap: {diff:.1e} log-odds (allowed {TOLERANCE:g})")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _spread(size: Size) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.arange(size.shap_rows) * (size.rows // size.shap_rows)


def _ours(model: LeadModel, table: FeatureTable, size: Size) -> tuple[npt.NDArray[np.float64], float]:
    """Return the trees' SHAP values per feature, without the linear part, and the seconds of the whole."""
    from models.explain import explainer

    seconds, explained = _timed(lambda: explainer(model, threads=size.threads).explain(table))
    assert explained.engine == "woodelf", explained.engine
    values = explained.values - model.blend.w_linear * model.linear.contributions(table)
    return values / model.blend.w_trees, seconds


def _shap(model: LeadModel, table: FeatureTable) -> npt.NDArray[np.float64]:
    import shap

    matrix = model.encoder.tree_matrix(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap tells of a change between its old versions
        values = sum(shap.TreeExplainer(booster).shap_values(matrix) for booster in model.loaded_boosters)
    return _by_feature(model, values)


def _woodelf(model: LeadModel, table: FeatureTable) -> npt.NDArray[np.float64]:
    import pandas as pd
    import woodelf

    # It compares float32 columns with thresholds rounded to float32, and takes other paths than LightGBM at ties.
    frame = pd.DataFrame(model.encoder.tree_matrix(table).astype("float64"))
    frame.columns = [f"Column_{place}" for place in range(frame.shape[1])]
    explainers = [woodelf.WoodelfExplainer(booster) for booster in model.loaded_boosters]
    return _by_feature(model, sum(explainer.shap_values(frame, verbose=False) for explainer in explainers))


def _by_feature(model: LeadModel, columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    import numpy as np

    values = np.zeros((len(columns), len(model.features)))
    for place, feature in enumerate(model.encoder.owner(model.feature_names)):
        values[:, feature] += columns[:, place]
    return values


def _compile() -> None:
    """Compile the kernel before anything is timed."""
    seconds, _ = _timed(lambda: _ours(*_random_model(Size(1000, 4, 2, 4, 1000, 0, 1)), size=Size(*[1] * 7)))
    print(f"compiling or loading the kernel: {seconds:.1f} s, not counted below", file=sys.stderr)


def _random_table(rows: int, n_features: int, seed: int) -> FeatureTable:
    """Return leads with counts, amounts and missing values, and labels that depend on a dozen of them."""
    import numpy as np
    import pyarrow as pa

    from features.catalog import Feature, Phrase
    from features.matrix import FeatureTable

    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, n_features))
    matrix[:, : n_features // 3] = np.round(np.abs(matrix[:, : n_features // 3]) * 4)
    z = [matrix[:, place * n_features // 12] for place in range(12)]
    margin = 0.2 * z[0] + z[5] * z[6] + np.sin(2 * z[7]) - 0.2 * z[2] * (z[8] > 0) + 0.5 * z[9] * (z[10] > z[11]) - 2
    converted = rng.random(rows) < 1 / (1 + np.exp(-margin))
    matrix[rng.random(matrix.shape) < 0.05] = np.nan
    names = [f"feature_{place:02d}" for place in range(n_features)]
    features = tuple(Feature(name, "purchase", "number", "number", name, Phrase("{n}"), "") for name in names)
    # Six weekly snapshots; all labels are ripe.
    week = 7 * 86_400_000_000
    as_of = np.sort(rng.integers(0, 6, rows)) * week + 1_700_000_000_000_000
    time_type = pa.timestamp("us", tz="UTC")
    keys = pa.table(
        {
            "lead_id": pa.array([f"lead-{place}" for place in range(rows)]),
            "as_of": pa.array(as_of, time_type),
            "trigger_id": pa.nulls(rows, pa.string()),
        }
    )
    labels = pa.table(
        {
            "converted": converted,
            "converted_at": pa.array(as_of + week // 2, time_type, mask=~converted),
            "decided_at": pa.array(as_of + week, time_type),
            "is_ripe": np.ones(rows, dtype=bool),
        }
    )
    return FeatureTable(keys, pa.table(list(matrix.T), names=names), features, labels)


def _random_model(size: Size) -> tuple[LeadModel, FeatureTable]:
    """Return trees alone: LightGBM on random data."""
    import lightgbm as lgb

    from models.calibration import Blend
    from models.encoding import Encoder, TreeColumn
    from models.explain import base_log_odds
    from models.intervals import VennAbers
    from models.linear import LinearPart, NumberTerm
    from models.model import LeadModel

    training = _random_table(size.training_rows, size.features, 0)
    encoder = Encoder(tuple(TreeColumn(feature.name, "number") for feature in training.features))
    data = lgb.Dataset(encoder.tree_matrix(training), training.labels["converted"].to_numpy().astype(int))
    settings = {"objective": "binary", "num_leaves": size.leaves, "learning_rate": 0.05, "verbosity": -1}
    booster = lgb.train(settings | {"num_threads": size.threads}, data, size.trees)
    model = LeadModel(
        features=training.features,
        encoder=encoder,
        linear=LinearPart(0.0, tuple(NumberTerm(f.name, 0.0, 0.0, 0.0, 1.0, 0.0) for f in training.features)),
        boosters=(booster.model_to_string(),),
        blend=Blend(0.0, 0.0, 1.0),
        interval=VennAbers((), (1.0,), (0.0,)),
        reference=0.0,
        newest_probabilities=(0.0, 1.0),
    )
    return model.with_reference(base_log_odds(model)), _random_table(size.rows, size.features, 1)


def _trained_model(size: Size) -> tuple[LeadModel, FeatureTable]:
    """Return what this project's training makes of the same kind of data."""
    from models.training import TrainingConfig, train

    trained = train(_random_table(size.training_rows, size.features, 0), config=TrainingConfig())
    return trained.model, _random_table(size.rows, size.features, 1)


if __name__ == "__main__":
    sys.exit(main())
