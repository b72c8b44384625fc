"""The model that MLflow hands over: the same scores as ours, anywhere, and nothing pickled."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import LeadlightError
from models import bundle
from models.registry import model_folder, served

# MLflow's own imports use what pydantic, SQLAlchemy and others have announced to change.
pytestmark = pytest.mark.filterwarnings("ignore")

OUTPUTS = ["probability", "low", "high", "score"]


@pytest.fixture(scope="session")
def folder(lead_model, some_leads, tmp_path_factory):
    """Return a model's folder as MLflow would store it."""
    from mlflow.models import Model

    root = tmp_path_factory.mktemp("a model")
    model_folder.write_bundle(lead_model, root / "bundle", notes={"training.json": b"{}"})
    model_folder.save_model_folder(
        root / "model",
        bundle_folder=root / "bundle",
        features=lead_model.features,
        leads=some_leads(200, 3),
        described=Model(),
    )
    shutil.rmtree(root / "bundle")
    return root / "model"


def expected(model, table):
    """Return what the model itself says of *table*, column by column."""
    said = model.predict(table)
    return {name: getattr(said, name).tolist() for name in OUTPUTS}


def test_the_pyfunc_model_gives_our_scores_bit_by_bit(folder, lead_model, some_leads):
    """Missing numbers, missing categories and unseen levels included."""
    import mlflow.pyfunc

    table = some_leads(400, 5)
    rows = served.frame(table, lead_model.features)
    rows.index = range(1000, 1400)
    answer = mlflow.pyfunc.load_model(str(folder)).predict(rows)
    assert answer.to_dict("list") == expected(lead_model, table)
    assert answer.index.equals(rows.index)


def test_absent_columns_and_nulls_are_missing_values(folder, lead_model):
    """A caller sends what it knows; the order of columns does not matter."""
    import mlflow.pyfunc

    loaded = mlflow.pyfunc.load_model(str(folder))
    names = list(lead_model.feature_names)
    full = pd.DataFrame([dict.fromkeys(names, np.nan) | {"cart_value": 9.5, "first_source": None, "plan": "pro"}])
    full = full.astype({"first_source": object, "plan": object})
    short = pd.DataFrame([{"plan": "pro", "cart_value": 9.5}])
    assert loaded.predict(short).equals(loaded.predict(full[names]))
    assert served.answer(lead_model, short).equals(loaded.predict(short))


def test_a_table_survives_the_way_to_rows_and_back(lead_model, some_leads):
    """What is sent is what the model reads: numbers bit by bit, texts, and what is missing."""
    table = some_leads(50, 2)
    back = served.matrix_rows(served.frame(table, lead_model.features), lead_model.features)
    for name, column in zip(lead_model.feature_names, back.columns.columns, strict=True):
        sent = table.columns[name]
        if pa.types.is_dictionary(sent.type):
            assert column.cast(pa.string()).to_pylist() == sent.cast(pa.string()).to_pylist()
        else:
            assert np.array_equal(column.to_numpy(), sent.to_numpy(), equal_nan=True)


def test_every_column_is_optional_numbers_double_texts_string(lead_model):
    """The signature is the promise made to callers."""
    signature = model_folder.signature(lead_model.features)
    assert [(one.name, one.type.name, one.required) for one in signature.inputs.inputs] == [
        (feature.name, "double" if feature.kind == "number" else "string", False) for feature in lead_model.features
    ]
    assert [(one.name, one.type.name) for one in signature.outputs.inputs] == [
        *((name, "double") for name in OUTPUTS[:3]),
        ("score", "long"),
    ]


def test_the_input_example_is_nobody(lead_model, some_leads):
    """Medians and most frequent levels, so that no lead's row lies open in the artifacts."""
    leads = some_leads(101, 4)
    typical = model_folder.typical_lead(leads, lead_model.features)
    assert len(typical) == 1
    assert typical.columns["cart_value"][0].as_py() == np.nanmedian(leads.columns["cart_value"].to_numpy())
    counts = leads.columns["first_source"].cast(pa.string()).to_pandas().value_counts()
    assert counts[typical.columns["first_source"].cast(pa.string())[0].as_py()] == counts.max()


