"""Tasks on tables with one row per lead: a shop's sessions, a bank's calls, a marketplace's form fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import blend_data
from benchmarks.labelled_frame import labelled_table
from benchmarks.quality.task import Task
from features.moments import DAY
from models.splits import forward_split

HORIZON_DAYS = 90
CODES = ("OperatingSystems", "Browser", "Region", "TrafficType")
"""Columns of the shoppers' data that hold numbers and mean names."""
TEST_SHARE = 0.25


def online_shoppers(shared: Path, *, with_page_values: bool) -> Task:
    """Return UCI Online Shoppers: does this session end in an order? Stratified 70/30, seed 0.

    Args:
        shared: Folder of the data.
        with_page_values: Keep the column that already knows what the visited pages are worth.
    """
    from sklearn.model_selection import train_test_split

    sessions = pd.read_parquet(shared / "online_shoppers.parquet")
    converted = sessions.pop("Revenue").to_numpy(bool)
    sessions = sessions.astype(dict.fromkeys((*CODES, "Weekend"), str))
    if not with_page_values:
        sessions = sessions.drop(columns="PageValues")
    row = np.arange(len(sessions))
    train, test = train_test_split(row, test_size=0.3, stratify=converted, random_state=0)
    same_time = np.zeros(len(sessions), dtype=np.int64)
    table = labelled_table(sessions, converted, lead=row, as_of=same_time, decided_at=same_time + DAY)
    name = "online_shoppers" if with_page_values else "online_shoppers_without_page_values"
    return Task(name, table, np.sort(train), np.sort(test))


def bank_in_time_order(shared: Path) -> Task:
    """Return UCI Bank Marketing: does the call sell? The last quarter of the calls is the test; the market shifts."""
    table = blend_data.bank(shared)
    row = np.arange(len(table))
    first_test = len(row) - round(TEST_SHARE * len(row))
    return Task("bank_in_time_order", table, row[:first_test], row[first_test:])


def olist(shared: Path) -> Task:
    """Return Olist's marketing leads: a closed deal within 90 days? Tested on the newest, purged by the horizon.

    Columns of the deal exist for winners only, so the features are those of the form: where the lead came from, which
    page it landed on, and the day of the week.
    """
    leads = pd.read_parquet(shared / "olist_leads.parquet")
    deals = pd.read_parquet(shared / "olist_closed_deals.parquet", columns=["mql_id", "won_date"])
    contact = pd.to_datetime(leads["first_contact_date"])
    won = pd.to_datetime(leads["mql_id"].map(deals.set_index("mql_id")["won_date"]))
    converted = (won >= contact) & (won < contact + pd.Timedelta(days=HORIZON_DAYS))
    form = leads[["origin", "landing_page_id"]].assign(weekday=contact.dt.day_name())
    as_of = contact.to_numpy("datetime64[us]").astype(np.int64)
    table = labelled_table(
        form.astype(object).where(form.notna(), None), converted.to_numpy(bool), lead=leads["mql_id"].to_numpy(),
        as_of=as_of, decided_at=as_of + HORIZON_DAYS * DAY,
    )  # fmt: skip
    task = Task("olist", table, np.arange(0), np.arange(0))
    split = forward_split(task.moments, test_share=TEST_SHARE)
    return Task("olist", table, split.train, split.test)
