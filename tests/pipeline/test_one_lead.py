"""One lead's rows are those that its bucket holds, found without reading the bucket."""

from datetime import UTC, datetime

import duckdb
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import shipped
from pipeline.one_lead import rows_of_lead
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
            found = rows_of_lead(tables, lead["lead_id"], {name: of.column_names for name, of in whole.tables.items()})
            assert found.keys() == whole.tables.keys()
            for name, table in whole.tables.items():
                own = table.filter(pc.equal(table["lead_no"], lead["lead_no"]))
                assert found[name].column_names == own.column_names
                assert found[name].to_pylist() == own.to_pylist()


def test_an_unknown_lead_has_no_rows(tables):
    """Whatever an id holds, it is compared and never obeyed; a table that was not ingested is left out."""
    for lead_id in ("nobody", "' OR 1=1 --", "", "\x00", "🦊" * 5_000):
        found = rows_of_lead(tables, lead_id, {"orders": ["amount"], "events": ["type"], "no such table": ["x"]})
        assert found.keys() == {"orders", "events"}
        assert all(len(table) == 0 for table in found.values())


@given(st.lists(st.text(), min_size=1, max_size=20), st.integers(1, 300))
def test_the_bucket_of_an_id_is_the_one_that_sql_deals_it_into(lead_ids, buckets):
    """Hashing in Python and in DuckDB gives the same bucket, whatever the id holds."""
    dealt = duckdb.execute(
        "SELECT (md5_number_lower(lead_id) % $buckets)::INTEGER FROM (SELECT unnest($lead_ids::VARCHAR[]) AS lead_id)",
        {"buckets": buckets, "lead_ids": lead_ids},
    ).fetchall()
    assert [bucket for (bucket,) in dealt] == [bucket_of(lead_id, buckets=buckets) for lead_id in lead_ids]
