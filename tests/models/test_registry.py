"""What MLflow remembers of a training, who becomes champion, and what a training that is cut short leaves behind."""

import errno
import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from features.errors import LeadlightError, NotFinishedError
from models import bundle, registry
from models.calibration import Calibration
from models.cross_fit import Plan
from models.lead_hash import lead_hash
from models.metrics import evaluate
from models.recipe import Recipe, RecipeReport
from models.registry import faults, lookup, mlflow_client, training_files, training_run
from models.registry.fingerprint import fingerprint
from models.registry.training import Training, flat_parameters, metric_values
from models.training import HoldOut, TrainedModel
from models.trees import TreeSettings

# MLflow's own imports use what pydantic, SQLAlchemy and others have announced to change.
pytestmark = pytest.mark.filterwarnings("ignore")


def training_of(model, table, **more):
    """Return a training whose hold-out is the second half of *table*."""
    test = np.arange(len(table) // 2, len(table))
    log_odds = model.margins(table.take(test))
    converted = np.random.default_rng(0).random(len(test)) < 1 / (1 + np.exp(-log_odds))
    lead = lead_hash(table.keys["lead_id"])[test]
    table = replace(table, labels=labels_of(table, test, converted))
    metrics = evaluate(log_odds, converted, lead, resamples=20)
    report = RecipeReport(
        recipe=Recipe(),
        closed_by=0,
        rows=len(table),
        conversions=500,
        base_rate=0.2,
        dropped=(),
        plan=Plan(0.1, 30, 1, TreeSettings(leaves=15, least_rows=20, rate=0.1, seed=0, threads=1)),
        forward_blocks=0,
        calibration=Calibration(model.blend, (), "", (0.5, 0.5, 0.5)),
        notes=("A note.",),
    )
    hold_out = HoldOut(np.arange(len(table) // 2), test, 1_700_000_000_000_000, log_odds, converted, lead)
    return Training(TrainedModel(model, model, hold_out, metrics, report, report), table, **more)


def labels_of(table, test, converted):
    """Return labels that were decided a month after each snapshot; those of *test* are *converted*."""
    all_converted = np.arange(len(table)) % 5 == 0
    all_converted[test] = converted
    month = pa.scalar(30 * 86_400_000_000, pa.duration("us"))
    return pa.table(
        {
            "converted": all_converted,
            "decided_at": pc.add(table.keys["as_of"], month),
            "is_ripe": np.ones(len(table), dtype=bool),
        }
    )


@pytest.fixture(scope="session")
def training(lead_model, some_leads):
    """Return one training of the small model."""
    table = some_leads(1200, 3)
    question = {"question": {"horizon_days": 30}, "windows": [7, 30], "uri": "postgresql://me:secret@host/db"}
    plain = training_of(lead_model, table)
    config = "shop: {name: Corner shop}\n"
    return replace(plain, parameters=question, config=config, others={"logistic": plain.trained.metrics})


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Return a place in a workspace whose path holds a space."""
    return registry.in_workspace(tmp_path_factory.mktemp("the registry") / "my shop", name="Bob's corner/shop")


@pytest.fixture(scope="session")
def logged(place, training):
    """Return three versions, logged one after the other, as they were just after that; the first with its files."""
    first = registry.log_training(place, training)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training_files, "write_files", without_files)
        return [first, *(registry.log_training(place, training) for _ in range(2))]


def without_files(training, folder):
    """Stand in for what draws pictures, which takes seconds."""


def test_the_first_model_is_champion_and_later_ones_challenge_it(place, logged):
    """The first trained model scores; the newest other one is the challenger, and the champion stays."""
    assert [one.number for one in logged] == [1, 2, 3]
    assert [one.aliases for one in logged] == [("champion",), ("challenger",), ("challenger",)]
    assert registry.champion(place) == logged[0]
    assert {one.number: one.aliases for one in registry.versions(place)} == {
        3: ("challenger",),
        2: (),
        1: ("champion",),
    }


def test_a_version_is_found_by_label_number_and_alias(place, logged):
    """A stored score's label leads back to its model."""
    newest = logged[2]
    assert registry.version(place, newest.label) == registry.version(place, "3") == newest
    assert registry.version(place, "challenger") == newest
    with pytest.raises(LeadlightError, match=r"There is no version '9-x'"):
        registry.version(place, "9-x")


def test_the_bundle_of_a_version_is_the_model(logged, lead_model, some_leads):
    """What the registry points to predicts what was trained, bit by bit."""
    table = some_leads(300, 9)
    assert np.array_equal(bundle.load(logged[0].bundle).margins(table), lead_model.margins(table))


def test_the_champion_is_found_without_mlflow(place, logged, tmp_path):
    """A nightly run pays nothing for MLflow's import."""
    script = (
        "import sys; from pathlib import Path; from models import bundle, registry\n"
        f"place = registry.in_workspace(Path({str(place.fetched.parent)!r}), name={place.name!r})\n"
        "bundle.load(registry.champion(place).bundle)\n"
        "print({'mlflow', 'numba', 'shap', 'matplotlib', 'sklearn'} & sys.modules.keys())"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "set()"


def test_the_short_way_sees_what_mlflow_sees(place, logged):
    """Reading the SQLite file and asking MLflow give the same versions, aliases, tags and places."""
    assert lookup._records(place) == lookup._records_by_mlflow(place)
    assert [record.number for record in lookup._records(place)] == [3, 2, 1]


def test_a_run_holds_every_figure_with_its_bounds(place, logged, training):
    """Each metric lies in MLflow with its interval; the other models' too; parameters are flat."""
    run = training_run.client(place).get_run(logged[0].run_id)
    assert run.data.metrics == pytest.approx(metric_values(training), nan_ok=True)
    for name in ("test.average_precision", "test.lift_at_10", "logistic.log_loss"):
        low, value, high = (run.data.metrics[name + end] for end in (".low", "", ".high"))
        assert low <= value <= high
    assert run.data.params == {name: str(value) for name, value in flat_parameters(training).items()}
    assert run.data.params["question.horizon_days"] == "30"
    assert run.data.params["uri"] == "postgresql://…@host/db"
    assert run.data.tags["leadlight.data_fingerprint"] == fingerprint(training.table)
    assert run.info.status == "FINISHED"


def test_a_run_holds_curves_pictures_report_and_dictionary(logged):
    """What a data scientist would look for lies in the run as numbers and as pictures."""
    files = logged[0].bundle.parents[4] / logged[0].run_id / "artifacts"
    names = {path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()}
    curves = ("calibration", "gains", "precision_recall", "roc")
    assert names == {
        "card/model_card.html",
        "card/model_card.md",
        "config.yaml",
        "curves/curves.json",
        "data_dictionary.json",
        "data_dictionary.md",
        "plots/shap_summary.png",
        "report.json",
        "shap/summary.csv",
        *(f"curves/{name}.csv" for name in curves),
        *(f"plots/{name}.png" for name in curves),
    }
    assert json.loads((files / "report.json").read_text())["model_that_ships"]["notes"] == ["A note."]
    assert set(json.loads((files / "curves" / "curves.json").read_text())) == set(curves)


def test_a_run_cut_short_leaves_no_champion(training, place, tmp_path, monkeypatch):
    """Whatever stops a training before its end, nothing is registered; the next one is champion."""
    empty = _copy_of_records(place, tmp_path, name="another shop")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training_files, "write_files", stop)
    with pytest.raises(KeyboardInterrupt):
        registry.log_training(empty, training)
    assert registry.versions(empty) == ()
    with pytest.raises(LeadlightError, match="No model of 'another shop' has been trained yet"):
        registry.champion(empty)
    monkeypatch.setattr(training_files, "write_files", without_files)
    assert registry.log_training(empty, training).aliases == ("champion",)


def test_a_database_that_refuses_is_told_as_work_to_repeat(training, place, tmp_path, monkeypatch):
    """MLflow's own errors become one message, without a password, and exit code 3."""
    from mlflow.exceptions import MlflowException

    def refuse(*_, **__):
        raise MlflowException("no answer from postgresql://me:secret@host/db\nTraceback …")

    other = _copy_of_records(place, tmp_path, name="a third shop")
    monkeypatch.setattr(training_run, "_register", refuse)
    monkeypatch.setattr(training_files, "write_files", without_files)
    with pytest.raises(NotFinishedError) as caught:
        registry.log_training(other, training)
    assert "no answer from postgresql://…@host/db" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert registry.versions(other) == ()


@pytest.mark.parametrize(
    "refused",
    [
        OperationalError("CREATE TABLE runs (x)", {}, sqlite3.OperationalError("database or disk is full")),
        MlflowException("(raised as a result of Query-invoked autoflush)\n(sqlite3.OperationalError) disk I/O error"),
        OSError(errno.EFBIG, "File too large"),
        sqlite3.OperationalError("database or disk is full"),
    ],
)
def test_a_full_disk_is_told_however_a_database_words_it(refused):
    """The number, the text of any line and the text of what led to it: each says to free some space."""
    with pytest.raises(NotFinishedError, match="free some space"), mlflow_client.reported("make its database"):
        raise refused


def test_what_else_a_database_refuses_names_its_first_line():
    """A locked database is work to repeat, and no full disk."""
    locked = OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))
    with pytest.raises(NotFinishedError, match="database is locked"), mlflow_client.reported("log the training"):
        raise locked


def test_a_moved_workspace_still_scores_but_does_not_write_where_it_was(place, logged, tmp_path):
    """The champion is found under the workspace's new name; training there is refused with the remedy."""
    moved = tmp_path / "moved"
    shutil.copytree(place.fetched.parent, moved)
    there = registry.in_workspace(moved, name=place.name)
    found = registry.champion(there)
    # The copied database names folders of the original, which is still there.
    assert found.bundle == logged[0].bundle
    with pytest.raises(LeadlightError, match="belong to a workspace in another place"):
        registry.prepare(there)


def test_files_of_a_moved_workspace_are_found_below_its_new_name(place, logged, tmp_path):
    """Where the old folder is gone, the bundle is read from the new one."""
    moved = tmp_path / "moved"
    shutil.copytree(place.fetched.parent, moved)
    there = registry.in_workspace(moved, name=place.name)
    record = lookup._records(there)[-1]
    gone = replace(record, location=record.location.replace("my%20shop", "gone"))
    assert lookup._bundle_folder(there, gone).is_relative_to(moved)
    assert bundle.load(lookup._bundle_folder(there, gone))


def test_a_place_without_records_has_no_versions(tmp_path):
    """Asking creates nothing."""
    nowhere = registry.in_workspace(tmp_path / "ws", name="shop")
    assert registry.versions(nowhere) == ()
    assert not (tmp_path / "ws").exists()


def test_missing_files_are_told_with_their_place(place, logged, tmp_path):
    """A registered model without files says where they should be."""
    records = lookup._records(place)
    lost = replace(records[0], location=(tmp_path / "lost").as_uri())
    with pytest.raises(LeadlightError, match="are gone"):
        lookup._with_bundle(replace(place, artifacts=(tmp_path / "x").as_uri()), lost)


def test_the_fingerprint_knows_the_data_and_not_their_order(some_leads):
    """Rows in another order are the same data; another value, label or lead is not."""
    table = some_leads(200, 1)
    shuffled = table.take(np.random.default_rng(0).permutation(200))
    changed = table.columns.set_column(0, table.columns.column_names[0], [np.append(99.0, np.zeros(199))])
    assert fingerprint(shuffled) == fingerprint(table)
    assert fingerprint(replace(table, columns=changed)) != fingerprint(table)
    assert fingerprint(table.take(np.arange(199))) != fingerprint(table)


def test_names_that_mlflow_refuses_are_mended(tmp_path):
    """A shop may be called what it likes."""
    assert registry.in_workspace(tmp_path, name='A/B: "C"').name == "A-B- -C-"


def test_the_text_for_a_shop_without_a_model():
    """The message says what to do next."""
    assert str(faults.no_champion("shop")) == "No model of 'shop' has been trained yet.\n\nHint: run `leadlight train`."


@pytest.mark.slow
def test_two_trainings_at_once_and_one_killed_leave_one_champion(tmp_path):
    """Processes that end together, and one that dies before it registers, leave whole records."""
    folder = tmp_path / "ws"
    script = _driver(folder)
    kill = "import os, signal; training_run._register = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
    (tmp_path / "tmp").mkdir()
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script.format(before=before)],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},  # the killed one cannot tidy up
        )
        for before in ("", "", kill)
    ]
    assert [run.wait(timeout=300) for run in runs] == [0, 0, -9]
    place = registry.in_workspace(folder, name="shop")
    found = registry.versions(place)
    assert {one.number: one.aliases for one in found} == {1: ("champion",), 2: ("challenger",)}
    assert all(bundle.load(one.bundle) for one in found)
    assert [path.name for path in tmp_path.iterdir() if path.name != "tmp"] == ["ws"]


