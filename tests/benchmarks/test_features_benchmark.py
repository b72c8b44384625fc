"""The feature benchmark: everyone computes the same, and a difference would be seen."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

pytest.importorskip("polars", reason="the extra `benchmarks` is not installed")

from benchmarks.features import compare, contestants, race
from benchmarks.features.cases import Case, cases, feature_names
from benchmarks.features.data import ensure

ROOM = Path(__file__).resolve().parents[2]
FORMULATIONS = [(name, way) for name in contestants.PEERS for way in contestants.formulations(name)]


@pytest.fixture
def case() -> Case:
    """Return a case of a few dozen leads in two files."""
    return replace(cases(quick=True)["monthly6"], leads=60, bucket_leads=40)


@pytest.fixture
def files(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the files of the case, generated in a folder of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return ensure(case).folder


@pytest.fixture
def frame(case: Case, files: Path) -> pa.Table:
    """Return the finished frame of the polars peer."""
    return contestants.enter("polars", "snapshots").run(files, case).to_arrow()


@pytest.mark.slow
def test_quick_run_ends_with_one_line_of_json_and_equal_contestants() -> None:
    """The small form races all three contestants, finds them equal, and ends with the promised line."""
    command = [sys.executable, "-m", "benchmarks.features", "--quick"]
    run = subprocess.run(command, cwd=ROOM, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    last = json.loads(run.stdout.splitlines()[-1])
    assert list(last) == ["monthly6", "weekly26", "daily90"]
    for summary in last.values():
        assert summary["ratio_to_best_peer"] > 0
        assert 0 < summary["peak_gb"] < 4
        assert sorted(summary["seconds"]) == sorted(contestants.NAMES)
        assert all(seconds > 0 for seconds in summary["seconds"].values())


@pytest.mark.parametrize(("name", "way"), FORMULATIONS)
def test_every_way_of_writing_a_peer_agrees_with_the_slow_loop(name: str, way: str, case: Case, files: Path) -> None:
    """Not only the fastest formulation of a peer is right: all are."""
    entry = contestants.enter(name, way)
    finished = entry.read(entry.run(files, case))
    assert compare.differences_from_oracle(finished, case, files) == []


@pytest.mark.parametrize("column", ["count_view_30d", "sum_value_all_7d", "mean_gap_days_90d"])
def test_one_changed_number_is_seen(column: str, case: Case, files: Path, frame: pa.Table, tmp_path: Path) -> None:
    """A single value that differs in a single row is reported with its column, row count and size."""
    compare.write(contestants.PeerFrame(frame), case, tmp_path / "reference")
    values = frame[column].to_numpy().astype(np.float64)
    row = int(np.flatnonzero(~np.isnan(values))[0])
    values[row] += 1.0
    changed = frame.set_column(frame.schema.get_field_index(column), column, pa.array(values))
    found = compare.differences(contestants.PeerFrame(changed), case, tmp_path / "reference")
    assert found == [compare.Difference(column, 1, pytest.approx(1.0))]


def test_missing_is_not_zero(case: Case, frame: pa.Table, tmp_path: Path) -> None:
    """A zero where the reference has no value is a difference."""
    compare.write(contestants.PeerFrame(frame), case, tmp_path / "reference")
    name = "days_since_last_7d"
    filled = frame.set_column(frame.schema.get_field_index(name), name, pc.fill_null(frame[name], 0.0))
    found = compare.differences(contestants.PeerFrame(filled), case, tmp_path / "reference")
    assert [(difference.column, difference.rows) for difference in found] == [(name, frame[name].null_count)]
    assert frame[name].null_count > 0


def test_row_order_is_no_difference(case: Case, frame: pa.Table, tmp_path: Path) -> None:
    """Frames are compared by (lead, as_of), whatever order their rows have."""
    compare.write(contestants.PeerFrame(frame), case, tmp_path / "reference")
    shuffled = frame.take(np.random.default_rng(0).permutation(len(frame)))
    assert compare.differences(contestants.PeerFrame(shuffled), case, tmp_path / "reference") == []


def test_a_lost_or_doubled_row_is_refused(case: Case, frame: pa.Table) -> None:
    """A frame that is not exactly one row per (lead, as_of) is not compared at all."""
    for rows in (np.arange(len(frame) - 1), np.append(np.arange(len(frame) - 1), 0)):
        with pytest.raises(ValueError, match="not one row per"):
            compare.places(contestants.PeerFrame(frame.take(rows)), case)


def test_frame_holds_the_36_features(frame: pa.Table) -> None:
    """Twelve measures over three windows, under the names that all contestants share."""
    assert len(feature_names()) == 36
    assert set(frame.column_names) == {"lead_no", "as_of", *feature_names()}


def test_files_are_sorted_late_and_the_same_every_time(case: Case, files: Path, tmp_path: Path) -> None:
    """The generated rows are ordered as timelines are, 5 % are known late, and a seed makes them."""
    rows = pa.concat_tables([pq.read_table(path) for path in sorted((files / "events").glob("*.parquet"))])
    keys = [(name, "ascending") for name in ("lead_no", "occurred_at", "known_at", "row_id")]
    assert rows.sort_by(keys).equals(rows)
    assert pc.count_distinct(rows["row_id"]).as_py() == len(rows) == case.leads * 20
    assert pc.mean(pc.greater(rows["known_at"], rows["occurred_at"])).as_py() == pytest.approx(0.05, abs=0.02)
    files.rename(tmp_path / "before")
    again = pa.concat_tables(
        [pq.read_table(path) for path in sorted((ensure(case).folder / "events").glob("*.parquet"))]
    )
    assert again.equals(rows)


def test_a_contestant_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race goes on without a contestant that passes the limit of time, and says so."""
    monkeypatch.setattr(race, "TIME_LIMIT_SECONDS", 0.2)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert race._run(command, log=tmp_path / "log.txt").startswith("stopped after")


def test_a_contestant_that_takes_too_much_memory_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race goes on without a contestant that passes the limit of memory, and says so."""
    monkeypatch.setattr(race, "MEMORY_LIMIT_GB", 0.0)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert race._run(command, log=tmp_path / "log.txt").startswith("stopped at")
