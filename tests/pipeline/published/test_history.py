"""The history of scores: the union of what was published, in few pieces, whatever stops or repeats."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.published import keys
from pipeline.published.asks import Ask
from pipeline.published.editions import Published
from pipeline.published.history_pieces import ROWS_PER_BLOCK, Blocks, Piece, RunOfPiece
from pipeline.published.history_tiers import PIECES_PER_LEVEL, level_of, to_merge
from pipeline.published.retention import GRACE, Retention
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace

COMPARED = ("score", "points_total", "grade", "stage", "trigger_id")


def publish(store, draw, night, rows=40, retention=None, model="1-a"):
    """Store and publish the run of a night; return its rows."""
    scores = draw.scores(rows, night, as_of=night * draw.day)
    store.publish(store.add(scores, as_of=night * draw.day, model_version=model, scored_at=draw.now), retention)
    return scores


def stored_points(nights, lead_id):
    """Return what the runs themselves say of a lead."""
    rows = [row for scores in nights for row in scores.to_pylist() if row["lead_id"] == lead_id]
    return sorted((row["as_of"], *(str(row[name]) for name in COMPARED)) for row in rows)


def told_points(edition, lead_id):
    """Return what the history says of a lead."""
    points = edition.history(keys.of_lead(lead_id))
    assert [point.as_of for point in points] == sorted(point.as_of for point in points)
    return sorted((point.as_of, *(str(getattr(point, name)) for name in COMPARED)) for point in points)


def test_history_is_the_union_of_all_runs_in_few_pieces(tmp_path, draw):
    """After each of twenty nights every lead has all of its points, and the pieces are the digits of base four."""
    store = ScoreStore(Workspace(tmp_path))
    published, nights = Published(Workspace(tmp_path)), []
    for night in range(1, 21):
        nights.append(publish(store, draw, night, rows=30 + night))
        edition = published.open()
        digits = np.base_repr(night, PIECES_PER_LEVEL)
        assert len(store.manifest().pieces) == sum(map(int, digits))
        for lead_id in ("lead-0@shop.example", "lead-29@shop.example", f"lead-{26 + night}@shop.example"):
            assert told_points(edition, lead_id) == stored_points(nights, lead_id)


def test_blocks_of_any_size_hold_the_same(tmp_path, draw, monkeypatch):
    """Leads that lie in several blocks, and merges in several ranges, lose nothing."""
    monkeypatch.setattr("pipeline.published.history_pieces.ROWS_PER_BLOCK", 3)
    monkeypatch.setattr("pipeline.published.history_pieces._BLOCKS_AT_ONCE", 2)
    store = ScoreStore(Workspace(tmp_path))
    nights = [publish(store, draw, night, rows=25) for night in range(1, 18)]
    edition = Published(Workspace(tmp_path)).open()
    for lead_id in {row for scores in nights for row in scores["lead_id"].to_pylist()}:
        assert told_points(edition, lead_id) == stored_points(nights, lead_id)


def test_a_run_published_again_adds_nothing_twice(tmp_path, draw):
    """Scoring a stored run again, or going back to it, leaves one point of it."""
    store = ScoreStore(Workspace(tmp_path))
    nights = [publish(store, draw, night) for night in range(1, 4)]
    for night in (3, 1, 2, 1):
        store.publish(store.find(night * draw.day, "1-a"))
    nights.append(publish(store, draw, 3, model="2-b"))  # another model's scores of the same moment are another run
    edition = Published(Workspace(tmp_path)).open()
    assert told_points(edition, "lead-5@shop.example") == stored_points(nights, "lead-5@shop.example")


def test_the_position_leads_back_to_the_row(tmp_path, draw):
    """Each point says where in its run the whole row lies."""
    store = ScoreStore(Workspace(tmp_path))
    publish(store, draw, 1)
    edition = Published(Workspace(tmp_path)).open()
    for row in edition.page(Ask(size=500)).rows:
        point = next(one for one in edition.history(row.lead_key) if one.trigger_id == row.trigger_id)
        assert (point.position, point.score) == (row.position, row.score)
        if row.probability is not None:
            assert point.probability == np.float32(row.probability)


def test_an_edition_held_over_many_publications_keeps_its_history(tmp_path, draw):
    """Pieces that were merged meanwhile stay for whoever still reads them."""
    store = ScoreStore(Workspace(tmp_path))
    nights = [publish(store, draw, night) for night in range(1, 4)]
    held = Published(Workspace(tmp_path)).open()
    for night in range(4, 9):
        publish(store, draw, night, retention=Retention(at=draw.now + timedelta(minutes=night)))
    assert told_points(held, "lead-5@shop.example") == stored_points(nights, "lead-5@shop.example")


def test_an_old_workspace_takes_its_published_run_along(tmp_path, draw):
    """A manifest of an older version names no history: the run that it names is in it from the next night on."""
    store = ScoreStore(Workspace(tmp_path))
    first = draw.scores(40, 1, as_of=draw.day)
    run = store.add(first, as_of=draw.day, model_version="1-a", scored_at=draw.now)
    text = f'{{"as_of": {run.as_of}, "model_version": "1-a", "part": "{run.part}"}}'
    (tmp_path / "scores" / "manifest.json").write_text(text, encoding="utf-8")
    assert Published(Workspace(tmp_path)).open().history(keys.of_lead("lead-5@shop.example")) == []
    second = publish(store, draw, 2)
    edition = Published(Workspace(tmp_path)).open()
    assert told_points(edition, "lead-5@shop.example") == stored_points([first, second], "lead-5@shop.example")


@given(st.integers(1, 300))
def test_tiers_keep_few_pieces_and_merge_each_row_seldom(nights):
    """After n nights there are at most three pieces per level, and no row was merged more often than it has levels."""
    pieces, merges = [], {}
    for night in range(nights):
        merges[night] = 0
        pieces.append(Piece(f"{night}", 0, 1, (RunOfPiece(night, "1-a"),)))
        if chosen := to_merge(pieces, since=-1):
            runs = tuple(run for piece in chosen for run in piece.runs)
            for run in runs:
                merges[run.as_of] += 1
            made = Piece(f"m{night}", level_of(chosen), len(runs), runs)
            pieces = [*(piece for piece in pieces if piece not in chosen), made]
        assert to_merge(pieces, since=-1) == []
    levels = max(piece.level for piece in pieces)
    assert len(pieces) <= 3 * (levels + 1)
    assert max(merges.values()) <= levels
    assert sorted(run.as_of for piece in pieces for run in piece.runs) == list(range(nights))


def test_what_is_too_old_leaves_the_history(tmp_path, draw):
    """A piece of which half is too old is written anew without it; what is young enough stays."""
    store = ScoreStore(Workspace(tmp_path))
    epoch = draw.now - timedelta(days=20)
    nights = []
    for night in range(1, 21):
        at = epoch + timedelta(days=night)
        as_of = int(at.timestamp() * 1e6)
        scores = draw.scores(40, night, as_of=as_of)
        run = store.add(scores, as_of=as_of, model_version="1-a", scored_at=at)
        store.publish(run, Retention(history_days=5, at=at))
        nights.append(scores)
    told = told_points(Published(Workspace(tmp_path)).open(), "lead-5@shop.example")
    young = stored_points(nights[-5:], "lead-5@shop.example")
    assert set(young) <= set(told) <= set(stored_points(nights[-11:], "lead-5@shop.example"))
    assert sum(len(piece.runs) for piece in store.manifest().pieces) <= 10


def test_old_runs_and_unnamed_files_go_after_the_grace_and_what_is_published_stays(tmp_path, draw):
    """Noted first, removed an hour later, and never the run that readers see."""
    store, folder = ScoreStore(Workspace(tmp_path)), tmp_path / "scores"
    for night in range(1, 5):
        publish(store, draw, night)
    stray = folder / "history" / "piece-of-a-dead-run"
    stray.mkdir()
    first = store.find(draw.day, "1-a")
    much_later = draw.now + timedelta(days=500)

    def runs():
        return sorted(part.parent.parent.name for part in folder.glob("as_of=*/model=*/part.parquet"))

    retention = Retention(history_days=100_000, at=much_later)
    store.publish(first, retention)
    assert len(runs()) == 4
    store.publish(first, replace(retention, at=much_later + GRACE / 2))
    assert len(runs()) == 4
    assert stray.exists()
    store.publish(first, replace(retention, at=much_later + GRACE))
    assert runs() == [store.folder_of(first).parent.name]
    assert [path.name for path in (folder / "history").iterdir()] == [one.name for one in store.manifest().pieces]
    assert len(list(folder.glob("as_of=*"))) == 1
    assert not list(folder.glob(".*"))
    assert Published(Workspace(tmp_path)).open().page(Ask()).total == 40


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import conftest
import duckdb
from pipeline.published.asks import Ask
from pipeline.published.editions import Published
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace

root = Path(sys.argv[2])
night = 4

def fourth_night():
    store = ScoreStore(Workspace(root))
    scores = conftest.drawn_scores(40, night, as_of=night * conftest.DAY)
    run = store.find(night * conftest.DAY, "1-a")
    run = run or store.add(scores, as_of=night * conftest.DAY, model_version="1-a", scored_at=conftest.NOW)
    store.publish(run)

def killed_at(place):
    left = [place]
    def dying(before):
        def act(*arguments, **more):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return before(*arguments, **more)
        return act
    for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "replace")):
        setattr(owner, name, dying(getattr(owner, name)))
    fourth_night()

def check():
    edition = Published(Workspace(root)).open()
    row = edition.page(Ask()).rows[0]
    points = edition.history(row.lead_key)
    nights = int(edition.run.as_of / conftest.DAY)
    assert edition.page(Ask(sort="-change", size=500)).total == len(edition.page(Ask(size=500)).rows) == 40
    assert nights in (3, 4)
    assert [point.as_of.day for point in points if point.trigger_id == row.trigger_id][-1] == nights + 1
    assert edition.lead(row.lead_key)[0]["score"] == row.score

def forked(work, *arguments):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

# This process computes nothing itself: only what has no threads yet may be forked.
for place in range(100):
    ended = forked(killed_at, place)
    print(place, ended, forked(check), flush=True)
    if ended != -signal.SIGKILL:
        break
"""


