"""The benchmark of training and scoring runs, and its last line can be read by a program."""

import pytest


@pytest.mark.slow
def test_a_quick_run_prints_a_table_and_ends_with_json(quick_form) -> None:
    """Small data: the log-odds agree with LightGBM's own predict plus the linear part, and every figure is there."""
    done, figures = quick_form("train_score")
    assert done.returncode == 0, done.stderr
    assert figures["rows"] == 8000
    assert figures["features"] == 60
    assert {"train_ratio", "score_ratio", "train_peak_gb", "train_seconds", "score_seconds"} <= figures.keys()
    assert figures["roc_auc"] > 0.6
    assert "8,000 rows × 60 features" in done.stdout
