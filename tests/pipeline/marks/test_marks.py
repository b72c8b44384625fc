"""Marks: rows that nobody changes, read as of a moment."""

import shutil
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import make_url

from features.errors import LeadlightError, NotFinishedError
from pipeline.databases import file_at
from pipeline.marks import Marks, marks_of
from pipeline.marks.rows import METADATA
from pipeline.settings import parse

NOW = datetime(2025, 1, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def marks(tmp_path):
    """Return the marks of an empty workspace."""
    return Marks(file_at(tmp_path / "app.db"))


def held(marks, moment):
    """Return the leads that are held at a moment."""
    return [row["lead_id"] for row in marks.held(moment).to_pylist()]


def test_a_hold_holds_from_when_it_was_said_to_its_end(marks):
    """Before it was said, and from its end on, it does not count."""
    marks.hold("Ann", owner="rui", until=NOW + DAY, reason="asked for March", by="rui", at=NOW)
    assert held(marks, NOW - DAY) == []
    assert held(marks, NOW) == held(marks, NOW + DAY - timedelta(microseconds=1)) == ["Ann"]
    assert held(marks, NOW + DAY) == []
    assert marks.held(NOW).to_pylist() == [
        {"lead_id": "Ann", "owner": "rui", "until": NOW + DAY, "reason": "asked for March", "by": "rui", "at": NOW},
    ]


def test_a_withdrawal_is_a_row_and_the_mark_stays_told(marks, tmp_path):
    """Taken back, a hold counts no longer; who said what and when is still there."""
    number = marks.hold("Ann", by="rui", at=NOW)
    marks.withdraw(number, by="eva", at=NOW + DAY, lead_id="Ann")
    assert held(marks, NOW + DAY) == []
    assert [(mark.kind, mark.by, mark.is_withdrawn) for mark in marks.of_lead("Ann")] == [("hold", "rui", True)]
    rows = sqlite3.connect(tmp_path / "app.db").execute("select kind, by from marks order by id").fetchall()
    assert rows == [("hold", "rui"), ("withdrawal", "eva")]


def test_nobody_withdraws_what_is_not_theirs(marks):
    """A mark of another lead, or none, is refused."""
    number = marks.hold("Ann", by="rui", at=NOW)
    for lead, what in (("Bob", number), ("Ann", number + 1)):
        with pytest.raises(LeadlightError, match="no such mark"):
            marks.withdraw(what, by="eva", at=NOW, lead_id=lead)


def test_of_two_holds_the_last_word_counts_and_without_it_the_one_before(marks):
    """The list names each lead once; a longer hold outlives a shorter one that was said after it."""
    marks.hold("Ann", by="rui", at=NOW, until=NOW + 3 * DAY)
    second = marks.hold("Ann", by="eva", at=NOW + DAY, until=NOW + 2 * DAY)
    said = {moment: marks.held(NOW + moment * DAY)["by"].to_pylist() for moment in range(4)}
    assert said == {0: ["rui"], 1: ["eva"], 2: ["rui"], 3: []}
    marks.withdraw(second, by="eva", at=NOW + DAY, lead_id="Ann")
    assert marks.held(NOW + DAY)["by"].to_pylist() == ["rui"]


def test_contacted_holds_nobody(marks):
    """That somebody called is told, and changes nothing."""
    marks.contacted("Ann", by="rui", at=NOW, note="busy")
    assert len(marks.held(NOW)) == 0
    assert [mark.reason for mark in marks.of_lead("Ann")] == ["busy"]


@pytest.mark.parametrize("wrong", [{"until": NOW}, {"reason": "x" * 501}])
def test_nonsense_is_refused(marks, wrong):
    """An end that has passed, a text without end: nothing is written."""
    with pytest.raises(LeadlightError):
        marks.hold("Ann", **wrong, by="rui", at=NOW)
    assert marks.of_lead("Ann") == []


def test_reading_makes_no_file(marks, tmp_path):
    """Before the first mark there is nothing, and whoever asks leaves it so."""
    assert marks.of_leads(["Ann"]) == {}
    assert len(marks.held(NOW)) == 0
    assert list(tmp_path.iterdir()) == []


def test_many_leads_are_asked_about_at_once(marks):
    """More leads than a statement takes variables are read in parts."""
    marks.contacted("lead-1999", by="rui", at=NOW)
    assert set(marks.of_leads(f"lead-{n}" for n in range(2000))) == {"lead-1999"}


def test_writers_wait_for_each_other(tmp_path):
    """Several processes' worth of writers at once lose no mark."""

    def write(who):
        mine = Marks(file_at(tmp_path / "app.db"))
        for _ in range(10):
            mine.contacted("Ann", by=who, at=NOW)

    threads = [threading.Thread(target=write, args=(f"user{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Marks(file_at(tmp_path / "app.db")).of_lead("Ann")) == 40


def test_a_database_that_cannot_be_used_is_told_without_its_password(tmp_path):
    """The message names the place, not who may enter."""
    with pytest.raises(LeadlightError, match="no database") as raised:
        Marks(make_url("nonsense://ann:secret@host/db")).of_lead("Ann")
    assert "secret" not in str(raised.value)
    broken = tmp_path / "app.db"
    broken.write_bytes(b"not a database at all, but long enough to look like one" * 100)
    with pytest.raises(NotFinishedError, match="did not answer"):
        Marks(file_at(broken)).contacted("Ann", by="rui", at=NOW)


def test_who_loses_the_race_to_the_first_mark_marks_all_the_same(marks, tmp_path, monkeypatch):
    """Another process made the table after this one looked for it: the mark is written, not refused."""
    real = METADATA.create_all
    raced = []

    def create_all(engine):
        if raced:
            return real(engine)
        raced.append(True)
        Marks(file_at(tmp_path / "app.db")).hold("Bob", by="eva", at=NOW)
        return real(engine, checkfirst=False)

    monkeypatch.setattr(METADATA, "create_all", create_all)
    marks.hold("Ann", by="rui", at=NOW)
    assert sorted(held(marks, NOW)) == ["Ann", "Bob"]


def test_a_mark_is_never_written_to_a_database_that_was_removed(tmp_path):
    """The workspace was put back from a copy while the app ran: whoever asks next sees the mark."""
    there, url = tmp_path / "shop", file_at(tmp_path / "shop" / "app.db")
    there.mkdir()
    marks = Marks(url)
    marks.hold("Ann", by="rui", at=NOW)
    shutil.copytree(there, tmp_path / "copy")
    shutil.rmtree(there)
    assert held(marks, NOW) == []
    with pytest.raises(NotFinishedError):
        marks.hold("Bob", by="rui", at=NOW)
    (tmp_path / "copy").rename(there)
    marks.hold("Cem", by="rui", at=NOW)
    assert sorted(held(Marks(url), NOW)) == sorted(held(marks, NOW)) == ["Ann", "Cem"]


def settings(tmp_path):
    """Return a shop's config."""
    raw = {"shop": {"name": "Shop"}, "tables": {"leads": {"path": "leads.csv"}, "orders": {"path": "orders.csv"}}}
    return parse(raw, place=tmp_path / "shop" / "leadlight.yaml")


def test_the_path_of_a_database_starts_where_the_config_lies(tmp_path, monkeypatch):
    """Wherever the process was started, a mark is read from the file that it was written to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    kept = {"LEADLIGHT_APP_DATABASE": "sqlite:///marks.db"}
    marks_of(settings(tmp_path), kept).hold("Ann", by="rui", at=NOW)
    assert held(marks_of(settings(tmp_path), kept), NOW) == ["Ann"]
    assert (tmp_path / "shop" / "marks.db").is_file()


@pytest.mark.parametrize(
    "url", ["sqlite:///marks.db?timeout=5", "sqlite:///:memory:", "sqlite://", "no url", "x://h:y/d"]
)
def test_marks_that_would_not_be_found_again_are_refused(tmp_path, url):
    """A database in memory is gone with the process; what the driver is asked beside the file is not known."""
    with pytest.raises(LeadlightError) as raised:
        marks_of(settings(tmp_path), {"LEADLIGHT_APP_DATABASE": url})
    assert not isinstance(raised.value, NotFinishedError)
