"""The quality benchmark: fair figures, differences told from luck, a run that goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss

pytest.importorskip("flaml", reason="the extra `benchmarks` is not installed")

from benchmarks.quality import cache, comparison, known
from models.metrics import evaluate
from models.model import sigmoid

FOLDER = Path(__file__).parents[2]
N = 2_000
FIGURES = {"auc", "ap", "log_loss", "ece"}


@pytest.fixture
def rng() -> np.random.Generator:
    """Return the source of all chance in a test."""
    return np.random.default_rng(5)


@pytest.fixture
def truth(rng: np.random.Generator) -> np.ndarray:
    """Return true log-odds of `N` leads."""
    return rng.normal(-1.5, 1.2, N)


@pytest.fixture
def converted(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """Return labels drawn from the true log-odds."""
    return rng.random(N) < sigmoid(truth)


def leads() -> np.ndarray:
    """Return a lead of its own for every row."""
    return np.arange(N, dtype=np.uint64)


@pytest.mark.slow
def test_the_quick_form_ends_with_everyones_figures(tmp_path: Path) -> None:
    """A small synthetic shop is asked of everyone, and the last line holds four figures for each."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.quality",
        "--quick",
        "--tasks",
        "synthetic",
        "--threads",
        "1",
        "--cache",
        str(tmp_path),
    ]
    run = subprocess.run(
        command, cwd=FOLDER, env={**os.environ, "COLUMNS": "140"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])["synthetic"]
    assert len(figures) == 9
    assert all(set(of) == FIGURES and 0 <= of["ece"] < 1 for of in figures.values())
    assert figures["leadlight"]["auc"] > 0.6
    assert "mean rank over 1 tasks" in run.stdout


@pytest.mark.parametrize("metric", ["log_loss", "ap"])
def test_a_difference_is_that_of_the_two_figures(metric: str, truth: np.ndarray, converted: np.ndarray) -> None:
    """The difference of two models is one's figure minus the other's, as scikit-learn computes them."""
    other = np.round(truth, 1) + 0.3
    found = comparison.difference(truth, other, converted, leads(), peer="other", metric=metric)
    figure = {"log_loss": log_loss, "ap": average_precision_score}[metric]
    expected = figure(converted, sigmoid(truth)) - figure(converted, sigmoid(other))
    assert found.estimate.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", ["log_loss", "ap"])
def test_noise_is_worse_than_the_truth_and_the_truth_is_not(
    metric: str, rng: np.random.Generator, truth: np.ndarray, converted: np.ndarray
) -> None:
    """Whoever adds noise to the truth is told worse than the truth; the other way round is not."""
    noisy = truth + rng.normal(0, 1.0, N)
    assert comparison.difference(noisy, truth, converted, leads(), peer="truth", metric=metric).is_worse
    assert not comparison.difference(truth, noisy, converted, leads(), peer="noise", metric=metric).is_worse


def test_rows_of_one_lead_stand_or_fall_together(
    rng: np.random.Generator, truth: np.ndarray, converted: np.ndarray
) -> None:
    """Every row four times over says no more than once: the interval stays as wide."""
    noisy = truth + rng.normal(0, 0.3, N)
    once, often = (
        comparison.difference(
            np.tile(noisy, times), np.tile(truth, times), np.tile(converted, times), np.tile(leads(), times),
            peer="truth", metric="log_loss",
        ).estimate
        for times in (1, 4)
    )  # fmt: skip
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=1e-6)


def test_ece_is_that_of_the_training_report(truth: np.ndarray, converted: np.ndarray) -> None:
    """Both count ten bins of equally many rows."""
    expected = evaluate(truth, converted, leads(), resamples=1).ece.value
    assert comparison.ece(sigmoid(truth), converted) == pytest.approx(expected, abs=1e-12)


def test_true_probabilities_stay_below_what_luck_makes(truth: np.ndarray) -> None:
    """Labels drawn from the predictions give an ECE below the bound nineteen times in twenty; a shift does not."""
    bound = comparison.ece_of_truth(truth)
    rng = np.random.default_rng(99)
    draws = [comparison.ece(sigmoid(truth), rng.random(N) < sigmoid(truth)) for _ in range(200)]
    assert 0.9 <= np.mean(np.array(draws) <= bound) <= 0.99
    assert comparison.ece(sigmoid(truth + 0.5), rng.random(N) < sigmoid(truth)) > bound


def test_ranks_are_shared_by_equals_and_know_what_is_better() -> None:
    """A lower log-loss ranks first, a higher AP ranks first, and equals share their ranks."""
    figures = {
        "one": {
            "a": {"log_loss": 0.1, "ap": 0.1},
            "b": {"log_loss": 0.2, "ap": 0.2},
            "c": {"log_loss": 0.2, "ap": 0.3},
        },
        "two": {
            "a": {"log_loss": 0.3, "ap": 0.3},
            "b": {"log_loss": 0.4, "ap": 0.3},
            "c": {"log_loss": 0.5, "ap": 0.1},
        },
    }
    assert comparison.mean_ranks(figures, "log_loss") == {"a": 1.0, "b": 2.25, "c": 2.75}
    assert comparison.mean_ranks(figures, "ap") == {"b": 1.75, "c": 2.0, "a": 2.25}


def test_a_peer_worse_than_known_is_a_defect() -> None:
    """Worse by more than .005 is told, by figure; as good as known is not."""
    reached = {"auc": 0.803, "ap": 0.528, "log_loss": 0.3491}
    assert known.defects({"cdnow": {"logistic": reached}}) == [
        "cdnow: logistic reached auc 0.803, known is 0.809.",
        "cdnow: logistic reached log_loss 0.349, known is 0.344.",
    ]
    assert known.defects({"cdnow": {"logistic": known.KNOWN["cdnow", "logistic"]}}) == []


def test_an_answer_is_asked_for_once(tmp_path: Path) -> None:
    """The same key gives the stored answer; another key asks again."""
    asked = []

    def ask() -> np.ndarray:
        asked.append(1)
        return np.array([0.5, float(len(asked))])

    first = cache.remembered(tmp_path, "task-peer", key="rows 1", ask=ask)
    np.testing.assert_array_equal(cache.remembered(tmp_path, "task-peer", key="rows 1", ask=ask), first)
    assert cache.remembered(tmp_path, "task-peer", key="rows 2", ask=ask)[1] == 2
    assert len(asked) == 2
