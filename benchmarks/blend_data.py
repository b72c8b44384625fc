"""Two markets for the blend: one that shifts (bank marketing in time order), one with faithful customers (CDNOW)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.labelled_frame import labelled_table
from features.matrix import FeatureTable

DAY_US = 86_400_000_000
EVERY, HORIZON, FIRST = 30, 30, 90


def bank(folder: Path) -> FeatureTable:
    """Return the calls in time order, each its own lead; the call's duration is a leak and left out."""
    calls = pd.read_parquet(folder / "bank_additional.parquet")
    converted = (calls.pop("y") == "yes").to_numpy()
    calls["pdays"] = calls["pdays"].where(calls["pdays"] < 999)
    at = np.arange(len(calls))
    return labelled_table(calls.drop(columns="duration"), converted, lead=at, as_of=at, decided_at=at)


def cdnow(folder: Path) -> FeatureTable:
    """Return customers every thirty days: will they order again within thirty?"""
    orders = pd.read_parquet(folder / "cdnow.parquet")
    orders["day"] = (orders["ordered_on"] - pd.Timestamp("1997-01-01")).dt.days
    ends = range(FIRST, int(orders["day"].max()) + 2 - HORIZON, EVERY)
    rows = pd.concat([_customers(orders, end) for end in ends], ignore_index=True)
    lead, as_of = rows.pop("customer_id").to_numpy(), rows.pop("as_of").to_numpy() * DAY_US
    converted = rows.pop("converted").to_numpy()
    return labelled_table(rows, converted, lead=lead, as_of=as_of, decided_at=as_of + HORIZON * DAY_US)


def _customers(orders: pd.DataFrame, as_of: int) -> pd.DataFrame:
    past = orders[orders["day"] < as_of]
    each = past.groupby("customer_id")
    rows = pd.DataFrame(
        {
            "orders_ever": each.size(),
            "amount_ever": each["amount"].sum(),
            "items_ever": each["quantity"].sum(),
            "days_since_last": as_of - each["day"].max(),
            "days_since_first": as_of - each["day"].min(),
        }
    )
    rows["mean_gap"] = (rows["days_since_first"] - rows["days_since_last"]) / (rows["orders_ever"] - 1).replace(
        0, np.nan
    )
    rows["overdue"] = rows["days_since_last"] / rows["mean_gap"].replace(0, np.nan)
    for window in (30, 60, 90):
        recent = past[past["day"] >= as_of - window].groupby("customer_id")["amount"]
        rows[f"orders_{window}d"] = recent.size().reindex(rows.index, fill_value=0)
        rows[f"amount_{window}d"] = recent.sum().reindex(rows.index, fill_value=0.0)
    later = orders[(orders["day"] >= as_of) & (orders["day"] < as_of + HORIZON)]["customer_id"]
    rows["converted"], rows["as_of"] = rows.index.isin(later.unique()), as_of
    return rows.reset_index()
