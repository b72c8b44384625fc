"""Scores in tables: the same promise on PostgreSQL, MariaDB and SQLite, all for real."""

import gc
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from features.errors import LeadlightError
from pipeline.crm.connectors import sql
from pipeline.crm.connectors.sql_family import NO_SUCH_RECORD, SAME_BUT_FOR_CASE
from pipeline.crm.connectors.sql_place import SqlOptions
from pipeline.crm.kinds import Surroundings, kind_of
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Answer, CrmField, FieldType, Missing, Outcome, PassingTicket, Record, Row
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason
from pipeline.database_links import address_of, driver_arguments
from support.databases import PASSWORD

NAMES = ("score", "probability", "grade", "reason", "hot", "as_of")
FIELDS = (
    CrmField("score", FieldType.INTEGER),
    CrmField("probability", FieldType.NUMBER),
    CrmField("grade", FieldType.CHOICE, choices=("A", "B")),
    CrmField("reason", FieldType.TEXT, length=40),
    CrmField("hot", FieldType.BOOLEAN),
    CrmField("as_of", FieldType.MOMENT),
)
VALUES = {
    "score": 72,
    "probability": 0.25,
    "grade": "A",
    "reason": "3 zamówienia 🎉",
    "hot": True,
    "as_of": "2025-01-31T06:30:00+00:00",
}
AS_READ = {**VALUES, "score": "72", "probability": "0.25", "hot": "true"}
BRISK = Patience(most_s=0.2, first_s=0.001, longest_s=0.002, breaker_s=0.001)


@dataclass(frozen=True)
class Place:
    """A database that is empty at first."""

    url: str
    folder: object
    server: object = None

    def run(self, *statements):
        """Run statements, and return the rows of the last one that has any."""
        engine = create_engine(self.url, poolclass=NullPool)
        rows = []
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
                rows = [tuple(row) for row in result] if result.returns_rows else rows
        return rows

    def connector(self, *, url="", may_create=True, patience=BRISK, key="lead_id", **options):
        """Return a connector to the table ``crm``."""
        kind = kind_of("sql")
        around = Surroundings(
            "nightly", key, self.folder, self.folder, {"LEADLIGHT_SQL_URL": url or self.url}, patience, may_create
        )
        return kind.connect(kind.options(**{"table": "crm", **options}), around)


servers = pytest.mark.parametrize("place", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def place(request, tmp_path):
    """Return an empty database of each kind."""
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path / 'crm.db'}", tmp_path)
    server = request.getfixturevalue(request.param)
    return Place(server.database(), tmp_path, server)


@pytest.fixture
def connector(place):
    """Return a connector whose table was set up."""
    one = place.connector()
    one.setup(FIELDS)
    yield one
    one.close()


def row(key, **changed):
    """Return a row of the example with other values in it."""
    return Row(key, {**VALUES, **changed}, trace=f"trace-{key}")


def sent(connector, *rows):
    """Return what became of rows, by key."""
    return {answer.key: answer.outcome for answer in connector.send(rows, PassingTicket())}


def test_what_is_written_is_read(connector):
    """Every kind of value comes back as the text it stands for, and other keys have no record."""
    assert sent(connector, row("C-1"), row("C-2", score=5)) == {"C-1": Outcome.WRITTEN, "C-2": Outcome.WRITTEN}
    found = connector.read(["C-1", "C-2", "C-3"], NAMES)
    assert found == {"C-1": Record("C-1", AS_READ), "C-2": Record("C-2", {**AS_READ, "score": "5"})}


def test_sent_twice_is_sent_once(connector, place):
    """The same rows again change nothing; others write over."""
    for score in (72, 72, 31):
        sent(connector, row("C-1", score=score))
    assert place.run("SELECT lead_id, score FROM crm") == [("C-1", 31)]