def test_a_run_killed_at_any_write_leaves_a_whole_edition_and_is_finished_by_the_next(tmp_path, draw):
    """SIGKILL before every flush and rename of storing, merging and publishing, one after the other."""
    store = ScoreStore(Workspace(tmp_path))
    nights = [publish(store, draw, night) for night in range(1, 4)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    *killed, finished = [tuple(map(int, line.split()[1:])) for line in done.stdout.splitlines()]
    assert set(killed) == {(-signal.SIGKILL, 0)}, done.stderr
    assert finished == (0, 0), done.stderr
    assert len(killed) > 10
    nights.append(draw.scores(40, 4, as_of=4 * draw.day))
    edition = Published(Workspace(tmp_path)).open()
    lead_id = "lead-5@shop.example"
    assert told_points(edition, lead_id) == stored_points(nights, lead_id)
    assert len(store.manifest().pieces) == 1
    for hours in (2, 3):
        store.publish(store.published(), Retention(history_days=100_000, at=draw.now + hours * GRACE))
    assert len(list((tmp_path / "scores" / "history").iterdir())) == 1  # no piece of a killed run is left


def test_starts_are_the_first_keys_of_the_blocks(tmp_path, draw):
    """A lead is sought by them, so they must be those of the file."""
    store = ScoreStore(Workspace(tmp_path))
    publish(store, draw, 1, rows=3 * ROWS_PER_BLOCK // 2)
    folder = tmp_path / "scores" / "history" / store.manifest().pieces[0].name
    with pa.memory_map(str(folder / "rows.arrow")) as source:
        reader = pa.ipc.open_file(source)
        first = [reader.get_batch(block)["lead_key"][0].as_py() for block in range(reader.num_record_batches)]
    assert Blocks(folder).starts.tolist() == first
    assert len(first) == 2
