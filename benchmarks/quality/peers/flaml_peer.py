"""FLAML searches learners and their settings by itself, for as long as it is given."""

from __future__ import annotations

import tempfile
from contextlib import chdir

from benchmarks.quality.peers.margin import log_odds_of
from benchmarks.quality.rows import Floats, Rows


def log_odds(rows: Rows) -> Floats:
    """Let `AutoML` search for the least log-loss over folds of leads; its own preprocessing takes the categories."""
    from flaml import AutoML

    found = AutoML()
    # CatBoost, one of its learners, leaves notes in the working folder.
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        found.fit(
            rows.train, rows.converted.astype(int), task="classification", metric="log_loss", time_budget=rows.seconds,
            split_type="group", groups=rows.group, n_jobs=rows.threads, seed=rows.seed, verbose=0,
        )  # fmt: skip
    return log_odds_of(found.predict_proba(rows.test)[:, 1])