def test_nothing_is_pickled(folder):
    """No file is a pickle by name or by content, and MLflow is told to run the loader instead."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib", ".cloudpickle"}]
    # Protocols 2 to 5 begin with 0x80 and their number.
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]
    described = (folder / "MLmodel").read_text()
    assert "loader_module: mlflow.pyfunc.loaders.code_model" in described
    assert "python_model:" not in described


def test_the_loader_is_constant_and_in_the_manifest(folder):
    """The file that MLflow runs is the one of this version, and the bundle knows its hash."""
    carried = bundle.verified_files(folder / "artifacts" / "bundle")
    assert (folder / "loader.py").read_bytes() == carried["loader.py"]
    assert carried["loader.py"] == Path(model_folder.__file__).with_name("loader.py").read_bytes()


def test_requirements_name_the_wheel_that_is_carried(folder):
    """A fresh environment gets Leadlight from the model itself, and pinned versions of the rest."""
    wheel, *pinned = (folder / "requirements.txt").read_text().split()
    assert (folder / wheel).is_file()
    assert {line.partition("==")[0] for line in pinned} == set(model_folder.NEEDED)


@pytest.mark.parametrize("name", ["trees-0.txt", "model.json", "loader.py", "training.json"])
def test_a_changed_file_is_noticed(folder, tmp_path, name):
    """Not one byte of a bundle changes without its manifest saying so, through MLflow as well."""
    import mlflow.pyfunc

    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    with (copy / "artifacts" / "bundle" / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(LeadlightError, match=f"{name}: changed"):
        mlflow.pyfunc.load_model(str(copy))


def test_a_changed_wheel_is_not_run(folder, tmp_path):
    """The loader compares the wheel's hash before Python may import from it."""
    import runpy

    copy = tmp_path / "bundle"
    shutil.copytree(folder / "artifacts" / "bundle", copy)
    wheel = next(copy.glob("*.whl"))
    loader = runpy.run_path(str(folder / "loader.py"))
    assert loader["_checked_wheel"](copy) == wheel
    wheel.write_bytes(wheel.read_bytes() + b" ")
    with pytest.raises(ImportError, match="nothing of it was run"):
        loader["_checked_wheel"](copy)


ALONE = """
import json, sys, warnings
warnings.simplefilter("ignore")
sys.path.append({site!r})
import mlflow.pyfunc, pandas as pd
loaded = mlflow.pyfunc.load_model({folder!r})
rows = pd.read_json({rows!r}, orient="split", dtype=False, precise_float=True)
answer = loaded.predict(rows.astype({types!r}))
import models
print(json.dumps([models.__file__, answer.to_dict("list")]))
"""


@pytest.mark.parametrize("neighbours", [[], pytest.param(["features", "models", "pipeline"], marks=pytest.mark.slow)])
def test_a_process_without_leadlight_gives_our_scores(folder, lead_model, some_leads, tmp_path, neighbours):
    """From an empty folder, or among strangers of our names, the code comes from the wheel in the model."""
    import mlflow

    for name in neighbours:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger was imported')")
    table = some_leads(60, 8)
    rows = served.frame(table, lead_model.features)
    (tmp_path / "rows.json").write_text(json.dumps(plain_split(rows)))
    script = ALONE.format(
        site=str(Path(mlflow.__file__).parents[1]),
        folder=str(folder),
        rows=str(tmp_path / "rows.json"),
        types={feature.name: "float64" for feature in lead_model.features if feature.kind == "number"},
    )
    # -S keeps Python from the .pth files, and so from an editable install of Leadlight.
    answer = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=tmp_path, env=quiet(), capture_output=True, text=True, check=True
    )
    where, said = json.loads(answer.stdout.splitlines()[-1])
    assert ".whl" in where
    assert said == expected(lead_model, table)


@pytest.mark.slow
def test_mlflow_models_serve_gives_our_scores(folder, lead_model, some_leads, tmp_path):
    """A row posted to the service, with nulls and absent columns, gets the score of the command line."""
    table = some_leads(40, 6)
    rows = served.frame(table, lead_model.features)
    split = plain_split(rows)
    with service(folder, tmp_path) as ask:
        assert ask({"dataframe_split": split}) == expected(lead_model, table)
        known = {"plan": "pro", "cart_value": 12, "sessions_trend": None}
        alone = served.answer(lead_model, pd.DataFrame([known]).astype({"sessions_trend": float}))
        assert ask({"dataframe_records": [known]}) == alone.to_dict("list")
        with pytest.raises(urllib.error.HTTPError):
            ask({"dataframe_records": [{"plan": "pro", "cart_value": "much"}]})
    assert not list(tmp_path.iterdir())


class service:  # noqa: N801 - reads as a word in `with service(…)`
    """Serve the model in *folder* on a free port, from the empty folder *cwd*."""

    def __init__(self, folder, cwd):
        import mlflow

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        # MLflow starts uvicorn by name: it must find the one beside it.
        tools = Path(mlflow.__file__).parents[4] / "bin"
        environment = quiet() | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
        serve = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local", "-h", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*serve, "-m", str(folder), "-p", str(self._port)],
            cwd=cwd,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self):
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/ping", timeout=5).close()
            except OSError:
                time.sleep(0.3)
            else:
                return self._ask
        self.__exit__()
        return pytest.fail("the service did not start")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=30)

    def _ask(self, question):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/invocations",
            data=json.dumps(question).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            predictions = json.load(response)["predictions"]
        return {name: [row[name] for row in predictions] for name in OUTPUTS}


def quiet():
    """Return the environment of a process that reports to nobody."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}


def plain_split(rows):
    """Return *rows* as MLflow's ``dataframe_split``: every float with all its digits, what is missing as null."""
    data = rows.astype(object).where(rows.notna(), None)
    return {"columns": list(rows.columns), "data": data.to_numpy().tolist()}
