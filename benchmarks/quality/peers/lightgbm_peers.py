"""LightGBM three times: as it comes, as old hands set it, and with native categories and early stopping."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.quality.rows import Floats, Rows

LEAST_ROWS_OF_LEVEL = 10
MOST_ROUNDS, PATIENCE = 3000, 50


def default(rows: Rows) -> Floats:
    """Fit `LGBMClassifier` with its own settings, categories one-hot."""
    return _one_hot(rows, {})


def fifteen_leaves(rows: Rows) -> Floats:
    """Fit 200 rounds of 15 leaves at rate .03, at least 100 rows a leaf, categories one-hot."""
    return _one_hot(rows, {"num_leaves": 15, "learning_rate": 0.03, "n_estimators": 200, "min_child_samples": 100})


def native_early_stopping(rows: Rows) -> Floats:
    """Fit with native categories; a fifth of the leads says when to stop, and all leads are learned from again."""
    import lightgbm as lgb

    slow = {"num_leaves": 15, "learning_rate": 0.03, "min_child_samples": 100, **_fixed(rows)}
    watched = rows.watched
    stopped = lgb.LGBMClassifier(n_estimators=MOST_ROUNDS, **slow).fit(
        rows.train[~watched], rows.converted[~watched],
        eval_set=[(rows.train[watched], rows.converted[watched])],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    rounds = max(stopped.best_iteration_, 1)
    model = lgb.LGBMClassifier(n_estimators=rounds, **slow).fit(rows.train, rows.converted)
    return np.asarray(model.predict(rows.test, raw_score=True))


def _one_hot(rows: Rows, settings: dict[str, Any]) -> Floats:
    from lightgbm import LGBMClassifier
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=LEAST_ROWS_OF_LEVEL, sparse_output=False)
    columns = make_column_transformer((levels, rows.categories), remainder="passthrough")
    model = LGBMClassifier(**settings, **_fixed(rows)).fit(columns.fit_transform(rows.train), rows.converted)
    return np.asarray(model.predict(columns.transform(rows.test), raw_score=True))


def _fixed(rows: Rows) -> dict[str, Any]:
    return {"random_state": rows.seed, "n_jobs": rows.threads, "verbosity": -1}