def test_a_database_that_was_never_finished_is_made_anew(tmp_path, monkeypatch):
    """A process killed while MLflow makes its tables leaves nothing that the next one would trip over."""
    import mlflow

    made = []

    class Client:
        def __init__(self, tracking_uri, registry_uri):
            made.append(Path(tracking_uri.removeprefix("sqlite:///")))
            self.search_experiments = lambda max_results: made[-1].write_text("tables")

    (tmp_path / ".mlflow-left").mkdir()
    monkeypatch.setattr(mlflow, "MlflowClient", Client)
    training_run.client(registry.in_workspace(tmp_path, name="shop"))
    assert made[0].parent.parent == tmp_path
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "mlflow.lock"}


def _driver(folder):
    """Return a program that logs one training into *folder*."""
    paths = {"cases": __file__, "made": str(Path(__file__).with_name("conftest.py"))}
    imports = "".join(
        f"spec = importlib.util.spec_from_file_location({name!r}, {path!r}); "
        f"{name} = importlib.util.module_from_spec(spec); spec.loader.exec_module({name})\n"
        for name, path in paths.items()
    )
    return (
        "import importlib.util\nfrom pathlib import Path\n" + imports + "from models import registry\n"
        "from models.registry import training_files, training_run\nfrom models.calibration import Blend\n"
        "matrix = made.encoder().tree_matrix(made.leads(1000, 0))\n"
        "model = made.assembled(made.boosted(matrix, 0), Blend(b=-0.1, w_linear=0.4, w_trees=0.7))\n"
        "training_files.write_files = cases.without_files\n"
        "{before}"
        f"place = registry.in_workspace(Path({str(folder)!r}), name='shop')\n"
        "registry.log_training(place, cases.training_of(model, made.leads(600, 1)))\n"
    )


def _copy_of_records(place, folder, *, name):
    """Return a place of another name beside the same database: making a database takes seconds."""
    return replace(place, artifacts=(folder / "mlartifacts").as_uri(), name=name)


def test_the_driver_program_is_written_for_this_file():
    """The slow test's program can be compiled."""
    compile(_driver(Path("x")).format(before=""), "driver", "exec")
    assert importlib.util.find_spec("mlflow")
