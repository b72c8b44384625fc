"""Logistic regression: long tails tamed by logarithms, everything on one scale, categories one-hot."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.rows import Floats, Rows

LEAST_ROWS_OF_LEVEL = 10


def log_odds(rows: Rows) -> Floats:
    """Fit scikit-learn's `LogisticRegression` as it comes; a missing number is the mean and a flag."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(add_indicator=True), FunctionTransformer(_tamed), StandardScaler())
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=LEAST_ROWS_OF_LEVEL)
    columns = make_column_transformer((numbers, rows.numbers), (levels, rows.categories))
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    return np.asarray(model.fit(rows.train, rows.converted).decision_function(rows.test))


def _tamed(values: Floats) -> Floats:
    return np.sign(values) * np.log1p(np.abs(values))
