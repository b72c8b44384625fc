"""The ledger: its tables as the code knows them, one writer per target, in a file and on a server alike."""

import threading
from functools import partial

import pyarrow as pa
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, func, make_url, select, text

from features.errors import LeadlightError, NotFinishedError
from pipeline.crm.ledger import opening, runs
from pipeline.crm.ledger.cursors import Reading
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.hearing import Page, Said, heard_rows, keep
from pipeline.crm.ledger.tables import BATCHES, METADATA, ROWS, STANDING
from pipeline.crm.session import Outside
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.listen import listen
from pipeline.stages.publish import publish
from pipeline.stages.publish_checks import verify
from pipeline.stages.publish_history import past_runs
from pipeline.stages.publish_undo import undo
from support import publishing
from support.little_shop import FIELDS, LittleShop, lead_ids
from support.publishing import YES
from support.told import Telling


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop with scores of its first night."""
    made = LittleShop(tmp_path / "shop", leads=120, crm={"crm": {"fields": FIELDS}})
    made.score(0)
    return made


def outside(shop, url, night=0, **rest):
    """Return the world on the morning after a night, its ledger at *url*."""
    return publishing.outside(shop, night, environment={opening.LEDGER: url}, **rest)


def run(shop, url, night=0, **rest):
    """Publish and return the report of the one target."""
    return publishing.published(shop, night=night, environment={opening.LEDGER: url}, **rest)


def test_migrations_make_the_tables_that_the_code_knows(url):
    """After all migrations, the database has every table, column and index of the code, and no others."""
    engine = opening.opened(make_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "ledger_version", "compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_ledger_of_an_older_version_keeps_what_it_holds(url, monkeypatch):
    """What was heard before places were kept is still known, and an older word is no news after it."""
    with monkeypatch.context() as before:
        before.setattr(opening.command, "upgrade", partial(_upgraded_to, opening.command.upgrade, "0001"))
        before.setattr(opening, "require_tables", lambda _: None)
        engine = opening.opened(make_url(url))
        heard = {"target": "crm", "lead_id": "Ann", "property": "owner", "value": "Eve", "changed_at": 5, "heard_at": 7}
        with engine.begin() as connection:
            names = (*heard, "is_newest")
            said = f"INSERT INTO ledger_heard ({', '.join(names)}) VALUES (:{', :'.join(names)})"
            connection.execute(text(said), {**heard, "is_newest": True})
        engine.dispose()
    engine = opening.opened(make_url(url))
    page = Page([Said("Ann", "owner", "Max", 4)], None, "1", heard_at=9, is_last=True)
    assert keep(engine, Reading(Destination("crm", "place"), "hash"), page) == 0
    (kept,) = pa.Table.from_batches(heard_rows(engine, "crm", ["owner"], until=10)).to_pylist()
    assert (kept["lead_id"], kept["value"], kept["changed_at"]) == ("Ann", "Eve", 5)
    engine.dispose()


def _upgraded_to(upgrade, revision, config, _):
    upgrade(config, revision)


def test_a_ledger_opens_for_many_at_once(url):
    """Whoever comes first makes the tables; the others find them."""
    failed = []

    def open_it():
        try:
            opening.opened(make_url(url)).dispose()
        except LeadlightError as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_ledger_of_a_newer_version_is_left_alone(url):
    """A version that this one does not know is refused, and said how to go on."""
    opening.opened(make_url(url)).dispose()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LeadlightError, match="newer version"):
        opening.opened(make_url(url))


def test_one_run_writes_to_a_target_at_a_time(url):
    """The second refuses and may be started again; another target is free."""
    engine = opening.opened(make_url(url))
    with opening.writing_to(engine, "crm"):
        with pytest.raises(NotFinishedError, match="Another run"), opening.writing_to(engine, "crm"):
            pass
        with opening.writing_to(engine, "other"):
            pass
    with opening.writing_to(engine, "crm"):
        pass
    engine.dispose()


def test_the_lock_of_a_server_is_held_in_no_transaction(postgresql):
    """A server may end connections that stay in a transaction for long; the lock is held as long as a run takes."""
    engine = opening.opened(make_url(postgresql.database()))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))  # one that was used before is looked at before it is used again
    holder = "SELECT state FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory'"
    with opening.writing_to(engine, "crm") as require_alone:
        assert postgresql.run(holder) == [("idle",)]
        require_alone()
        assert postgresql.run(holder) == [("idle",)]
    engine.dispose()


@pytest.mark.parametrize("target", ["version", "ledger_version"])
def test_a_target_is_no_table_of_the_ledger(url, target):
    """Whatever a target is called, the ledger can be opened while something writes to it."""
    engine = opening.opened(make_url(url))
    with opening.writing_to(engine, target):
        opened = threading.Thread(target=lambda: opening.opened(make_url(url)).dispose(), daemon=True)
        opened.start()
        opened.join(5)
        assert not opened.is_alive()
    engine.dispose()


def test_a_night_is_published_resumed_verified_and_undone(shop, url, memory):
    """The whole life of a run is the same in a file and on a server."""
    sent = []

    def stop(rows):
        sent.append(len(rows))
        if len(sent) > 3:
            raise StopError("gone", reason=StopReason.NETWORK)

    memory.on_send = stop
    cut = run(shop, url)
    assert cut.tally.pending > 0
    memory.on_send = lambda _: None
    first = run(shop, url)
    assert first.is_resumed
    assert first.tally.written + first.tally.held == first.tally.given
    stood = {key: dict(record) for key, record in memory.records.items()}
    assert run(shop, url).tally.unchanged == first.tally.written
    shop.score(1)
    second = run(shop, url, 1)
    assert 0 < second.tally.written < first.tally.written
    (read,) = verify(shop.settings, "", sample=500, outside=outside(shop, url, 1)).verified
    assert read.read == read.agree == len(memory.records)
    assert undo(shop.settings, second.run, may=lambda _: True, outside=outside(shop, url, 1)).exit_code == 0
    assert {key: memory.records[key] for key in stood} == stood
    assert [one.state for one in past_runs(shop.settings, "", outside=outside(shop, url))] == [
        "finished", "undone", "finished", "finished",
    ]  # fmt: skip


def test_whom_people_in_the_crm_hold_is_asked_of_the_very_ledger(shop, url, memory):
    """Where the environment says where the ledger lies, a hold that was heard there keeps a lead from being written."""
    shop.configure({"crm": {"fields": FIELDS, "read": {"override": "do_not_call"}}})
    shop.score_all_free(1)
    ann, bob, *_ = lead_ids(2)
    crm = Telling()
    memory.changes = crm.changes
    crm.tell(ann, do_not_call="yes")
    first = run(shop, url, 1)
    assert first.tally.held == 1
    assert ann not in memory.records
    crm.tell(bob, do_not_call="yes")
    listen(shop.settings, "", outside=outside(shop, url, 1))
    stood = dict(memory.records[bob])
    undone = undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop, url, 1))
    assert undone.tally.held == 1
    assert memory.records[bob] == stood


def test_what_was_on_its_way_is_unsure_when_newer_scores_come(shop, url, memory):
    """A batch without an answer is sent again by the next scores, though nothing of them moved."""
    memory.on_send = memory.takes_and_is_cut
    run(shop, url)
    unsure = set(memory.records)
    memory.on_send, memory.sent = lambda _: None, []
    shop.score(1, shop.leads.scores(0))
    run(shop, url, 1)
    assert unsure
    assert unsure <= {key for batch in memory.sent for key in batch}


def test_old_rows_go_and_what_stands_stays(shop, url, memory):
    """After `keep_days` the rows of ended runs are removed; the next night still sends only differences."""
    run(shop, url)
    shop.score(1)
    late = run(shop, url, 1, hours=12_000)
    engine = create_engine(url)
    with engine.connect() as connection:
        left = connection.execute(select(func.count(func.distinct(ROWS.c.run_id)))).scalar()
        batches = connection.execute(select(func.count(func.distinct(BATCHES.c.run_id)))).scalar()
        standing = connection.execute(select(func.count()).select_from(STANDING)).scalar()
    engine.dispose()
    assert (left, batches) == (1, 1)
    assert standing == len(memory.records)
    assert late.tally.written + late.tally.held == late.tally.given


def test_the_tally_of_a_run_whose_rows_are_gone_is_kept(shop, url, memory):
    """What a run wrote can still be told when its rows are long gone."""
    first = run(shop, url)
    shop.score(1)
    run(shop, url, 1, hours=12_000)
    told = {one.run: one.tally for one in past_runs(shop.settings, "", outside=outside(shop, url))}
    assert told[first.run] == first.tally


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_run_whose_rows_are_gone_is_not_taken_back(shop, tmp_path, memory, is_dry):
    """Nobody knows any more what it wrote to whom: it is refused, and nothing is called undone."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = run(shop, url)
    shop.score(1)
    run(shop, url, 1, hours=12_000)
    stood, around = {key: dict(record) for key, record in memory.records.items()}, outside(shop, url, 1, hours=12_000)
    said = f"Run {first.run} cannot be taken back: its rows went after publish.keep_days"
    with pytest.raises(LeadlightError, match=said):
        undo(shop.settings, first.run, is_dry=is_dry, may=lambda _: True, outside=around)
    assert memory.records == stood
    assert {one.run: one.state for one in past_runs(shop.settings, "", outside=around)}[first.run] == "finished"


