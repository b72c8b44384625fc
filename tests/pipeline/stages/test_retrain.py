"""A challenger reaches the scores only through the gate; the backtest tells the past without the future."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from models import gate, registry
from pipeline.champion import champion, place_of
from pipeline.cli.app import app
from pipeline.cli.show_backtest import show_backtest
from pipeline.cli.show_retraining import show_retraining
from pipeline.score_store import ScoreStore
from pipeline.settings import Settings, parse
from pipeline.stages.backtest import backtest
from pipeline.stages.ingest import ingest
from pipeline.stages.registered import promote
from pipeline.stages.retrain import retrain
from pipeline.stages.score import score
from pipeline.stages.train import train
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2025, 2, 1, tzinfo=UTC)


def write_orders(folder: Path) -> None:
    """Write two years of orders of 140 customers, each with a rate of their own that fades after a while."""
    rng = np.random.default_rng(7)
    rows = []
    for customer in range(140):
        start, gap, stays = rng.uniform(0, 300), 8 + rng.exponential(40), rng.exponential(300)
        day = start
        while day < min(start + stays, 720):
            rows.append((len(rows), f"c{customer}", datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=float(day)),
                         f"{rng.uniform(5, 80):.2f}"))  # fmt: skip
            day += rng.exponential(gap)
    with (folder / "orders.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("order_id", "lead_id", "ordered_at", "amount"), *rows])


def settings_of(folder: Path, **changes: dict) -> Settings:
    """Return the shop's config, sections replaced by *changes*."""
    raw = {
        "shop": {"name": "Bakery"},
        "tables": {"orders": {"path": "orders.csv"}},
        "question": {
            "name": "Who buys again within 30 days?",
            "conversion": {"table": "orders"},
            "snapshots": {"every": "1mo"},
            "cohort": {"who": "customers"},
            "horizon_days": 30,
        },
        "features": {"windows": [30, 90], "families": ["purchase"]},
        "model": {"max_trees": 10},
    }
    return parse({**raw, **changes}, place=folder / "leadlight.yaml")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """The shop trained and scored, then trained anew: too soon, and when the champion is old."""
    folder = tmp_path_factory.mktemp("bakery")
    write_orders(folder)
    settings = settings_of(folder)
    ingest(settings, now=NOW)
    first = train(settings)
    scored = score(settings, scored_at=NOW)
    published = (settings.shop.workspace / "scores" / "manifest.json").read_bytes()
    soon = retrain(settings, now=NOW)
    late = retrain(settings, now=NOW + timedelta(days=3650))
    challenger = registry.version(place_of(settings), registry.CHALLENGER).label
    return SimpleNamespace(folder=folder, settings=settings, first=first, scored=scored, published=published,
                           soon=soon, late=late, challenger=challenger)  # fmt: skip


def check(report, name):
    """Return one of the gate's checks."""
    return next(one for one in report.checks if one.name == name)


def test_the_same_model_again_is_no_better(job):
    """On unchanged data the challenger is registered, not promoted, and told why."""
    assert job.first.is_champion
    assert not job.soon.is_promoted
    assert not job.soon.trained.is_champion
    assert job.soon.champion == job.first.version
    assert job.soon.champion_was_refitted
    assert "Not shown to be better" in check(job.soon, "champion").text


def test_no_worse_is_enough_once_the_champion_is_old(job):
    """Ten years later the same challenge passes the check against the champion."""
    assert check(job.late, "champion").passed
    assert "No worse by 0.002" in check(job.late, "champion").text
    own = [one.passed for one in job.late.checks if one.name != "champion"]
    assert job.late.is_promoted == all(own)


def test_what_passes_is_champion_and_the_history_says_why(job):
    """The alias and the history follow the gate's decision; what fails only challenges."""
    place = place_of(job.settings)
    label = champion(job.settings)[1]
    assert label == (job.late.trained.version if job.late.is_promoted else job.first.version)
    assert registry.history(place)[0].why.startswith("gate: " if job.late.is_promoted else "first model")
    if not job.late.is_promoted:
        assert job.challenger == job.late.trained.version


def test_a_promotion_publishes_nothing(job):
    """The scores that people see stay those of the champion before, until the next run."""
    assert (job.settings.shop.workspace / "scores" / "manifest.json").read_bytes() == job.published
    assert ScoreStore(Workspace(job.settings.shop.workspace)).published().model_version == job.scored.model_version


def test_another_question_is_not_compared(job):
    """A champion that answers another question is not asked; the person is told what differs and what to do."""
    question = {**job.settings.model_dump()["question"], "horizon_days": 60}
    other = settings_of(job.folder, question={**question, "snapshots": {"every": "1mo"}})
    report = retrain(other, now=NOW)
    assert not report.is_promoted
    assert "answers another question (horizon_days differ)" in check(report, "champion").text
    assert "leadlight promote" in check(report, "champion").text


def test_a_first_model_passes_by_what_it_is(job, tmp_path):
    """Where there is no champion, calibration and baselines alone decide."""
    (tmp_path / "orders.csv").write_bytes((job.folder / "orders.csv").read_bytes())
    settings = settings_of(tmp_path)
    ingest(settings, now=NOW)
    report = retrain(settings, now=NOW)
    assert [one.name for one in report.checks] == ["calibration", "baselines"]
    assert report.champion == ""
    there = [alias for one in registry.versions(place_of(settings)) for alias in one.aliases]
    assert there == (["champion"] if report.is_promoted else ["challenger"])


CARD = """
rules:
  - {name: ordered, group: engagement, points: 5, cap: 30, table: orders, within: 90}
  - {name: ordered this month, group: engagement, points: 20, table: orders, within: 30, per: once}
"""


