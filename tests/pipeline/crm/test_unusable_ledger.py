"""A ledger that cannot be used is told with its real cause, and waiting is proposed only where it helps."""

import errno
from functools import partial

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from features.errors import LeadlightError, NotFinishedError
from pipeline.crm.ledger import opening
from pipeline.crm.ledger.unusable import in_words
from pipeline.stages.publish import publish
from pipeline.stages.publish_checks import verify
from pipeline.stages.publish_history import lead_history, past_runs
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of its first night."""
    made = LittleShop(tmp_path / "shop", leads=20, crm={"crm": {"fields": FIELDS}})
    made.score(0)
    return made


def refused(shop, **world):
    """Return why nothing was sent to the one target."""
    (failure,) = publish(shop.settings, YES, outside=outside(shop, **world)).failures
    return failure


def damage(file, how):
    """Leave something else where a ledger was."""
    whole = file.read_bytes()
    file.write_bytes({"noise": b"no database" * 500, "cut": whole[: len(whole) // 2], "head": whole[:50]}[how])


@pytest.mark.parametrize("how", ["noise", "cut", "head"])
def test_a_damaged_ledger_is_told_with_the_way_out(shop, memory, how):
    """No run mends it, so it is wrong input: a copy is restored, or it is moved away and all is sent."""
    assert published(shop).exit_code == 0
    file = shop.settings.shop.workspace / "ledger.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    damage(file, how)
    failure = refused(shop)
    assert failure.exit_code == 2
    assert "is damaged, or no database.\n\nHint: restore it from a copy or move it away" in failure.message
    file.unlink()
    assert published(shop).tally.written


def changed(shop, *changes):
    """Change values in the ledger behind everybody's back."""
    engine = create_engine(f"sqlite:///{shop.settings.shop.workspace / 'ledger.db'}")
    with engine.begin() as connection:
        for change in changes:
            connection.execute(text(f"UPDATE {change}"))
    engine.dispose()


READERS = {
    "--runs": lambda shop: past_runs(shop.settings, "", outside=outside(shop)),
    "--lead": lambda shop: lead_history(shop.settings, "", shop.free_ids()[0], outside=outside(shop)),
    "--undo": lambda shop: undo(shop.settings, 1, may=lambda _: True, outside=outside(shop)),
}


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("ledger_runs SET fields = '[[1'", "--runs"),
        ("ledger_runs SET fields = '[[1, 2]]'", "--runs"),
        ("ledger_runs SET fields = '7'", "--undo"),
        ("ledger_runs SET filters = '[]'", "--runs"),
        ("ledger_runs SET kind = 'other'", "--runs"),
        ("ledger_rows SET payload = '{\"score\": '", "--lead"),
        ("ledger_rows SET payload = '[]'", "--undo"),
        ("ledger_rows SET former = 'x'", "--undo"),
        ("ledger_batches SET parts = 'x', state = 'in_flight'", "--undo"),
    ],
)
def test_a_damaged_value_is_told_as_a_damaged_ledger(shop, memory, change, read):
    """Whatever reads a value that nobody can have written says so, with the way out, and sends nothing."""
    published(shop)
    changed(shop, "ledger_runs SET state = 'open'", change)
    memory.sent.clear()
    with pytest.raises(LeadlightError, match=r"is damaged, or no database\.\n\nHint: restore it from a copy") as raised:
        READERS[read](shop)
    assert not isinstance(raised.value, NotFinishedError)
    assert memory.sent == []


def test_a_damaged_value_of_what_stands_fails_the_target(shop, memory):
    """Neither reading back nor publishing goes on as if nothing stood there."""
    published(shop)
    changed(shop, "ledger_standing SET payload = 'x'")
    failures = [*verify(shop.settings, "", sample=9, outside=outside(shop)).failures, refused(shop)]
    assert [one.exit_code for one in failures] == [2, 2]
    assert all("is damaged, or no database." in one.message for one in failures)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE ledger_standing DROP COLUMN is_unsure", "ledger_standing.is_unsure is not there"),
        ("ALTER TABLE ledger_runs ADD COLUMN colour TEXT", "ledger_runs.colour is unknown"),
        ("DROP TABLE ledger_heard", "ledger_heard is not there"),
    ],
)
def test_a_ledger_with_other_tables_is_told_as_such(shop, url, memory, change, said):
    """Waiting mends nothing: what differs is named, and it is wrong input, before anything is sent."""
    opening.opened(make_url(url)).dispose()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    failure = refused(shop, environment={opening.LEDGER: url})
    assert failure.exit_code == 2
    assert f"made by another version of Leadlight; its tables differ:\n  - {said}\n\nHint: restore" in failure.message
    assert memory.sent == []


def test_a_folder_in_the_place_of_a_ledger_is_told_as_such(shop, memory):
    """The real cause stands there, and it is wrong input for writers and readers alike."""
    file = shop.settings.shop.workspace / "ledger.db"
    file.mkdir(parents=True)
    failure = refused(shop)
    assert failure.exit_code == 2
    assert f"The ledger at '{file}' cannot be written: it is a folder." in failure.message
    with pytest.raises(LeadlightError, match="it is a folder"):
        past_runs(shop.settings, "", outside=outside(shop))


def test_a_ledger_below_a_file_is_told_as_such(tmp_path):
    """Its folder cannot be made, as the system says."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LeadlightError, match=r"cannot be written: (File exists|Not a directory)\."):
        opening.opened(make_url(f"sqlite:///{tmp_path}/file/ledger.db"))


@pytest.mark.parametrize("is_open", [False, True])
def test_a_folder_that_may_not_be_written_to_is_told_as_such(tmp_path, monkeypatch, is_open):
    """Neither the ledger's own lock nor that of a target ends in a traceback."""
    engine = opening.opened(make_url(f"sqlite:///{tmp_path}/ledger.db"))

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(opening.Path, "open", refuse)
    how = partial(opening.writing_to(engine, "crm").__enter__) if is_open else partial(opening.opened, engine.url)
    with pytest.raises(LeadlightError, match=r"cannot be written: Permission denied\.") as raised:
        how()
    engine.dispose()
    assert not isinstance(raised.value, NotFinishedError)


def test_a_ledger_that_may_only_be_read_is_told_as_such(tmp_path):
    """What SQLite says of it is no reason to wait."""
    address = make_url(f"sqlite:///{tmp_path}/ledger.db")
    opening.opened(address).dispose()
    engine = create_engine(f"sqlite:///file:{tmp_path}/ledger.db?mode=ro&uri=true")
    with engine.connect() as connection, pytest.raises(OperationalError) as said:
        connection.execute(text("DELETE FROM ledger_runs"))
    engine.dispose()
    told = in_words(address, said.value)
    assert "cannot be written: attempt to write a readonly database.\n\nHint: let this user" in str(told)
    assert not isinstance(told, NotFinishedError)


def test_a_database_of_somebody_else_is_left_as_it_is(tmp_path):
    """A file with other tables is no ledger: it is refused before a byte of it, or beside it, is written."""
    file = tmp_path / "app.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (id INTEGER)")
    engine.dispose()
    before = file.read_bytes()
    with pytest.raises(LeadlightError, match="other tables; nothing was written") as raised:
        opening.opened(make_url(f"sqlite:///{file}"))
    assert not isinstance(raised.value, NotFinishedError)
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["app.db"]
