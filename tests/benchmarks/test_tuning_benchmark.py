"""The benchmark of tuning runs, kills and resumes, and its last line can be read by a program."""

import pytest


@pytest.mark.slow
def test_a_quick_run_kills_a_study_and_resumes_it_at_the_same_trial(quick_form) -> None:
    """Killed during trial 2, the study of five trials goes on at trial 2, and every number occurs once."""
    done, figures = quick_form("tuning")
    assert done.returncode == 0, done.stderr
    assert figures["killed_at"] == figures["resumed_at"] == 2
    assert figures["numbers"] == [0, 1, 2, 3, 4]
    assert {"wall_seconds", "peak_gb", "mean_trial_seconds"} <= figures.keys()
    assert "resumed at trial" in done.stdout