@pytest.fixture(scope="module")
def grown_out_of_its_card(job, tmp_path_factory):
    """A shop that scores by its card and by now has enough conversions: retrained, then the model promoted."""
    folder = tmp_path_factory.mktemp("young_bakery")
    (folder / "orders.csv").write_bytes((job.folder / "orders.csv").read_bytes())
    (folder / "points.yaml").write_text(CARD)
    settings = settings_of(folder, points={"card": "points.yaml"})
    ingest(settings, now=NOW)
    report = retrain(settings, now=NOW)
    aliases = [alias for one in registry.versions(place_of(settings)) for alias in one.aliases]
    before = score(settings, scored_at=NOW).model_version
    promote(settings, report.trained.version, at=NOW)
    after = score(settings, scored_at=NOW).model_version
    return SimpleNamespace(settings=settings, report=report, aliases=aliases, before=before, after=after)


def test_against_a_points_card_a_model_only_challenges(grown_out_of_its_card):
    """Whatever the gate says, a person switches: the model is registered, and the card goes on scoring."""
    found = grown_out_of_its_card
    assert [one.name for one in found.report.checks] == ["card", "calibration", "baselines"]
    assert not found.report.is_promoted
    assert found.report.is_proposed == all(one.passed for one in found.report.checks)
    assert found.aliases == ["challenger"]
    assert found.before.startswith("points-")
    assert found.report.trained.who_scores == "the points card 'points.yaml' keeps scoring"


def test_the_gain_over_the_card_is_that_of_the_judged_baseline(grown_out_of_its_card):
    """Card and model are compared on the same hold-out as all baselines: the difference of two figures of the table."""
    report = grown_out_of_its_card.report
    ours, theirs = (report.trained.metrics[name]["log_loss"][0] for name in ("leadlight", "points"))
    gain, low, high = report.gain_over_card
    assert gain == pytest.approx(theirs - ours)
    assert low <= gain <= high
    assert check(report, "card").passed == (low > gate.ROUNDING)


def test_once_promoted_the_model_scores_and_is_who_a_challenger_must_beat(grown_out_of_its_card):
    """The switch is one promotion; from then on the card is a baseline and no more."""
    found = grown_out_of_its_card
    assert found.after == found.report.trained.version
    again = retrain(found.settings, now=NOW)
    assert [one.name for one in again.checks] == ["champion", "calibration", "baselines"]
    assert (again.card, again.gain_over_card, again.is_proposed) == ("", None, False)
    assert "points" in again.trained.metrics


def test_the_proposal_stands_in_the_first_line(grown_out_of_its_card, console_text):
    """Whoever reads one line knows that a switch is proposed, or that the card stays."""
    report = grown_out_of_its_card.report
    proposed = console_text(show_retraining, replace(report, is_proposed=True))
    label = report.trained.version
    assert proposed.splitlines()[0] == f"Proposed: let {label} score in place of the points card 'points.yaml'."
    assert f"leadlight promote {label}" in proposed
    stays = console_text(show_retraining, replace(report, is_proposed=False))
    assert stays.splitlines()[0] == f"{label} is not proposed. The points card 'points.yaml' keeps scoring."


@pytest.mark.parametrize(("is_proposed", "code"), [(True, 0), (False, 1)])
def test_a_proposal_is_a_success(grown_out_of_its_card, monkeypatch, is_proposed, code):
    """The exit code is 0 where the model passed and waits for a person, 1 where it failed."""
    report = replace(grown_out_of_its_card.report, is_proposed=is_proposed)
    monkeypatch.setattr("pipeline.stages.retrain.retrain", lambda *_, **__: report)
    monkeypatch.setattr("pipeline.cli.learning.opened", lambda _: None)
    answer = CliRunner().invoke(app, ["retrain"])
    assert answer.exit_code == code
    assert (f"Next: leadlight promote {report.trained.version}" in answer.stdout) == is_proposed


def test_the_decision_stands_in_the_first_line(job, console_text):
    """Whoever reads one line knows whether the scores change; every check follows with its mark."""
    text = console_text(show_retraining, job.soon)
    assert (
        text.splitlines()[0]
        == f"{job.soon.trained.version} is not promoted. Champion {job.soon.champion} keeps scoring."
    )
    assert "✗ Not shown to be better" in text
    assert f"leadlight promote {job.soon.trained.version}" in text


def test_the_backtest_tells_every_fold_and_keeps_what_was_said(job, console_text):
    """Folds forward in time, baselines beside the model, the optimism labelled, each answer kept with its label."""
    report = backtest(job.settings, folds=2)
    assert report.is_forward
    assert len(report.folds) == 2
    assert list(report.overall.metrics) == ["leadlight", "logistic", "lightgbm", "recency", "frequency", "rfm", "bgnbd"]
    answers = pq.read_table(report.answers)
    assert len(answers) == report.overall.test_rows == sum(fold.test_rows for fold in report.folds)
    assert sum(answers["converted"].to_pylist()) == report.overall.observed
    low, high = answers["probability_low"].to_numpy(), answers["probability_high"].to_numpy()
    assert ((low <= answers["probability"].to_numpy()) & (answers["probability"].to_numpy() <= high)).all()
    assert json.loads(report.report.read_text(encoding="utf-8"))["report"]["verdict"] == report.verdict
    assert all(path.stat().st_size for path in report.pictures)
    text = console_text(show_backtest, report)
    assert text.splitlines()[0] == report.verdict
    assert "Optimism: a split of rows at random" in text
