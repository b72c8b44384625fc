"""Results as JSON: every reader accepts them."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.cli.options import DEFAULT_CONFIG, seen_in_mlflow, typed
from pipeline.cli.output import as_json_text, show


@dataclass(frozen=True)
class Inner:
    at: datetime
    share: float


@dataclass(frozen=True)
class Outer:
    path: Path
    inner: tuple[Inner, ...]
    names: frozenset[str]


def test_a_report_becomes_json():
    """Dataclasses, paths, times and sets become what JSON has for them."""
    moment = datetime(2017, 5, 1, 12, tzinfo=UTC)
    report = Outer(Path("a/b"), (Inner(moment, 0.5),), frozenset({"y", "x"}))
    assert json.loads(as_json_text(report)) == {
        "path": "a/b",
        "inner": [{"at": "2017-05-01T12:00:00+00:00", "share": 0.5}],
        "names": ["x", "y"],
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan")])
def test_a_number_that_is_none_becomes_null(value):
    """JSON has no NaN: what is not a number is null."""
    assert json.loads(as_json_text({"value": value})) == {"value": None}


def test_arrays_and_tables_become_lists():
    """Numpy and Arrow values become lists and plain numbers."""
    report = {"a": np.arange(2), "b": np.int64(3), "t": pa.table({"day": [date(2017, 1, 1)]})}
    assert json.loads(as_json_text(report)) == {
        "a": [0, 1], "b": 3, "t": [{"day": "2017-01-01"}]
    }  # fmt: skip


def test_json_goes_to_stdout_alone(capsys):
    """With --json stdout holds one document and the table for people is not drawn."""
    show({"rows": 3}, lambda console, _: console.print("for people"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"rows": 3}


def test_people_get_what_the_command_renders(capsys):
    """Without --json the command's own rendering is shown."""
    show({"rows": 3}, lambda console, report: console.print(report["rows"]), as_json=False)
    assert capsys.readouterr().out == "3\n"


def test_people_are_told_what_to_type_next_and_programs_are_not(capsys):
    """The next command carries the config along, and JSON stays one document."""
    show({"a": 1}, lambda console, _: console.print("done"), as_json=False, then=typed("train", Path("my shop.yaml")))
    assert capsys.readouterr().out == "done\n\nNext: leadlight train --config 'my shop.yaml'\n"
    show({"a": 1}, lambda console, _: console.print("done"), as_json=True, then=typed("train", DEFAULT_CONFIG))
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    assert typed("train", DEFAULT_CONFIG) == "leadlight train"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("sqlite:////my shop/mlflow.db", "mlflow ui --backend-store-uri 'sqlite:////my shop/mlflow.db'"),
        ("https://mlflow.example.com", "https://mlflow.example.com"),
    ],
)
def test_mlflow_is_opened_as_it_is_kept(uri, said):
    """A database needs a command, quoted as a shell reads it; a server is a page."""
    assert seen_in_mlflow(uri) == said
