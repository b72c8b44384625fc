"""One lead's rows are those that its bucket holds, found without reading the bucket."""

import shutil
from datetime import UTC, datetime

import duckdb
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.plan import KEY_COLUMNS
from pipeline import shipped
from pipeline.ingested import Tables
from pipeline.settings import load
from pipeline.stages.ingest import ingest
from pipeline.synthetic.shop import generate
from pipeline.timeline_files import bucket_of
from pipeline.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A synthetic shop of 300 leads in five buckets."""
    folder = tmp_path_factory.mktemp("shop")
    text = shipped.config("synthetic_shop").read_text(encoding="utf-8")
    config = text.replace("\ningest:\n", "\ningest:\n  buckets: 5\n")
    (folder / "leadlight.yaml").write_text(config, encoding="utf-8")
    settings = load(folder / "leadlight.yaml")
    generate(settings.data_folder, leads=300, seed=1)
    ingest(settings, now=datetime(2025, 2, 1, tzinfo=UTC))
    return Workspace(settings.shop.workspace).tables()


def test_one_leads_rows_are_those_of_its_bucket(tables):
    """For leads of every bucket, table by table, the same rows with the same values."""
    assert tables.buckets == 5
    for bucket in range(tables.buckets):
        whole = tables.timelines(bucket)
        for lead in whole.leads.to_pylist()[::20]:
            found = tables.timelines_of(lead["lead_id"])
            assert found.leads.to_pylist() == [lead]
            assert found.tables.keys() == whole.tables.keys()
            for name, table in whole.tables.items():
                own = table.filter(pc.equal(table["lead_no"], lead["lead_no"]))
                assert found.tables[name].schema == own.schema
                assert found.tables[name].to_pylist() == own.to_pylist()


def test_only_what_is_asked_for_is_read(tables):
    """Some columns of some tables, beside the keys; a table that was not ingested is left out."""
    lead_id = tables.timelines(0).leads["lead_id"][0].as_py()
    found = tables.timelines_of(lead_id, columns={"orders": {"amount"}, "no such table": {"x"}})
    assert {name: table.column_names for name, table in found.tables.items()} == {"orders": [*KEY_COLUMNS, "amount"]}


def test_an_unknown_lead_has_no_timelines(tables):
    """Whatever an id holds, it is compared and never obeyed."""
    for lead_id in ("nobody", "' OR 1=1 --", "", "\x00", "🦊" * 5_000):
        assert tables.timelines_of(lead_id) is None


def test_a_generation_that_takes_anothers_place_is_read_anew(tables, tmp_path):
    """A workspace that was removed and made again: nothing of the files of before is told."""
    place = Tables(tmp_path / "generation-0001", tables.manifest)
    shutil.copytree(tables.folder, place.folder)
    lead_id = tables.timelines(0).leads["lead_id"][0].as_py()
    assert place.timelines_of(lead_id) is not None
    shutil.rmtree(place.folder)
    shutil.copytree(tables.folder, place.folder)
    for table in ("leads", *tables.manifest["timelines"]):
        files = place.folder / "timelines" / table
        (files / "bucket-0000.parquet").unlink()
        (files / "bucket-0001.parquet").rename(files / "bucket-0000.parquet")
    assert place.timelines_of(lead_id) is None


@given(st.lists(st.text(), min_size=1, max_size=20), st.integers(1, 300))
def test_the_bucket_of_an_id_is_the_one_that_sql_deals_it_into(lead_ids, buckets):
    """Hashing in Python and in DuckDB gives the same bucket, whatever the id holds."""
    dealt = duckdb.execute(
        "SELECT (md5_number_lower(lead_id) % $buckets)::INTEGER FROM (SELECT unnest($lead_ids::VARCHAR[]) AS lead_id)",
        {"buckets": buckets, "lead_ids": lead_ids},
    ).fetchall()
    assert [bucket for (bucket,) in dealt] == [bucket_of(lead_id, buckets=buckets) for lead_id in lead_ids]
