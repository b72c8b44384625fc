"""Tuning as its user meets it: a study in the workspace, a file that training reads, one MLflow run, ways to stop."""

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from features.catalog import Feature, Phrase
from features.errors import LeadlightError, NotFinishedError
from features.matrix import FeatureTable
from models import registry, tuning
from models.registry import tuning_run
from models.registry.mlflow_client import client
from models.training import TrainingConfig
from models.tuned import Tuned
from pipeline import found_settings
from pipeline.champion import place_of
from pipeline.cli.exits import code_of
from pipeline.cli.show_tuning import show_tuning
from pipeline.exit_codes import NOT_FINISHED
from pipeline.progress import NEWS
from pipeline.settings import Settings, parse
from pipeline.stages.tune import tune
from pipeline.stages.tune_report import TuneReport
from pipeline.workspace import Workspace

# MLflow and SQLAlchemy warn of each other, and of nothing that we call.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime(2024, 7, 1, tzinfo=UTC)
MONTH = 30 * 86_400_000_000
FOUND = Tuned(0.01, 7, 20, 0.1, 0.5, 0.9, 2.0, monotone=False)


def settings_in(folder: Path, **model: object) -> Settings:
    """Return the config of a small shop."""
    raw = {
        "shop": {"name": "Test"},
        "tables": {"orders": {"path": "orders.csv", "columns": {"lead_id": "a", "ordered_at": "b"}}},
        "question": {"name": "Who orders next month?", "conversion": {"table": "orders"}},
        "model": {"max_trees": 20, **model},
    }
    return parse(raw, place=folder / "shop.yaml")


def shop_of(leads: int = 220, *, as_ofs: int = 5, seed: int = 0) -> FeatureTable:
    """Return a labelled shop: every lead at every moment, thirty days apart."""
    rng = np.random.default_rng(seed)
    lead, at = np.repeat(np.arange(leads), as_ofs), np.tile(np.arange(as_ofs), leads)
    orders, days = rng.poisson(1.5, len(at)).astype(float), rng.exponential(40, len(at))
    converted = rng.random(len(at)) < 1 / (1 + np.exp(1.5 - 0.6 * orders + 0.02 * days))
    names = ("orders_count_30d", "days_since_last_order")
    features = tuple(Feature(name, "purchase", "number", "count", name, Phrase("{n}"), "") for name in names)
    time = pa.timestamp("us", tz="UTC")
    keys = {
        "lead_id": [f"lead-{one:04d}" for one in lead],
        "as_of": pa.array(at * MONTH).cast(time),
        "trigger_id": pa.nulls(len(at), pa.string()),
    }
    labels = {
        "converted": converted,
        "converted_at": pa.nulls(len(at), time),
        "decided_at": pa.array((at + 1) * MONTH).cast(time),
        "is_ripe": np.ones(len(at), dtype=bool),
    }
    columns = dict(zip(names, (orders, days), strict=True))
    return FeatureTable(pa.table(keys), pa.table(columns), features, pa.table(labels))


