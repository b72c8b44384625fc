"""The shipped configs of real tables: what they read, and where the market of one of them breaks."""

from datetime import UTC, datetime

import numpy as np
import pytest

from models.familiarity import ALARMS, fit_familiarity
from models.splits import forward_split
from models.training import ripe_rows
from pipeline import shipped
from pipeline.settings import load
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def read(shared_data, tmp_path):
    """Return a function that ingests a shipped config's real files and gives its ripe rows."""

    def of(name: str, file: str):
        settings = load(shipped.config(name), data=str(shared_data(file).parent), beside=tmp_path)
        report = ingest(settings, now=NOW)
        return report, *ripe_rows(compute_training_table(settings))[:2]

    return of


def test_bank_calls_go_forward_row_by_row(read):
    """No row of the training comes after one of the test, and the leak is not read."""
    report, table, moments = read("bank_calls", "bank_additional.parquet")
    assert (report.leads, int(moments.converted.sum()), len(table.features)) == (41_188, 4_640, 19)
    assert "duration" not in table.columns.column_names
    split = forward_split(moments, test_share=0.25)
    assert moments.decided_at[split.train].max() <= moments.as_of[split.test].min() == split.test_from


def test_a_market_that_breaks_is_told_and_one_that_goes_on_is_not(read):
    """Of the calls after row 27,459 (the interest rate falls) most are unlike; of those after 20,594 hardly any."""
    _, table, moments = read("bank_calls", "bank_additional.parquet")
    order = np.argsort(moments.as_of)
    shares = []
    for rows in (20_594, 27_459):
        before, after = np.sort(order[:rows]), np.sort(order[rows : rows + 2_000])
        known = fit_familiarity(table.take(before), moments.take(before))
        shares.append(known.is_unlike(table.take(after)).mean())
    assert shares[0] <= ALARMS
    assert shares[1] > 0.5


def test_online_shoppers_are_dealt_at_random(read):
    """Nothing tells the time, so other sessions are held out, with their share of purchases."""
    report, _, moments = read("online_shoppers", "online_shoppers.parquet")
    assert (report.leads, int(moments.converted.sum())) == (12_330, 1_908)
    split = forward_split(moments, test_share=0.2)
    assert split.test_from is None
    assert moments.converted[split.test].mean() == pytest.approx(moments.converted[split.train].mean(), abs=1e-3)


def test_olist_counts_contracts_within_ninety_days(read):
    """Later ones are no conversion; the split goes forward and is purged by the horizon."""
    report, _, moments = read("olist_leads", "olist_leads.parquet")
    assert (report.leads, int(moments.converted.sum())) == (7_999, 690)
    split = forward_split(moments, test_share=0.2)
    assert moments.decided_at[split.train].max() <= split.test_from
    assert len(split.train) + len(split.test) < len(moments)
