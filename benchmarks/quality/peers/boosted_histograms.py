"""scikit-learn's HistGradientBoostingClassifier as it comes, with its native categories."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.rows import Floats, Rows

MOST_LEVELS = 255


def log_odds(rows: Rows) -> Floats:
    """Fit it; levels beyond the 255 that it takes share one code, rarest first."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    levels = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=MOST_LEVELS,
    )
    columns = make_column_transformer((levels, rows.categories), remainder="passthrough")
    native = np.arange(rows.train.shape[1]) < len(rows.categories)
    boosting = HistGradientBoostingClassifier(categorical_features=native, random_state=rows.seed)
    model = make_pipeline(columns, boosting).fit(rows.train, rows.converted)
    return np.asarray(model.decision_function(rows.test))