@pytest.fixture(scope="module")
def table() -> FeatureTable:
    """Return one small shop."""
    return shop_of()


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Settings:
    """Return the config of a shop that is tuned by `tuned`."""
    return settings_in(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def tuned_once(shop, table) -> tuple[TuneReport, bytes]:
    """Return the report of two trials and then of two more, and the file they left."""
    tune(shop, now=NOW, trials=2, table=table)
    report = tune(shop, now=NOW, trials=4, table=table)
    return report, found_settings.place_of_found(shop).read_bytes()


@pytest.fixture
def tuned(shop, tuned_once) -> TuneReport:
    """Return the report; the file for training is again what that tuning left, whatever another test made of it."""
    report, left = tuned_once
    found_settings.place_of_found(shop).write_bytes(left)
    return report


def without_mlflow(monkeypatch) -> None:
    """Stand in for MLflow, whose database takes seconds to make."""
    monkeypatch.setattr(registry, "prepare", lambda _: None)
    monkeypatch.setattr(registry, "log_tuning", lambda *_: "a run")


def runs_of(settings: Settings) -> list:
    """Return the active MLflow runs of the shop's studies."""
    asked = client(place_of(settings))
    experiment = asked.get_experiment_by_name(place_of(settings).name)
    return asked.search_runs([experiment.experiment_id], "tags.`leadlight.type` = 'tuning'")


def test_a_second_run_goes_on_where_the_first_ended(tuned):
    """Two trials were there, two were added, and the report says so."""
    assert (tuned.begun_at, tuned.trials, tuned.wanted) == (2, 4, 4)
    assert tuned.complete + tuned.pruned == 4
    assert tuned.is_used == (tuned.gain > tuned.bar)


def test_one_study_is_one_run_with_every_trial_in_it(shop, tuned):
    """However often the study went on, one run shows it: a table of all trials, two curves, pictures, parameters."""
    (run,) = runs_of(shop)
    assert run.info.run_id == tuned.run_id
    asked = client(place_of(shop))
    assert [step.step for step in asked.get_metric_history(tuned.run_id, "value")] == [0, 1, 2, 3]
    assert len(asked.get_metric_history(tuned.run_id, "best_so_far")) == 4
    assert run.data.params["best.leaves"] == str(tuned.best.leaves)
    assert run.data.params["default.rate"] == "0.08"
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    trials = json.loads((folder / "trials.json").read_text())
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3]
    assert len((folder / "trials.csv").read_text().splitlines()) == 5
    assert {path.name for path in (folder / "plots").iterdir()} == {"history.png", "slices.png"}


def test_nothing_new_logs_nothing_new(shop, table, tuned):
    """Asked again for as many trials as there are, the study and its run stay what they are."""
    again = tune(shop, now=NOW, trials=4, table=table)
    assert (again.run_id, again.begun_at, again.trials) == (tuned.run_id, 4, 4)


def test_the_file_for_training_says_what_was_found(shop, table, tuned):
    """best.json reads back as what the report says, and names study and run."""
    found = found_settings.read_found(shop)
    assert found.tuned == (tuned.best if tuned.is_used else None)
    assert (found.run_id, found.trials, found.found_on) == (tuned.run_id, 4, "2024-07-01")
    assert found.asks == found_settings.asked_of(shop, table)


def test_people_are_told_default_best_and_what_comes_of_it(tuned):
    """The page names every round, the settings, the verdict and where things lie."""
    console = Console(file=io.StringIO(), width=400)
    best = replace(tuned, best_number=3, best=FOUND, is_used=True, importance={"rate": 0.6, "strength_step": 0.4})
    for report in (
        tuned,
        best,
        replace(
            best,
            is_used=False,
            is_forward=False,
            rows_seen=10,
            cut_short=1,
            is_warm=True,
            rounds=tuple(replace(one, judged_from="") for one in best.rounds),
        ),
    ):
        show_tuning(console, report)
    told = console.file.getvalue()
    for words in (
        "Who orders next month?", "learning rate", "best (trial 3)", "Training will use it", "the default stays",
        "how much it mattered", "tuning.db", "that go forward in time", "groups of other leads",
        "all those of some leads", "group 1",
    ):  # fmt: skip
        assert words in told, words


def test_training_uses_what_was_found_and_says_so(shop, table, tuned):
    """For the same question and features, grown data included, the recipe has the settings, a note and a tag."""
    with_settings = replace(found_settings.read_found(shop), tuned=FOUND)
    found_settings.write_found(shop, with_settings)
    in_use = found_settings.with_found(shop, TrainingConfig(), shop_of(seed=1))
    assert in_use.config.recipe.tuned == FOUND
    assert in_use.notes[0].startswith(
        "Trees and linear part use the settings that tuning found on 2024-07-01 (4 trials"
    )
    assert in_use.tags == {"leadlight.tuning_run": tuned.run_id}
    assert in_use.parameters["tuned"]["leaves"] == 7


def test_another_question_or_other_features_train_by_default(shop, table, tuned):
    """What was found for something else is not used, and that is said; a new wording is no new question."""
    found_settings.write_found(shop, replace(found_settings.read_found(shop), tuned=FOUND))
    fewer = replace(table, columns=table.columns.select([0]), features=table.features[:1])
    longer = shop.model_copy(update={"question": shop.question.model_copy(update={"horizon_days": 60})})
    for settings, given in ((shop, fewer), (longer, table)):
        in_use = found_settings.with_found(settings, TrainingConfig(), given)
        assert in_use.config.recipe.tuned is None
        assert "belong to another question or other features: the default is used" in in_use.notes[0]
    reworded = shop.model_copy(update={"question": shop.question.model_copy(update={"name": "Other words"})})
    assert found_settings.with_found(reworded, TrainingConfig(), table).config.recipe.tuned == FOUND


