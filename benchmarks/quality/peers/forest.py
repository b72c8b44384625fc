"""Random forest: 500 trees, leaves of five rows so that their shares are probabilities, categories as ordinals."""

from __future__ import annotations

from benchmarks.quality.peers.margin import log_odds_of
from benchmarks.quality.rows import Floats, Rows

TREES, LEAST_ROWS, SHARE_OF_FEATURES = 500, 5, 0.2
MISSING, UNSEEN = -2, -1


def log_odds(rows: Rows) -> Floats:
    """Fit scikit-learn's `RandomForestClassifier`; missing numbers go to it as they are."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    levels = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=UNSEEN, encoded_missing_value=MISSING)
    columns = make_column_transformer((levels, rows.categories), remainder="passthrough")
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=LEAST_ROWS, max_features=SHARE_OF_FEATURES, n_jobs=rows.threads, random_state=rows.seed
    )
    model = make_pipeline(columns, forest).fit(rows.train, rows.converted)
    return log_odds_of(model.predict_proba(rows.test)[:, 1])
