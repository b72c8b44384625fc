"""Damaged files: told by their names, passed over where they are old, and written anew."""

import pytest

from pipeline.published.asks import Ask
from pipeline.published.damage import DamagedError
from pipeline.published.editions import Published
from pipeline.published.retention import NOTE, Retention
from pipeline.published.run_files import INFO, KEYS, LIST, PART, SEARCH, SHOWN

MOMENT = {"model_version": "1-a"}


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b"[]", b"\xff\xfe", b'{"as_of": 1, "history": 5}'])
def test_a_manifest_that_says_nothing_is_told_as_damaged(shop, text):
    """Whatever it holds instead: readers and the next run get its name and a way out, and nothing is overwritten."""
    made = shop()
    made.store.manifest_file.write_bytes(text)
    with pytest.raises(DamagedError, match=r"manifest\.json") as raised:
        Published(made.workspace).open()
    assert "remove it" in str(raised.value)
    with pytest.raises(DamagedError):
        made.store.publish(made.run)
    assert made.store.manifest_file.read_bytes() == text


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b"[]", b"\xff\xfe", b'{"choices": {}, "from_the_future": 1}'])
def test_a_note_of_a_run_that_says_nothing_is_told_as_damaged(shop, text):
    """The run's own note, whatever it holds instead."""
    made = shop()
    (made.store.folder_of(made.run) / INFO).write_bytes(text)
    with pytest.raises(DamagedError, match=r"run\.json"):
        Published(made.workspace).open().page(Ask())


def test_keys_that_cannot_be_read_are_told_as_damaged(shop):
    """The file that finds a lead, cut short."""
    made = shop()
    keys = made.store.folder_of(made.run) / KEYS
    keys.write_bytes(keys.read_bytes()[:90])
    with pytest.raises(DamagedError, match=r"keys\.npy"):
        Published(made.workspace).open().lead(1)


@pytest.mark.parametrize("file", [PART, LIST, SHOWN, SEARCH, KEYS, INFO])
def test_a_damaged_run_is_written_anew(shop, draw, file):
    """The next run of that moment does not take it for stored: readers see a whole one again."""
    made = shop()
    damaged = made.store.folder_of(made.run) / file
    damaged.write_bytes(damaged.read_bytes()[:70])
    published = Published(made.workspace)
    assert made.store.find(40 * draw.day, "1-a") is None
    again = made.store.add(made.scores, as_of=40 * draw.day, model_version="1-a", scored_at=draw.now)
    made.store.publish(again)
    assert made.store.find(40 * draw.day, "1-a") == again
    edition = published.open()
    assert len(edition.page(Ask(size=500)).rows) == len(made.scores)
    assert edition.lead(edition.page(Ask()).rows[0].lead_key)


def test_old_damage_does_not_stop_a_new_run(shop, draw):
    """A damaged run of long ago, and a damaged note of what may go, leave the nightly run alone."""
    made = shop()
    for part in (made.workspace.root / "scores").glob(f"as_of=*/model=*/{PART}"):
        if part.parent != made.store.folder_of(made.run):
            part.write_bytes(b"PAR1")
    (made.workspace.root / "scores" / NOTE).write_bytes(b"{")
    new = made.store.add(draw.scores(40, 7, as_of=41 * draw.day), as_of=41 * draw.day, scored_at=draw.now, **MOMENT)
    made.store.publish(new, Retention(at=draw.now))
    assert Published(made.workspace).open().page(Ask()).total == 40


def test_a_run_after_a_damaged_one_is_compared_with_nothing(shop, draw):
    """The run that is published now may be the damaged one: the next one is stored all the same."""
    made = shop()
    (made.store.folder_of(made.run) / LIST).write_bytes(b"PAR1")
    new = made.store.add(draw.scores(40, 7, as_of=41 * draw.day), as_of=41 * draw.day, scored_at=draw.now, **MOMENT)
    made.store.publish(new)
    assert {row.previous_score for row in Published(made.workspace).open().page(Ask()).rows} == {None}