def test_an_undoing_that_was_merely_planned_does_not_stand_for_rows_that_are_gone(shop, tmp_path, memory):
    """It was cut short before it wrote anything: the run is refused all the same, and not called undone."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = run(shop, url)
    shop.score(1)
    run(shop, url, 1, hours=12_000)
    engine = opening.opened(make_url(url))
    with engine.begin() as connection:
        asked = runs.Asked(Destination("crm", ""), runs.RunKind.UNDO, 0, "v", {}, "m", (), undoes=first.run)
        runs.begin(connection, asked, at=shop.morning(1))
    engine.dispose()
    with pytest.raises(LeadlightError, match="its rows went after"):
        undo(shop.settings, first.run, may=lambda _: True, outside=outside(shop, url, 1, hours=12_000))


def test_a_run_that_wrote_nothing_is_taken_back_though_it_has_no_rows(shop, tmp_path, memory):
    """It never had any."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    run(shop, url)
    second = run(shop, url)
    assert undo(shop.settings, second.run, may=lambda _: True, outside=outside(shop, url)).exit_code == 0


def test_a_removed_ledger_sends_all_again(shop, tmp_path, memory):
    """Without a ledger nobody knows what stands: everything is sent, and nothing is doubled."""
    first = run(shop, f"sqlite:///{tmp_path / 'one.db'}")
    held = {key: dict(record) for key, record in memory.records.items()}
    assert run(shop, f"sqlite:///{tmp_path / 'two.db'}").tally.written == first.tally.written
    assert memory.records == held