def test_none_empties_a_field(connector):
    """What is undone to nothing is nothing, and an empty text reads the same."""
    sent(connector, row("C-1"))
    sent(connector, row("C-1", grade=None, score=None, reason=""))
    assert connector.read(["C-1"], ("grade", "score", "reason"))["C-1"].fields == dict.fromkeys(
        ("grade", "score", "reason")
    )


def test_setup_creates_what_is_missing_and_twice_is_once(place):
    """First a table, then the columns that came later, then nothing; and what was set up fits."""
    connector = place.connector()
    assert len(connector.setup(FIELDS[:2])) == 3
    assert connector.setup(FIELDS) == [f"column '{name}'" for name in NAMES[2:]]
    assert connector.setup(FIELDS) == []
    assert connector.check(FIELDS) == []
    connector.close()


def test_a_check_names_each_thing_that_does_not_fit(place):
    """Missing columns, short texts, other types, a key that tells nothing apart: a line each, and nothing written."""
    connector = place.connector()
    assert [type(line) for line in connector.check(FIELDS)] == [Missing]
    place.run(
        "CREATE TABLE crm"
        " (lead_id varchar(40), email varchar(40) NOT NULL, score date, reason varchar(10), hot integer)"
    )
    found = connector.check(FIELDS)
    lacking = [line for line in found if isinstance(line, Missing)]
    assert lacking == [f"'crm' has no column '{name}'." for name in ("probability", "grade", "as_of")]
    for said in (
        "'lead_id' does not tell",
        "'score' holds day",
        "holds 10 characters, and up to 40",
        "'email' may not",
    ):
        assert sum(said in line for line in found) == 1, said
    connector.close()


@pytest.mark.parametrize("place", ["postgresql", "sqlite"], indirect=True)
def test_an_index_of_some_rows_tells_no_records_apart(place):
    """One with a condition is no key; beside a key it is in nobody's way."""
    place.run(
        "CREATE TABLE crm (lead_id varchar(40), score integer)",
        "CREATE UNIQUE INDEX of_some ON crm (lead_id) WHERE score > 0",
    )
    connector = place.connector()
    (found,) = connector.check([CrmField("score", FieldType.INTEGER)])
    assert "'lead_id' does not tell" in found
    place.run("CREATE UNIQUE INDEX of_all ON crm (lead_id)")
    assert connector.check([CrmField("score", FieldType.INTEGER)]) == []
    assert sent(connector, Row("a", {"score": 1})) == {"a": Outcome.WRITTEN}
    connector.close()


def test_a_missing_table_or_column_stops(place):
    """No row is at fault where the table is not as it should be."""
    connector = place.connector()
    place.run("CREATE TABLE another (lead_id integer)")
    with pytest.raises(StopError, match="no table 'crm'") as raised:
        sent(connector, row("C-1"))
    assert raised.value.reason == StopReason.SETUP
    place.run("CREATE TABLE crm (lead_id varchar(40) PRIMARY KEY, score integer)")
    with pytest.raises(StopError, match="lacks 'probability', 'grade'") as raised:
        sent(connector, row("C-1"))
    assert "--setup" in raised.value.hint
    with pytest.raises(StopError, match="lacks 'owner'") as raised:
        connector.changes("", ("owner",))
    assert "--setup" not in raised.value.hint
    connector.close()


