"""Publishing to a file that is killed, and what a person does to its files before it is taken up again."""

import csv
import shutil
from contextlib import contextmanager

import pyarrow as pa
import pytest

from pipeline.crm.connectors.file import FileConnector
from pipeline.crm.ledger import batches
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_history import past_runs
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published

LEADS = 120


class Killed(BaseException):
    """What stands for a kill."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Let a run have several parts."""
    monkeypatch.setattr(FileConnector, "batch_size", lambda *_: 20)


@pytest.fixture
def shop(tmp_path):
    """Return a shop with the scores of its first night, all leads free, that writes to a file."""
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm=crm())
    made.score_all_free(0)
    return made


def crm(**connect):
    """Return the section `crm`."""
    return {
        "leads_file": {
            "kind": "file", "key": "lead_id", "create": True, "fields": FIELDS,
            "connect": {"path": "scores.csv", **connect},
        }
    }  # fmt: skip


def killed(shop, monkeypatch, owner, name, *, calls=1, night=0):
    """Publish until *owner*'s *name* is called for that many times, and vanish there."""
    left, go = [calls], getattr(owner, name)

    def call(*arguments, **named):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return go(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, call)
        with pytest.raises(Killed):
            published(shop, night=night)


@contextmanager
def unkilled(shop, tmp_path, nights):
    """Give what the file holds after nights that nobody killed."""
    other = LittleShop(tmp_path / "unkilled", leads=LEADS, crm=crm())
    for night in nights:
        other.score_all_free(night)
        published(other, night=night)
    yield held(other)


def held(shop, name="scores.csv"):
    """Return the rows of the file, by lead."""
    with (shop.folder / name).open(encoding="utf-8", newline="") as opened:
        return {row["lead_id"]: row for row in csv.DictReader(opened)}


def parts(shop):
    """Return the parts that lie there."""
    return sorted((shop.folder / ".scores.csv.leadlight").glob("part-*.parquet"))


def removed(found):
    """Remove every other part."""
    for part in found[::2]:
        part.unlink()


def cut_short(found):
    """Cut every other part short."""
    for part in found[::2]:
        part.write_bytes(part.read_bytes()[:100])


def all_gone(found):
    """Remove the folder."""
    shutil.rmtree(found[0].parent)


def test_what_no_file_holds_yet_is_pending(shop, monkeypatch):
    """A run that is killed before its file is in place counts nobody as written."""
    killed(shop, monkeypatch, FileConnector, "finish")
    (run,) = past_runs(shop.settings, "", outside=outside(shop))
    assert (run.tally.written, run.tally.pending) == (0, LEADS)
    assert not (shop.folder / "scores.csv").exists()


@pytest.mark.parametrize("harm", [lambda _: None, removed, cut_short, all_gone])
def test_parts_that_are_harmed_before_a_run_is_taken_up_again_lose_nobody(shop, monkeypatch, tmp_path, harm):
    """The batches of parts that are gone or damaged are sent again with the same values."""
    published(shop)
    shop.score_all_free(1)
    killed(shop, monkeypatch, FileConnector, "finish", night=1)
    harm(parts(shop))
    report = published(shop, night=1)
    assert (report.is_resumed, report.exit_code, report.tally.pending) == (True, 0, 0)
    with unkilled(shop, tmp_path, (0, 1)) as expected:
        assert held(shop) == expected
    assert parts(shop) == []


def test_killed_while_what_was_written_is_noted_the_end_is_the_same(shop, monkeypatch, tmp_path):
    """The file is in place, the ledger knows it of some batches: the others are written once more, with the same."""
    killed(shop, monkeypatch, batches, "settle", calls=3)
    (run,) = past_runs(shop.settings, "", outside=outside(shop))
    assert run.tally.written == 40
    assert published(shop).tally.written == LEADS
    with unkilled(shop, tmp_path, (0,)) as expected:
        assert held(shop) == expected


def test_newer_scores_take_the_place_of_what_lay_ready(shop, monkeypatch, tmp_path):
    """Parts of a run that is given up are removed; the newer scores of all its leads are written."""
    killed(shop, monkeypatch, FileConnector, "finish")
    shop.score_all_free(1)
    report = published(shop, night=1)
    assert (report.is_resumed, report.tally.written) == (False, LEADS)
    with unkilled(shop, tmp_path, (1,)) as expected:
        assert held(shop) == expected


def test_undoing_a_run_that_no_file_holds_yet_leaves_the_file_alone(shop, monkeypatch):
    """What lay ready is removed, and nothing of it ever stands in the file."""
    published(shop)
    before = (shop.folder / "scores.csv").read_bytes()
    shop.score_all_free(1)
    killed(shop, monkeypatch, FileConnector, "finish", night=1)
    newest = past_runs(shop.settings, "", outside=outside(shop, 1))[0]
    back = undo(shop.settings, newest.run, may=lambda _: True, outside=outside(shop, 1))
    assert back.exit_code == 0
    assert (shop.folder / "scores.csv").read_bytes() == before
    assert parts(shop) == []


@pytest.mark.parametrize("connect", [{"path": "elsewhere.csv"}, {"format": "jsonl"}])
def test_another_path_or_format_after_a_kill_loses_nobody(shop, monkeypatch, connect):
    """Parts that lie beside the old file, or were laid for another format, are no reason to call leads written."""
    killed(shop, monkeypatch, FileConnector, "finish")
    shop.configure(crm(**connect))
    assert published(shop).tally.written == LEADS
    text = (shop.folder / connect.get("path", "scores.csv")).read_text(encoding="utf-8")
    assert text.count("lead-") == LEADS


def test_a_file_that_is_removed_before_a_run_is_taken_up_again_is_noticed(shop, monkeypatch):
    """Leads that stood in it would be missing: a person is told what writes all anew, and it does."""
    published(shop)
    before = held(shop)
    shop.score(1, scores=_first_half_moved(shop))
    killed(shop, monkeypatch, FileConnector, "finish", night=1)
    (shop.folder / "scores.csv").unlink()
    (failure,) = publish(shop.settings, YES, outside=outside(shop, 1)).failures
    assert failure.exit_code == 1
    assert "--resend" in failure.message
    resend = Wish(may=lambda _: True, resend=True)
    assert published(shop, resend, night=1).tally.written == LEADS
    assert set(held(shop)) == set(before)


def test_another_path_is_another_place(shop, tmp_path):
    """What stands in the old file says nothing of the new one, though that holds a copy of some day."""
    published(shop)
    shutil.copy(shop.folder / "scores.csv", shop.folder / "copy.csv")
    shop.score_all_free(1)
    published(shop, night=1)
    shop.configure(crm(path="copy.csv"))
    assert published(shop, night=1).tally.written == LEADS
    with unkilled(shop, tmp_path, (1,)) as expected:
        assert held(shop, "copy.csv") == expected


def _first_half_moved(shop):
    """Return the scores of the first night, half of which have moved far."""
    scores = shop.free_scores(0)
    moved = [
        (score + 50) % 100 if number < LEADS // 2 else score for number, score in enumerate(scores["score"].to_pylist())
    ]
    field = scores.schema.field("score")
    return scores.set_column(scores.schema.get_field_index("score"), field, pa.array(moved, field.type))
