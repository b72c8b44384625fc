"""What is the shop's own is no target's: its ledger, and the files that its tables are read from."""

import pytest
import yaml

from features.errors import LeadlightError
from pipeline.crm.targets import open_target
from pipeline.settings import load
from support.little_shop import LittleShop


def opened(folder, connect, *, tables=None, environment=None, **target):
    """Open a target of a shop, and let it go."""
    target = {"kind": "file", "fields": {"score": "score"}, "connect": connect, **target}
    shop = LittleShop(folder, leads=1, crm={"place": target})
    raw = yaml.safe_load(shop.path.read_text()) | {"data": "data"}
    raw["tables"] |= tables or {}
    shop.path.write_text(yaml.safe_dump(raw))
    (folder / "data").mkdir(exist_ok=True)
    with open_target(load(shop.path), "place", environment=environment or {}):
        pass


def test_the_ledger_s_file_is_no_target(tmp_path):
    """Neither its tables nor the file itself, by whatever way they are named."""
    (tmp_path / "link.db").symlink_to("workspace/ledger.db")
    for url in ("sqlite:///workspace/ledger.db", "sqlite:///link.db"):
        with pytest.raises(LeadlightError, match="is the ledger of what was sent"):
            opened(tmp_path, {"url": url, "table": "scores"}, kind="sql")
    with pytest.raises(LeadlightError, match="is the ledger of what was sent"):
        opened(tmp_path, {"path": "link.db", "format": "csv"})
    elsewhere = {"LEADLIGHT_LEDGER": "sqlite:///other.db"}
    with pytest.raises(LeadlightError, match="is the ledger of what was sent"):
        opened(tmp_path, {"url": "sqlite:///other.db", "table": "scores"}, kind="sql", environment=elsewhere)
    opened(tmp_path, {"url": "sqlite:///crm.db", "table": "scores"}, kind="sql")


def test_the_ledger_s_tables_on_a_server_are_no_targets(tmp_path):
    """Others of the same database are: one server may be all that a shop has."""
    environment = {"LEADLIGHT_LEDGER": "postgresql://ann:secret@db/shop"}
    with pytest.raises(LeadlightError, match="the table 'ledger_runs' belongs to the ledger"):
        opened(tmp_path, {"url": "postgresql://db/shop", "table": "ledger_runs"}, kind="sql", environment=environment)
    opened(tmp_path, {"url": "postgresql://db/shop", "table": "scores"}, kind="sql", environment=environment)


@pytest.mark.parametrize(
    "path",
    [
        "workspace/previews/crm-place.csv",
        "workspace/rejects/crm-place.csv",
        "workspace/scores/x.parquet",
        "workspace/crm/deep/x.jsonl",
        "workspace/new.csv",
        "link/new.csv",
        "link.csv",
    ],
)
def test_nothing_within_the_workspace_is_a_target(tmp_path, path):
    """What Leadlight keeps there it also clears; a link that leads there is no way around."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "link").symlink_to("workspace")
    (tmp_path / "link.csv").symlink_to("workspace/previews/crm-place.csv")
    with pytest.raises(LeadlightError, match=r"lies in the workspace '.*/workspace'") as raised:
        opened(tmp_path, {"path": path})
    assert "outside the workspace" in str(raised.value)
    assert ".leadlight" not in str(raised.value)
    with pytest.raises(LeadlightError, match="lies in the workspace"):
        opened(tmp_path, {"url": "sqlite:///workspace/mine.db", "table": "scores"}, kind="sql")


def test_a_workspace_that_is_a_link_is_where_it_leads(tmp_path):
    """The folder behind it is no place for targets either."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "workspace").symlink_to("disk")
    for path in ("disk/x.csv", "workspace/x.csv"):
        with pytest.raises(LeadlightError, match="lies in the workspace"):
            opened(tmp_path, {"path": path})


def test_beside_the_workspace_all_may_be_written(tmp_path):
    """A name that begins as the workspace's does is another; so is a link within it that leads out."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "workspace" / "link").symlink_to("../out")
    for path in ("workspace.csv", "workspace-2/x.csv", "workspace/../x.csv", "workspace/link/x.csv"):
        opened(tmp_path, {"path": path})


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize(
    ("variable", "called"), [("LEADLIGHT_LEDGER", "the ledger"), ("LEADLIGHT_APP_DATABASE", "people's marks")]
)
def test_a_database_of_the_shop_s_is_no_target_wherever_it_lies(tmp_path, variable, called, ending):
    """Nor what SQLite lays beside it."""
    (tmp_path / "link").symlink_to(f"mine.db{ending}")
    for path in (f"mine.db{ending}", "link"):
        with pytest.raises(LeadlightError, match=f"mine.db{ending}' is .*{called}"):
            opened(tmp_path, {"path": path, "format": "csv"}, environment={variable: "sqlite:///mine.db"})


def test_the_tables_of_people_s_marks_on_a_server_are_no_targets(tmp_path):
    """Others of the same database are."""
    environment = {"LEADLIGHT_APP_DATABASE": "postgresql://ann:secret@db/shop"}
    for other in ("mysql://ann@db/shop", "mssql+pyodbc://ann@db/shop"):
        where = {"LEADLIGHT_APP_DATABASE": other}
        opened(tmp_path, {"url": "postgresql://db/shop", "table": "marks"}, kind="sql", environment=where)
    with pytest.raises(LeadlightError, match="the table 'marks' belongs to the database of people's marks"):
        opened(tmp_path, {"url": "postgresql://db/shop", "table": "marks"}, kind="sql", environment=environment)
    opened(tmp_path, {"url": "postgresql://db/shop", "table": "scores"}, kind="sql", environment=environment)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("events.csv", "data/events.csv"),
        ("events.csv", "link.csv"),
        ("events", "data/events/new.csv"),
        ("events", "data/events/deep/new.csv"),
        ("events/*.csv", "data/events/new.csv"),
        ("**/*.csv", "data/events/new.csv"),
        ("events/**/*.csv", "data/events/new.csv"),
        ("events/**/*.parquet", "data/events/new.csv"),
        ("event?/[a-n]*", "data/events/new.csv"),
    ],
)
def test_what_a_table_is_read_from_is_no_target(tmp_path, pattern, path):
    """Nor a file that its folder or glob would find, or that would find the batches that lie beside it."""
    (tmp_path / "data" / "events").mkdir(parents=True)
    (tmp_path / "link.csv").symlink_to("data/events.csv")
    with pytest.raises(LeadlightError, match=r"would be read as rows of tables\.events") as raised:
        opened(tmp_path, {"path": path}, tables={"events": {"path": pattern}})
    assert "Hint: let crm.place.connect name another file or table, outside the workspace." in str(raised.value)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("events.csv", "events.csv"),
        ("events", "data/new.csv"),
        ("events", "data/events-new.csv"),
        ("events/*.csv", "data/events/deep/new.csv"),
        ("events/*.csv", "data/events/new.jsonl"),
        ("*/*.csv", "data/new.csv"),
    ],
)
def test_what_no_table_is_read_from_may_be_written(tmp_path, pattern, path):
    """A file beside, below or above."""
    (tmp_path / "data" / "events").mkdir(parents=True)
    opened(tmp_path, {"path": path}, tables={"events": {"path": pattern}})


def test_a_place_that_no_path_can_name_is_told(tmp_path):
    """The character NUL ends a path for the system."""
    with pytest.raises(LeadlightError, match="it names no file"):
        opened(tmp_path, {"url": "sqlite:///d\0b.db", "table": "scores"}, kind="sql")