def test_a_run_that_was_planned_and_never_opened_sends_nothing(shop, url, memory):
    """What a run that was killed while planning left behind goes away with the next."""
    engine = opening.opened(make_url(url))
    with engine.begin() as connection:
        asked = runs.Asked(Destination("crm", ""), runs.RunKind.PUBLISH, 0, "v", {}, "m", ())
        left = runs.begin(connection, asked, at=shop.morning(0))
    run(shop, url)
    with engine.connect() as connection:
        assert runs.find(connection, left) is None
    engine.dispose()
    assert [one.state for one in past_runs(shop.settings, "", outside=outside(shop, url))] == ["finished"]


def test_a_ledger_belongs_to_one_shop(shop, url, memory):
    """The first shop that opens a shared ledger has it; another is refused before anything is sent."""
    run(shop, url)
    memory.sent.clear()
    text_of = shop.path.read_text(encoding="utf-8")
    shop.path.write_text(text_of.replace("Little shop", "Other shop"), encoding="utf-8")
    (failure,) = publish(shop.settings, YES, outside=outside(shop, url)).failures
    assert failure.exit_code == 2
    assert "is that of the shop 'Little shop', not of 'Other shop'" in failure.message
    assert memory.sent == []


def test_a_shop_may_be_renamed_beside_a_ledger_of_its_own(shop, memory):
    """The ledger in a shop's workspace is the shop's, whatever it is called."""
    around = Outside({}, clock=lambda: shop.morning(0))
    publish(shop.settings, YES, outside=around)
    text_of = shop.path.read_text(encoding="utf-8")
    shop.path.write_text(text_of.replace("Little shop", "Renamed"), encoding="utf-8")
    assert publish(shop.settings, YES, outside=around).exit_code == 0


