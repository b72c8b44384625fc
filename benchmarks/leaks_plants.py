"""Five leaks to plant in the synthetic shop, each as it comes about in real shops, each at three strengths.

==============================  ================================================================================
closing                         a feature that looks some days beyond as_of, as a join on the newest export does
backfilled                      an attribute that is filled when a lead orders, under the date of its first version
clock                           checkouts dated some days before they happened
cohort                          leads that order without having shown much interest are left out: "by themselves"
overlap                         training label windows that reach into the test; strongest: rows split at random
==============================  ================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import moments
from features.leak_checks import Recounting
from features.matrix import FeatureTable
from features.snapshots import Snapshots
from features.sweeping import compute
from features.timeline import Timelines
from features.training_table import Question, members
from models.splits import Moments, scramble
from pipeline.settings import Settings
from pipeline.settings_tables import Attribute

KINDS = ("closing", "backfilled", "clock", "cohort", "overlap")
STRENGTHS = ("weak", "middle", "strong")
CAUGHT_BY = {
    "closing": ("features unchanged when the future is deleted", "checkout_count_7d"),
    "backfilled": ("nothing is filled by the outcome", "account_manager"),
    "clock": ("no clock runs ahead of the conversions", "checkout"),
    "cohort": ("the cohort is not chosen on the outcome", "stage"),
    "overlap": ("no training label window reaches into the test", "label window"),
}
"""By which check each kind must be caught, and what it must name."""
SIZES: dict[str, tuple[float, float, float]] = {
    "closing": (2, 7, 14),
    "backfilled": (0.3, 0.5, 0.9),
    "clock": (2.5, 7, 14),
    "cohort": (0.12, 0.25, 0.5),
    "overlap": (21, 28, 0),
}
"""Days, or shares of the leads concerned; for the overlap 0 = rows at random."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plant:
    """One leak at one strength."""

    kind: str
    strength: str

    @property
    def size(self) -> float:
        """How much of it."""
        return SIZES[self.kind][STRENGTHS.index(self.strength)]


def settings_with(settings: Settings, plant: Plant | None) -> Settings:
    """Return the config that reads what is planted."""
    if plant is None or plant.kind in ("closing", "clock"):
        return settings
    if plant.kind == "overlap":
        snapshots = settings.question.snapshots.model_copy(update={"every": "7d", "first": date(2024, 6, 3)})
        return settings.model_copy(update={"question": settings.question.model_copy(update={"snapshots": snapshots})})
    name = "account_manager" if plant.kind == "backfilled" else "stage"
    leads = settings.tables["leads"][0]
    attribute = Attribute(type="text", static=plant.kind == "cohort")
    leads = leads.model_copy(update={"attributes": {**leads.attributes, name: attribute}})
    question = settings.question
    if plant.kind == "cohort":
        cohort = question.cohort.model_copy(update={"where": {"stage": "worked on"}})
        question = question.model_copy(update={"cohort": cohort})
    return settings.model_copy(update={"tables": {**settings.tables, "leads": [leads]}, "question": question})


def change_files(folder: Path, plant: Plant, *, seed: int) -> None:
    """Plant in the shop's files what lies there."""
    if plant.kind == "clock":
        _rewrite(folder / "events.parquet", lambda events: _early(events, plant.size))
    if plant.kind == "backfilled":
        ordered = pq.read_table(folder / "orders.parquet")["lead_id"]
        _rewrite(folder / "leads.parquet", lambda leads: _backfilled(leads, ordered, plant.size, seed))
    if plant.kind == "cohort":
        ordered = pq.read_table(folder / "orders.parquet")["lead_id"]
        events = pq.read_table(folder / "events.parquet")
        _rewrite(folder / "leads.parquet", lambda leads: _by_themselves(leads, ordered, events, plant.size))


def recounting(question: Question, features: tuple, plant: Plant | None) -> Recounting:
    """Return what computes the table: the sweep, and for the feature read at closing time a join that looks beyond."""

    def columns(timelines: Timelines, asked: Snapshots) -> FeatureTable:
        table = compute(timelines, asked, features, zone=question.zone)
        if plant is None or plant.kind != "closing":
            return table
        name = CAUGHT_BY["closing"][1]
        later = replace(asked, as_of=asked.as_of + int(plant.size) * moments.DAY)
        one = [feature for feature in features if feature.name == name]
        peeked = compute(timelines, later, one, zone=question.zone).columns[name]
        return replace(table, columns=table.columns.set_column(table.columns.column_names.index(name), name, peeked))

    return Recounting(columns, lambda timelines, asked: members(timelines, asked, question, features))


def training_rows(rows: Moments, test_from: int, plant: Plant | None) -> tuple[Ints, Ints]:
    """Return training and test positions: purged, or as the plant would have it."""
    later = rows.as_of >= test_from
    test = np.flatnonzero(later)
    if plant is None or plant.kind != "overlap":
        return np.flatnonzero((rows.decided_at <= test_from) & ~later), test
    if plant.size:
        reach = test_from + int(plant.size) * moments.DAY
        return np.flatnonzero((rows.decided_at <= reach) & ~later), test
    drawn = scramble(rows.lead ^ rows.as_of.astype(np.uint64), 1) < np.uint64(2**63)
    return np.flatnonzero(~(later & drawn)), np.flatnonzero(later & drawn)


def _rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def _early(events: pa.Table, days: float) -> pa.Table:
    """Date checkouts some days before they happened, in every clock that the file has."""
    back = pa.scalar(int(days * moments.DAY), pa.duration("us"))
    is_checkout = pc.equal(events["type"], "checkout")
    for name in ("occurred_at", "recorded_at"):
        place = events.column_names.index(name)
        early = pc.if_else(is_checkout, pc.subtract(events[name], back), events[name])
        events = events.set_column(place, name, early)
    return events


def _backfilled(leads: pa.Table, ordered: pa.ChunkedArray, share: float, seed: int) -> pa.Table:
    """Fill an attribute for a share of the leads that ever order, and for 2 % of the others; each version claims it."""
    rng = np.random.default_rng(seed)
    ids, place = np.unique(leads["lead_id"].to_numpy(zero_copy_only=False), return_inverse=True)
    orders = np.isin(ids, ordered.to_numpy(zero_copy_only=False))
    filled = rng.random(len(ids)) < np.where(orders, share, 0.02)
    names = np.array(["Ann", "Bob", "Cy"])[rng.integers(0, 3, len(ids))]
    return leads.append_column("account_manager", pa.array(names[place], mask=~filled[place]))


def _by_themselves(leads: pa.Table, ordered: pa.ChunkedArray, events: pa.Table, share: float) -> pa.Table:
    """Say of the leads that order that they came by themselves: of these, the share that showed least interest."""
    ids, place = np.unique(leads["lead_id"].to_numpy(zero_copy_only=False), return_inverse=True)
    orders = np.isin(ids, ordered.to_numpy(zero_copy_only=False))
    interest = events.filter(pc.is_in(events["type"], value_set=pa.array(["price_view", "cart_add", "email_clicked"])))
    seen, count = np.unique(interest["lead_id"].drop_null().to_numpy(zero_copy_only=False), return_counts=True)
    shown = np.zeros(len(ids))
    shown[np.searchsorted(ids, seen)] = count
    rank = np.full(len(ids), np.inf)
    rank[orders] = np.argsort(np.argsort(shown[orders], kind="stable"), kind="stable") / max(int(orders.sum()), 1)
    return leads.append_column("stage", pa.array(np.where(rank < share, "by themselves", "worked on")[place]))
