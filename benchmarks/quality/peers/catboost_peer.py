"""CatBoost with its own categories and its own learning rate, stopped by a fifth of the leads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.quality.rows import Floats, Rows

PATIENCE = 50


def log_odds(rows: Rows) -> Floats:
    """Fit `CatBoostClassifier`; the best of its 1,000 rounds on the watched leads is kept."""
    from catboost import CatBoostClassifier, Pool

    watched = rows.watched

    def pool(frame: pd.DataFrame, converted: np.ndarray | None = None) -> Pool:
        # It takes categories as text, and nothing missing among them.
        return Pool(frame.assign(**{n: frame[n].astype(object).fillna("missing") for n in rows.categories}),
                    converted, cat_features=rows.categories)  # fmt: skip

    model = CatBoostClassifier(
        random_seed=rows.seed, thread_count=rows.threads, verbose=False, allow_writing_files=False
    )
    model.fit(
        pool(rows.train[~watched], rows.converted[~watched]),
        eval_set=pool(rows.train[watched], rows.converted[watched]),
        early_stopping_rounds=PATIENCE,
    )
    return np.asarray(model.predict(pool(rows.test), prediction_type="RawFormulaVal"))