def test_a_ledger_on_another_machine_is_reached_as_a_target_is(postgresql, monkeypatch, tmp_path):
    """Its link is encrypted and its server known, unless the config says otherwise."""
    url = postgresql.database()
    monkeypatch.setattr("pipeline.database_links.is_loopback", lambda _: False)
    with pytest.raises(LeadlightError, match=r"offers no TLS[^$]*publish\.tls_ca"):
        opening.opened(make_url(url))
    opening.opened(make_url(url), tls=False).dispose()
    with pytest.raises(LeadlightError, match="cannot be read"):
        opening.opened(make_url(url), tls_ca=tmp_path / "missing.pem")


def test_a_ledger_that_its_user_may_not_keep_is_told_with_the_server_s_words(postgresql):
    """No rights, a wrong password, no such database and one for reading are wrong input, not a server that is away."""
    address = make_url(postgresql.database())
    postgresql.run("CREATE ROLE keeps_nothing LOGIN PASSWORD 'n0thing'")
    nobody = address.set(username="keeps_nothing", password="n0thing")
    postgresql.run("CREATE ROLE only_reads LOGIN PASSWORD 'n0thing'")
    postgresql.run("ALTER ROLE only_reads SET default_transaction_read_only = on")
    for refused, words in (
        (nobody, "permission denied"),
        (nobody.set(username="only_reads"), "read-only transaction"),
        (nobody.set(password="other"), "password authentication failed"),
        (address.set(database="nowhere"), "nowhere.* does not exist"),
    ):
        with pytest.raises(LeadlightError, match=words) as raised:
            opening.opened(refused)
        assert not isinstance(raised.value, NotFinishedError)
        assert "n0thing" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@h/d?ssl_context=no", "postgresql+psycopg2://u@h/d", "mysql://u@h/d", "postgresql:///d?host=h",
        "sqlite://", "sqlite:///:memory:", "sqlite:///.", "sqlite:///file:ledger?mode=memory", "sqlite:///l.db?timeout=5",
    ],
)  # fmt: skip
def test_a_ledger_goes_only_where_it_is_safe(shop, url):
    """Another driver or parameter could be reached without being verified; in memory it would be gone at once."""
    with pytest.raises(LeadlightError) as raised:
        opening.ledger_address(shop.settings, {opening.LEDGER: url})
    assert not isinstance(raised.value, NotFinishedError)


def test_the_path_of_a_ledger_starts_where_the_config_lies(shop, memory, monkeypatch, tmp_path):
    """Wherever the process was started, it is the same file, and whoever only reads it finds it."""
    monkeypatch.chdir(tmp_path)
    run(shop, "sqlite:///kept/ledger.db")
    assert (shop.path.parent / "kept" / "ledger.db").is_file()
    assert len(past_runs(shop.settings, "", outside=outside(shop, "sqlite:///kept/ledger.db"))) == 1
    assert not (tmp_path / "kept").exists()


def test_a_ledger_lies_in_a_workspace_of_any_name(shop, memory):
    """What stands for something in a URL stands for itself in the path of a workspace."""
    text_of = shop.path.read_text(encoding="utf-8")
    named = shop.settings.shop.workspace.rename(shop.path.parent / "50%25 more?")
    shop.path.write_text(text_of.replace("shop:\n", f"shop:\n  workspace: {named.name}\n", 1), encoding="utf-8")
    around = Outside({}, clock=lambda: shop.morning(0))
    assert publish(shop.settings, YES, outside=around).exit_code == 0
    assert (named / "ledger.db").is_file()
    assert len(past_runs(shop.settings, "", outside=around)) == 1
