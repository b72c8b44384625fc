"""The truth of a synthetic shop: what can be seen decides, and nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.synthetic.decision import best_probability
from pipeline.synthetic.people import AGE_BANDS, COUNTRIES, DEVICES, MISSING, SIGNUP_SOURCES, Attributes
from pipeline.synthetic.shop import SyntheticShop, as_ofs, small_shop, truth
from pipeline.synthetic.signals import Signals

HORIZON = timedelta(days=28)
SETTLE = timedelta(days=7)
DATA_UNTIL = datetime(2025, 1, 20, 5, tzinfo=UTC)  # midnight in New York


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> SyntheticShop:
    """Return a shop small enough to be read row by row."""
    return small_shop(tmp_path_factory.mktemp("shop"), leads=768, seed=11)


@pytest.fixture(scope="module")
def seen(shop) -> SlowShop:
    """Return the same shop as its files tell it."""
    return SlowShop(shop.folder)


class SlowShop:
    """What the files say, read row by row: the rules of visibility written out once more."""

    def __init__(self, folder: Path) -> None:
        self.versions = _grouped(folder, "leads", "lead_id")
        self.orders = _grouped(folder, "orders", "lead_id")
        self.links = defaultdict(list)
        for row in pq.read_table(folder / "identities.parquet").to_pylist():
            self.links[row["visitor_id"]].append((row["linked_at"], row["lead_id"]))
        for links in self.links.values():
            links.sort()
        self.sessions = self._owned(folder, "sessions", "started_at")
        self.events = self._owned(folder, "events", "occurred_at")

    def _owned(self, folder: Path, table: str, occurred: str) -> dict[str, list[dict]]:
        """Rows by every lead that could own them, each with the moment of its link."""
        owned = defaultdict(list)
        for row in pq.read_table(folder / f"{table}.parquet").to_pylist():
            row["occurred"] = row[occurred]
            row["known"] = max(row[occurred], row["recorded_at"])
            if "duration_s" in row:
                row["known"] = max(row["known"], row[occurred] + timedelta(seconds=row["duration_s"]))
            linked = {lead for _, lead in self.links[row["visitor_id"]]}
            for lead in {row["lead_id"]} if row["lead_id"] else linked:
                owned[lead].append(row)
        return owned

    def owner(self, row: dict, as_of: datetime) -> str | None:
        """Whose row it is, judged by the links known at *as_of* alone."""
        if row["lead_id"]:
            return row["lead_id"]
        links = [link for link in self.links[row["visitor_id"]] if link[0] <= as_of]
        if not links or len({lead for _, lead in links}) > 5:
            return None
        before = bisect_right([moment for moment, _ in links], row["occurred"])
        return links[max(before - 1, 0)][1]

    def count(self, rows: list[dict], lead: str, as_of: datetime, *, days: int, types=()) -> int:
        """How many rows *lead* has in the window, seen from *as_of*."""
        return sum(
            (not types or row["type"] in types)
            and as_of - timedelta(days=days) <= row["occurred"] < as_of
            and row["known"] < as_of
            and self.owner(row, as_of) == lead
            for row in rows
        )

    def sales(self, lead: str, as_of: datetime) -> list[datetime]:
        """When *lead* ordered, of orders known at *as_of* and not known to be cancelled."""
        return [
            row["ordered_at"]
            for row in self.orders[lead]
            if row["recorded_at"] < as_of
            and not (row["cancelled_at"] and max(row["cancelled_at"], row["recorded_at"]) < as_of)
        ]

    def version(self, lead: str, as_of: datetime) -> dict | None:
        """The attributes known at *as_of*."""
        known = [row for row in self.versions[lead] if row["recorded_at"] < as_of]
        return max(known, key=lambda row: row["recorded_at"], default=None)

    def converts(self, lead: str, as_of: datetime) -> bool:
        """Whether *lead* orders within the horizon, as known when the label is decided."""
        decided = self.sales(lead, as_of + HORIZON + SETTLE)
        return any(as_of <= moment < as_of + HORIZON for moment in decided)

    def probability(self, lead: str, as_of: datetime, *, period: int) -> float:
        """The best possible prediction from what *lead* shows at *as_of*."""
        sales = [moment for moment in self.sales(lead, as_of) if moment < as_of]
        version = self.version(lead, as_of)
        days = [(as_of - moment) / timedelta(days=1) for moment in sales]
        events = self.events[lead]
        signals = Signals(
            sessions=_one(self.count(self.sessions[lead], lead, as_of, days=28)),
            price_views=_one(self.count(events, lead, as_of, days=28, types=("price_view",))),
            cart_adds=_one(self.count(events, lead, as_of, days=7, types=("cart_add",))),
            email_clicks=_one(self.count(events, lead, as_of, days=84, types=("email_clicked",))),
            emails_sent=_one(self.count(events, lead, as_of, days=28, types=("email_sent",))),
            guides=_one(self.count(events, lead, as_of, days=84, types=("download", "webinar"))),
            orders=_one(sum(day <= 84 for day in days)),
            days_since_order=_one(min(days, default=inf)),
            days_since_signup=_one((as_of - version["created_at"]) / timedelta(days=1)),
        )
        source = _one(SIGNUP_SOURCES.index(version["signup_source"]))
        chance = best_probability(signals, _attributes(version), signup_source=source, period=period)
        return float(chance[0])


def test_truth_follows_from_visible_rows_alone(shop, seen):
    """The truth is recovered exactly from the files with nothing but rows visible at as_of."""
    rows = truth(shop.folder).to_pylist()
    grid = as_ofs().to_pylist()
    expected = [row["best_probability"] for row in rows]
    found = [seen.probability(row["lead_id"], row["as_of"], period=grid.index(row["as_of"])) for row in rows]
    np.testing.assert_array_max_ulp(np.array(found), np.array(expected), maxulp=4)


def test_hidden_rows_would_have_changed_the_truth(shop, seen):
    """Late rows, links and cancellations matter: read without two clocks, the truth differs."""
    grid = as_ofs().to_pylist()
    different = Counter()
    for as_of in grid[2:]:
        for lead, versions in seen.versions.items():
            if versions[0]["created_at"] > as_of:
                continue
            blind = [r for r in seen.sessions[lead] if as_of - HORIZON <= r["occurred"] < as_of]
            final = [r for r in blind if seen.owner(r, DATA_UNTIL) == lead]
            different["sessions"] += len(final) != seen.count(seen.sessions[lead], lead, as_of, days=28)
            past = [r for r in seen.orders[lead] if r["ordered_at"] < as_of]
            kept = [r for r in past if not r["cancelled_at"]]
            different["orders"] += len(kept) != len(seen.sales(lead, as_of))
    assert different["sessions"] > 60
    assert different["orders"] > 20


def test_truth_is_calibrated(shop, seen):
    """Labels read from the files happen as often as the truth says, over all and by fifth."""
    ripe = [row for row in truth(shop.folder).to_pylist() if row["as_of"] + HORIZON + SETTLE <= DATA_UNTIL]
    probability = np.array([row["best_probability"] for row in ripe])
    converted = np.array([seen.converts(row["lead_id"], row["as_of"]) for row in ripe])
    assert np.mean(converted) == pytest.approx(shop.shares.base_rate, abs=1e-12)
    order = np.argsort(probability)
    for part in (order, *np.array_split(order, 5)):
        # Given the past, each label is a coin of its own, so the errors add like coins' do.
        error = np.sqrt(np.sum(probability[part] * (1 - probability[part])))
        assert abs(converted[part].sum() - probability[part].sum()) < 3.5 * error


def _attributes(version: dict) -> Attributes:
    return Attributes(
        company=_one(version["customer_type"] == "company"),
        country=_one(_code(version["country"], COUNTRIES)),
        age_band=_one(_code(version["age_band"], AGE_BANDS)),
        device=_one(_code(version["preferred_device"], DEVICES)),
        consent=_one(version["consent"]),
        employees=_one(MISSING if version["employees"] is None else version["employees"]),
    )


def _code(word: str | None, words: tuple[str, ...]) -> int:
    return MISSING if word is None else words.index(word)


def _one(value: float) -> np.ndarray:
    return np.array([value])


def _grouped(folder: Path, table: str, column: str) -> dict[str, list[dict]]:
    groups = defaultdict(list)
    for row in pq.read_table(folder / f"{table}.parquet").to_pylist():
        groups[row[column]].append(row)
    return groups
