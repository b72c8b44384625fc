"""The workspace: files appear whole or not at all."""

import errno
import multiprocessing
import os

import pytest

from features.errors import NotFinishedError
from pipeline.workspace import Workspace


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    """What is written beside is moved to its place at the end; a failure leaves the old file and no rest."""
    workspace = Workspace(tmp_path)
    place = tmp_path / "scores" / "a.json"
    with workspace.writing(place) as path:
        path.write_text("old")
        assert not place.exists()
    with pytest.raises(ZeroDivisionError):
        _write_half(workspace, place, ZeroDivisionError())
    assert place.read_text() == "old"
    assert list(place.parent.iterdir()) == [place]


def test_what_killed_writers_left_is_removed_by_the_next(tmp_path):
    """Gone processes and files older than a day make room; a writer at work and files of other names stay."""
    ended = multiprocessing.get_context("spawn").Process(target=int)
    ended.start()
    ended.join(60)
    parent = os.getppid()
    left = {
        f".a.json.{ended.pid}.part": False,
        f".a.json.{parent}.part": True,
        f".b.json.{ended.pid}.part": True,
        ".a.json.mine.part": True,
    }
    for name in left:
        (tmp_path / name).write_text("half")
    with Workspace(tmp_path).writing(tmp_path / "a.json") as path:
        path.write_text("whole")
    assert {name: (tmp_path / name).exists() for name in left} == left
    os.utime(tmp_path / f".a.json.{parent}.part", (0, 0))
    with Workspace(tmp_path).writing(tmp_path / "a.json") as path:
        path.write_text("whole")
    assert not (tmp_path / f".a.json.{parent}.part").exists()


def _write_half(workspace, place, error):
    with workspace.writing(place) as path:
        path.write_text("half")
        raise error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_work_not_finished(number, tmp_path):
    """No room on the device, in the quota or for so large a file means: free some, and run again."""
    with pytest.raises(NotFinishedError, match="is full"):
        _write_half(Workspace(tmp_path), tmp_path / "a", OSError(number, "No room"))
    assert list(tmp_path.iterdir()) == []


def _hold(root, is_held, may_end):
    with Workspace(root).locked():
        is_held.set()
        may_end.wait(30)


def test_two_processes_cannot_write_the_tables_at_once(tmp_path):
    """The lock of one process stops another, and falls when it ends."""
    context = multiprocessing.get_context("spawn")
    is_held, may_end = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, is_held, may_end))
    other.start()
    assert is_held.wait(60)
    with pytest.raises(NotFinishedError, match="Another run holds"), Workspace(tmp_path).locked():
        pass
    may_end.set()
    other.join(30)
    with Workspace(tmp_path).locked():
        pass


def test_only_the_last_two_generations_stay(tmp_path):
    """Publishing keeps the generation before for readers that still use it, and sweeps older ones."""
    workspace = Workspace(tmp_path)
    for _ in range(4):
        workspace.publish(workspace.new_generation())
    assert sorted(path.name for path in workspace.tables_folder.glob("gen*")) == ["generation-0003", "generation-0004"]
    assert workspace.current_generation().name == "generation-0004"