def test_the_config_can_turn_found_settings_off(shop, table, tuned):
    """With model.tuning.use: false, training does not look at what was found."""
    found_settings.write_found(shop, replace(found_settings.read_found(shop), tuned=FOUND))
    off = settings_in(shop.shop.workspace.parent, tuning={"use": False})
    assert found_settings.with_found(off, TrainingConfig(), table) == found_settings.InUse(TrainingConfig())


@pytest.mark.parametrize("text", ["{", "[]", '{"tuned": null}', '{"tuned": {"leaves": 7}}'])
def test_a_damaged_file_is_told(tmp_path, text):
    """What tuning did not write is refused with the way out."""
    settings = settings_in(tmp_path)
    place = found_settings.place_of_found(settings)
    place.parent.mkdir(parents=True)
    place.write_text(text)
    with pytest.raises(LeadlightError, match=r"does not hold what tuning wrote(.|\n)*leadlight tune"):
        found_settings.read_found(settings)


def test_two_at_once_are_refused(tmp_path, table):
    """While one tuning is at work, another one ends at once, safe to run again (exit code 3)."""
    settings = settings_in(tmp_path)
    with (
        Workspace(settings.shop.workspace).tuning(),
        pytest.raises(NotFinishedError, match="Another tuning is at work") as told,
    ):
        tune(settings, now=NOW, table=table)
    assert code_of(told.value) == NOT_FINISHED


def test_ctrl_c_keeps_what_was_found_and_says_how_to_go_on(tmp_path, table, monkeypatch):
    """Stopped in trial 2, two trials and the best of them are kept, the code is 3, and the next run tries number 2."""
    settings = settings_in(tmp_path)
    without_mlflow(monkeypatch)
    rounds, asked = tuning.Judge.rounds, []

    def interrupted(judge, one):
        asked.append(one)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return rounds(judge, one)

    monkeypatch.setattr(tuning.Judge, "rounds", interrupted)
    with pytest.raises(NotFinishedError, match=r"Stopped after 2 of 5 trials(.|\n)*it goes on") as told:
        tune(settings, now=NOW, trials=5, table=table)
    assert code_of(told.value) == NOT_FINISHED
    assert found_settings.read_found(settings).trials == 2
    report = tune(settings, now=NOW, trials=3, table=table)
    assert (report.begun_at, report.trials) == (2, 3)
    assert asked[3] == asked[2]


def test_the_study_is_safe_where_mlflow_fails(tmp_path, table, monkeypatch):
    """When MLflow refuses at the end, trials and best.json are there, and the next run only logs."""
    settings = settings_in(tmp_path)

    def away(*_):
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(tuning_run, "_logged", away)
        with pytest.raises(NotFinishedError):
            tune(settings, now=NOW, trials=2, table=table)
    assert found_settings.read_found(settings).trials == 2
    report = tune(settings, now=NOW, trials=2, table=table)
    assert (report.begun_at, report.trials) == (2, 2)
    assert found_settings.read_found(settings).run_id == report.run_id == runs_of(settings)[0].info.run_id


def test_progress_tells_the_best_so_far_on_one_bar(tmp_path, table, monkeypatch):
    """Each trial moves the same step on, with the best value and its trial as news."""
    without_mlflow(monkeypatch)
    told = []
    tune(settings_in(tmp_path), now=NOW, trials=2, table=table, progress=lambda *step: told.append(step))
    steps = [step for step in told if step[0].startswith("tuning")]
    assert [(done, total) for _, done, total in steps] == [(0, 2), (1, 2), (2, 2)]
    assert {text.partition(NEWS)[0] for text, _, _ in steps} == {"tuning"}
    assert "best log-loss 0." in steps[1][0]
    assert steps[1][0].endswith("(trial 0)")
