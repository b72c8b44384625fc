"""What a model must beat to be worth having, on the same rows and the same features.

- logistic: numbers standardised and missing ones set to the mean, categories one-hot, scikit-learn's own settings;
- lightgbm: `LGBMClassifier` as it comes, categories as LightGBM's native ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.metrics import Metrics, evaluate
from models.training import moments_of

if TYPE_CHECKING:
    import pandas as pd

    from features.matrix import FeatureTable
    from models.training import HoldOut

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baselines:
    """How the two plain models did on the hold-out."""

    logistic: Metrics
    lightgbm: Metrics


def judge_baselines(table: FeatureTable, hold_out: HoldOut, *, seed: int = 0) -> Baselines:
    """Fit both plain models on the hold-out's training rows and judge them on its test rows.

    Args:
        table: The table that was given to `models.training.train`.
        hold_out: What `train` set aside.
        seed: Seeds LightGBM and the bootstrap.
    """
    train, test = table.take(hold_out.train_rows), table.take(hold_out.test_rows)
    converted = moments_of(train).converted
    judged = (
        evaluate(margins, hold_out.converted, hold_out.lead, seed=seed)
        for margins in (logistic_margins(train, converted, test), lightgbm_margins(train, converted, test, seed=seed))
    )
    return Baselines(*judged)


def logistic_margins(train: FeatureTable, converted: npt.NDArray[np.bool_], test: FeatureTable) -> Floats:
    """Return the log-odds of a plain logistic regression, shape ``(n_test,)``."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    return np.asarray(model.fit(_frame(train), converted).decision_function(_frame(test)))


def lightgbm_margins(train: FeatureTable, converted: npt.NDArray[np.bool_], test: FeatureTable, *, seed: int) -> Floats:
    """Return the log-odds of LightGBM with its default settings, shape ``(n_test,)``."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(random_state=seed, verbosity=-1, deterministic=True, force_row_wise=True)
    return np.asarray(model.fit(_frame(train), converted).predict(_frame(test), raw_score=True))


def _frame(table: FeatureTable) -> pd.DataFrame:
    """Return the features as pandas, under names that LightGBM accepts, categories as such."""
    plain = table.columns.rename_columns([f"c{place}" for place in range(table.columns.num_columns)])
    frame: pd.DataFrame = plain.to_pandas(strings_to_categorical=True)
    return frame