def test_a_database_without_utf_8_is_told_as_such(postgresql, tmp_path):
    """No row is at fault, and setting up would not help: texts need another database."""
    postgresql.run("CREATE DATABASE plain ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    url = postgresql.admin.set(database="plain").render_as_string(hide_password=False)
    connector = Place(url, tmp_path, postgresql).connector()
    connector.setup(FIELDS)
    with pytest.raises(StopError) as raised:
        sent(connector, row("C-1"))
    assert ("UTF-8" in raised.value.hint, "--setup" in raised.value.hint) == (True, False)
    connector.close()


def test_where_nothing_may_be_created_unknown_keys_are_rejected(connector, place):
    """The others of the batch are written."""
    sent(connector, row("C-1"))
    only = place.connector(may_create=False)
    answers = only.send([row("C-2"), row("C-1", score=9)], PassingTicket())
    assert set(answers) == {Answer("C-2", Outcome.REJECTED, NO_SUCH_RECORD), Answer("C-1", Outcome.WRITTEN)}
    assert place.run("SELECT lead_id, score FROM crm") == [("C-1", 9)]
    only.close()


def test_a_key_is_what_it_is_with_case_and_blanks(connector, place):
    """No two keys are taken for one another, whether created, updated or read."""
    keys = ["ann", "Ann", "ann ", "ânn", "-1", "1e3", "' OR 1=1 --", "%s :x"]
    assert set(sent(connector, *(row(key, score=n) for n, key in enumerate(keys))).values()) == {Outcome.WRITTEN}
    found = connector.read([*keys, "ANN"], ("score",))
    assert {key: record.fields["score"] for key, record in found.items()} == {key: str(n) for n, key in enumerate(keys)}
    only = place.connector(may_create=False)
    assert sent(only, row("ANN"), row("Ann", score=50)) == {"ANN": Outcome.REJECTED, "Ann": Outcome.WRITTEN}
    assert [record.fields["score"] for record in only.read(["ann", "Ann", "ann "], ("score",)).values()] in (
        [str(n) for n in order] for order in ((0, 50, 2), (50, 0, 2), (0, 2, 50), (2, 0, 50), (50, 2, 0), (2, 50, 0))
    )
    only.close()


def test_a_table_that_forgets_case_writes_over_nobody(place):
    """Where the table takes two keys for one, the second is turned away and the first stays."""
    word = {
        "postgresql": "CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE crm (lead_id citext PRIMARY KEY, score int)",
        "mysql": "CREATE TABLE crm (lead_id varchar(40) COLLATE utf8mb4_general_ci PRIMARY KEY, score int)",
        "sqlite": "CREATE TABLE crm (lead_id text COLLATE NOCASE PRIMARY KEY, score int)",
    }[place.url.split("+")[0].split(":")[0]]
    place.run(*word.split("; "))
    connector = place.connector()
    assert sent(connector, Row("ann", {"score": 1})) == {"ann": Outcome.WRITTEN}
    answers = connector.send([Row("Ann", {"score": 2}), Row("bob", {"score": 3})], PassingTicket())
    assert set(answers) == {Answer("Ann", Outcome.REJECTED, SAME_BUT_FOR_CASE), Answer("bob", Outcome.WRITTEN)}
    assert place.run("SELECT lead_id, score FROM crm ORDER BY score") == [("ann", 1), ("bob", 3)]
    assert connector.read(["Ann"], ("score",)) == {}
    only = place.connector(may_create=False)
    assert sent(only, Row("ANN", {"score": 4}), Row("ann", {"score": 5})) == {
        "ANN": Outcome.REJECTED,
        "ann": Outcome.WRITTEN,
    }
    connector.close()
    only.close()


@pytest.mark.parametrize("place", ["mariadb"], indirect=True)
@pytest.mark.parametrize("key_type", ["varchar(255) COLLATE utf8mb4_nopad_bin", "varchar(255)", "integer"])
@pytest.mark.parametrize("email_first", [True, False])
def test_a_second_unique_column_writes_over_nobody(place, key_type, email_first):
    """A new row that meets another's record there is turned away, and whoever has a record is written all the same."""
    columns = [f"lead_id {key_type} NOT NULL UNIQUE", "email varchar(50) NOT NULL DEFAULT '' UNIQUE"]
    place.run(f"CREATE TABLE crm ({', '.join(reversed(columns) if email_first else columns)}, score integer)")
    place.run("INSERT INTO crm VALUES ('a@example.com', '7', 1)" if email_first else
              "INSERT INTO crm VALUES ('7', 'a@example.com', 1)")  # fmt: skip
    connector = place.connector()
    assert sent(connector, Row("1", {"score": 10})) == {"1": Outcome.WRITTEN}
    assert sent(connector, Row("2", {"score": 20})) == {"2": Outcome.REJECTED}
    assert sent(connector, Row("7", {"score": 70}), Row("1", {"score": 11})) == {
        "7": Outcome.WRITTEN, "1": Outcome.WRITTEN
    }  # fmt: skip
    assert place.run("SELECT lead_id, score FROM crm ORDER BY score") in (
        [("1", 11), ("7", 70)],
        [(1, 11), (7, 70)],
    )
    connector.close()


def test_keys_may_be_numbers(place):
    """An integer column takes the keys that it gives back as they were."""
    place.run("CREATE TABLE crm (lead_id integer PRIMARY KEY, score integer)")
    connector = place.connector()
    assert connector.check([CrmField("score", FieldType.INTEGER)]) == []
    assert sent(connector, Row("7", {"score": 1}), Row("007", {"score": 2}), Row("x", {"score": 3})) == {
        "7": Outcome.WRITTEN,
        "007": Outcome.REJECTED,
        "x": Outcome.REJECTED,
    }
    assert connector.read(["7", "007", "x"], ("score",)) == {"7": Record("7", {"score": "1"})}
    assert [one.key for one in connector.changes("", ("score",)).records] == ["7"]
    connector.close()


@pytest.mark.parametrize("spoilt", [{"score": 2**70}, {"reason": "lone \ud800"}])
def test_a_value_that_cannot_be_stored_refuses_the_batch_and_writes_nothing(connector, place, spoilt):
    """The sender halves it until the row is found; its values are not repeated."""
    with pytest.raises(BatchRefusedError) as raised:
        sent(connector, row("C-1"), row("C-2", **spoilt))
    assert "1180591620717411303424" not in str(raised.value)
    assert place.run("SELECT * FROM crm") == []
    assert sent(connector, row("C-1")) == {"C-1": Outcome.WRITTEN}


def test_what_breaks_a_rule_of_the_table_refuses_the_batch_in_its_words(place):
    """A rule of the shop's own speaks for itself, without the lead's values."""
    place.run(
        "CREATE TABLE crm"
        " (lead_id varchar(40) PRIMARY KEY, grade varchar(40), CONSTRAINT wise CHECK (grade <> 'Zebra'))"
    )
    connector = place.connector()
    with pytest.raises(BatchRefusedError, match="wise") as raised:
        sent(connector, Row("ann@example.com", {"grade": "Zebra"}))
    assert "ann@" not in str(raised.value)
    assert "Zebra" not in str(raised.value)
    connector.close()


@servers
def test_a_text_in_a_number_is_not_repeated(place):
    """Databases quote what they do not understand; we do not."""
    place.run("CREATE TABLE crm (lead_id varchar(40) PRIMARY KEY, score integer)")
    connector = place.connector()
    with pytest.raises(BatchRefusedError, match=r"(?i)integer") as raised:
        sent(connector, Row("C-1", {"score": "a \"b\" 'c' for d"}))
    assert all(part not in str(raised.value) for part in ('"b"', "'c'"))
    connector.close()


def test_texts_come_back_as_they_were(connector):
    """Quotes, line breaks, backslashes, signs beyond the first plane, percent signs and names of parameters."""
    hostile = [
        "it's",
        'a "b"',
        "a\nb\tc\r\n",
        "\\n \\",
        "100 % :x %s {y}",
        "🎉 zażółć",
        "null",
        "'; DROP TABLE crm; --",
    ]
    sent(connector, *(row(str(n), reason=reason) for n, reason in enumerate(hostile)))
    found = connector.read([str(n) for n in range(len(hostile))], ("reason",))
    assert [found[str(n)].fields["reason"] for n in range(len(hostile))] == hostile


def test_many_keys_are_read_and_a_whole_batch_is_written(connector):
    """A batch of the usual size, read back in one question."""
    keys = [f"C-{n}" for n in range(connector.batch_size(10**6))]
    assert len(keys) == 5_000
    assert set(sent(connector, *map(row, keys)).values()) == {Outcome.WRITTEN}
    assert len(connector.read(keys, ("score",))) == len(keys)


AT = datetime(2025, 1, 31, 12, tzinfo=UTC)


def all_changes(connector, cursor, names=("override",)):
    """Return the keys of all pages, and the last cursor."""
    keys, is_more = [], True
    while is_more:
        page = connector.changes(cursor, names)
        keys += [record.key for record in page.records]
        cursor, is_more = page.cursor, page.is_more
    return keys, cursor


@pytest.fixture
def changing(place):
    """Return a table with a column that says when a record changed, and a function that changes one."""
    connector = place.connector(changed_at="touched")
    connector.setup([CrmField("override", FieldType.TEXT, length=20)])

    def change(key, at, override="hot"):
        moment = "NULL" if at is None else f"'{at.replace(tzinfo=None).isoformat(sep=' ')}'"
        if at is not None and place.url.startswith("postgresql"):
            moment = f"timestamptz '{at.isoformat()}'"
        place.run(
            f"DELETE FROM crm WHERE lead_id = '{key}'",
            f"INSERT INTO crm (lead_id, override, touched) VALUES ('{key}', '{override}', {moment})",
        )

    yield connector, change
    connector.close()


def test_changes_come_older_first_and_then_no_more(changing):
    """The first reading has all, those without a moment too; the next only what is new, or was a moment ago."""
    connector, change = changing
    for key, at in (("new", AT), ("old", AT - timedelta(days=1)), ("never", None)):
        change(key, at)
    keys, cursor = all_changes(connector, "")
    assert keys == ["never", "old", "new"]
    assert all_changes(connector, cursor)[0] == ["new"]
    change("newer", AT + timedelta(minutes=30))
    keys, cursor = all_changes(connector, cursor)
    assert keys == ["new", "newer"]
    change("later", AT + timedelta(minutes=21))  # committed late
    change("never", None, "cold")
    assert all_changes(connector, cursor)[0] == ["later", "newer"]
    assert connector.read(["old"], ("override",))["old"].changed_at == AT - timedelta(days=1)


def test_records_of_one_moment_are_read_page_by_page(changing, monkeypatch):
    """Neither left out nor read for ever, though all carry the same time, or none."""
    monkeypatch.setattr("pipeline.crm.connectors.sql_changes.PAGE", 2)
    connector, change = changing
    keys = ["a", "B", "b", "ä", "C"]
    for key in keys:
        change(key, AT)
    for key in ("x", "y", "z"):
        change(key, None)
    found, cursor = all_changes(connector, "")
    assert sorted(found[:3]) == ["x", "y", "z"]
    assert sorted(found[3:]) == sorted(keys)
    assert len(all_changes(connector, cursor)[0]) == len(keys)


def test_a_moment_to_come_hides_nothing(changing):
    """A clock that was wrong once does not stop what changes from being seen."""
    connector, change = changing
    change("wrong", datetime(2999, 1, 1, tzinfo=UTC))
    _, cursor = all_changes(connector, "")
    seen = datetime.fromisoformat(json.loads(cursor)["seen"])
    assert seen < datetime(2999, 1, 1, tzinfo=UTC)


def test_without_such_a_column_all_records_come_each_time(connector, monkeypatch):
    """Page by page, in the order of their keys."""
    monkeypatch.setattr("pipeline.crm.connectors.sql_changes.PAGE", 2)
    sent(connector, *map(row, "abcde"))
    assert all_changes(connector, "", ("grade",)) == (list("abcde"), "")


@pytest.mark.parametrize("cursor", ["nonsense", "[1]", '{"seen": "nobody knows"}', '{"what": 1}', "7"])
def test_a_cursor_that_is_none_begins_anew(connector, cursor):
    """Better twice than never."""
    sent(connector, row("a"))
    assert all_changes(connector, cursor, ("grade",))[0] == ["a"]


@servers
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # pg8000 leaves it to Python when it may not in
def test_a_wrong_password_stops_without_being_repeated(place):
    """The database's words are passed on, the password is not."""
    connector = place.connector(url=place.url.replace(PASSWORD, "wr0ng-password"))
    with pytest.raises(StopError) as raised:
        connector.check(FIELDS)
    assert raised.value.reason == StopReason.CREDENTIALS
    assert "wr0ng-password" not in str(raised.value) + raised.value.hint + repr(connector)
    connector.close()
    del raised
    gc.collect()


@servers
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_unknown_database_stops(place):
    """Somebody must correct the URL."""
    connector = place.connector(url=place.url.replace("/shop_", "/no_shop_"))
    with pytest.raises(StopError, match="no_shop") as raised:
        connector.read(["C-1"], ("score",))
    assert raised.value.reason == StopReason.SETUP
    connector.close()
    del raised
    gc.collect()


@servers
def test_a_user_who_may_not_write_is_told_by_the_check_and_stopped(connector, place):
    """Nothing was written, and no row is at fault."""
    if place.url.startswith("postgresql"):
        place.server.run("DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'r3ader'; EXCEPTION WHEN OTHERS THEN END $$")
        place.run("GRANT SELECT ON crm TO reader")
    else:
        place.run("CREATE USER IF NOT EXISTS reader@'%' IDENTIFIED BY 'r3ader'", "GRANT SELECT ON crm TO reader@'%'")
    reader = place.connector(url=place.url.replace("leadlight:" + PASSWORD, "reader:r3ader"))
    for call in (lambda: reader.check(FIELDS), lambda: sent(reader, row("C-1"))):
        with pytest.raises(StopError) as raised:
            call()
        assert raised.value.reason == StopReason.PERMISSION
    reader.close()


@servers
def test_a_lost_connection_is_opened_anew(connector, place):
    """The batch is written all the same."""
    sent(connector, row("C-1"))
    name = place.url.rpartition("/")[2].partition("?")[0]
    if place.url.startswith("postgresql"):
        place.server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    else:
        for (number,) in place.server.run(f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"):
            place.server.run(f"KILL {number}")
    assert sent(connector, row("C-2")) == {"C-2": Outcome.WRITTEN}


@servers
def test_a_server_that_is_away_is_waited_for_and_then_told(place):
    """Patience ends with a stop that keeps what is pending."""
    away = place.url.replace(f":{place.server.admin.port}/", ":1/")
    connector = place.connector(url=away)
    with pytest.raises(StopError) as raised:
        connector.read(["C-1"], ("score",))
    assert raised.value.reason == StopReason.NETWORK
    connector.close()


def test_a_file_that_another_program_holds_is_waited_for(tmp_path, monkeypatch):
    """A lock passes by itself."""
    monkeypatch.setattr("pipeline.database_links._SQLITE_WAIT_S", 0)
    place = Place(f"sqlite:///{tmp_path / 'crm.db'}", tmp_path)
    setting = place.connector()
    setting.setup(FIELDS)
    setting.close()
    engine = create_engine(place.url, poolclass=NullPool)
    with engine.connect() as other:
        other.execute(text("BEGIN IMMEDIATE"))
        other.execute(text("INSERT INTO crm (lead_id) VALUES ('theirs')"))
        pauses = []

        def sleep(seconds):
            pauses.append(seconds)
            other.commit()

        connector = place.connector(patience=Patience(sleep=sleep))
        assert sent(connector, row("C-1")) == {"C-1": Outcome.WRITTEN}
    assert len(pauses) == 1
    connector.close()


@servers
def test_a_record_that_another_program_holds_is_waited_for(connector, place):
    """Nothing is wrong with the row, nor with the database."""
    sent(connector, row("a"), row("b"))
    engine = create_engine(place.url, poolclass=NullPool)
    raised = []
    with engine.connect() as other:
        other.execute(text("UPDATE crm SET score = 1 WHERE lead_id = 'b'"))
        listen = connector._family.listen

        def heard(error):
            raised.append(listen(error))
            return raised[-1]

        connector._family.listen = heard
        if place.url.startswith("postgresql"):
            place.run("ALTER DATABASE " + place.url.rpartition("/")[2] + " SET lock_timeout = '20ms'")
            connector._engine.dispose()
        else:
            place.server.run("SET GLOBAL innodb_lock_wait_timeout = 1")
            connector._engine.dispose()
        with pytest.raises(StopError):
            sent(connector, row("a"), row("b"))
        other.rollback()
    if not place.url.startswith("postgresql"):
        place.server.run("SET GLOBAL innodb_lock_wait_timeout = 50")
    assert {said.verdict.name for said in raised} == {"BUSY"}
    assert sent(connector, row("a"), row("b")) == {"a": Outcome.WRITTEN, "b": Outcome.WRITTEN}


def test_a_sqlite_path_starts_at_the_configs_folder_and_looking_makes_no_file(tmp_path):
    """A check and a run without `--setup` leave no empty file behind."""
    place = Place("sqlite:///data/crm.db", tmp_path)
    (tmp_path / "data").mkdir()
    connector = place.connector()
    assert connector.check(FIELDS) == [f"There is no database file '{tmp_path / 'data' / 'crm.db'}'."]
    with pytest.raises(StopError, match="no database file"):
        sent(connector, row("C-1"))
    assert list((tmp_path / "data").iterdir()) == []
    connector.setup(FIELDS)
    assert sent(connector, row("C-1")) == {"C-1": Outcome.WRITTEN}
    connector.close()
    assert (tmp_path / "data" / "crm.db").is_file()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@host/db", "postgresql://u@host/db?password=s3cret", "mysql://u@host/db?passwd=s3cret",
        "mysql://u@host/db?ssl_key=s3cret", "no url",
    ],
)  # fmt: skip
def test_a_config_holds_no_password(url):
    """Neither before the host nor behind the question mark."""
    with pytest.raises(ValueError, match="url") as raised:
        SqlOptions(table="crm", url=url)
    assert "environment" in str(raised.value) or "no URL" in str(raised.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite://", "names no file"), ("sqlite:///:memory:", "names no file"), ("oracle://h/db", "only PostgreSQL"),
        ("postgresql+psycopg2://u@host/db", "driver must be"), ("postgresql://host", "host and a database"),
        ("mysql://u:s3cret@host/db?local_infile=1", "not known: local_infile"), ("nonsense s3cret", "no URL"),
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_opened_is_refused_before_any_work(tmp_path, url, why):
    """The message says why, and repeats no secret."""
    with pytest.raises(LeadlightError, match=why) as raised:
        Place(url, tmp_path).connector()
    assert "s3cret" not in str(raised.value)


def test_no_url_at_all_is_told(tmp_path):
    """Neither the environment nor the config has one."""
    around = Surroundings("nightly", "lead_id", tmp_path, tmp_path, {})
    with pytest.raises(LeadlightError, match="LEADLIGHT_SQL_URL"):
        sql.KIND.connect(SqlOptions(table="crm"), around)


@pytest.mark.parametrize(("scheme", "name"), [("postgresql", "ssl_context"), ("mysql", "ssl")])
def test_a_connection_to_another_machine_is_verified(tmp_path, scheme, name):
    """Unless the config says otherwise; this machine needs no certificate."""
    away = address_of(f"{scheme}://u@db.example.com/shop", place="here", folder=tmp_path)
    here = address_of(f"{scheme}://u@127.0.0.1/shop", place="here", folder=tmp_path)
    context = driver_arguments(away, tls=True, tls_ca=None)[name]
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert driver_arguments(away, tls=False, tls_ca=None).get(name) is None
    assert driver_arguments(here, tls=True, tls_ca=None).get(name) is None
    with pytest.raises(LeadlightError, match="cannot be read"):
        driver_arguments(away, tls=True, tls_ca=tmp_path / "missing.pem")
