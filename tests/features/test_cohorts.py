"""Cohorts: who is asked about, decided from the past alone."""

import numpy as np
import pytest
import worlds
from hypothesis import given
from worlds import DAY, START

from features.catalog import Measure
from features.cohorts import Cohort, features_read, members
from features.conditions import parse
from features.errors import LeadlightError
from features.sweeping import compute

CATALOG = (
    worlds.number("events_2d", Measure("count", "events", window=2)),
    worlds.category("plan", Measure("last", "attributes", (), "plan")),
)


def belongs(world, pairs, cohort):
    """Return which (lead, as_of) pairs belong to *cohort*."""
    read = features_read(cohort, CATALOG)
    asked = worlds.snapshots_of(pairs)
    if not read:
        return [True] * len(pairs)
    return members(cohort, compute(world.timelines(), asked, read)).tolist()


@given(world=worlds.timeline_worlds(), pairs=worlds.asked())
def test_prospects_and_customers_part_everyone(world, pairs):
    """A lead is a customer exactly when a sale was visible and not known to be cancelled, else a prospect."""
    expected = [
        any(not r["is_cancelled"] and r["occurred"] < t for r in world.visible("orders", lead, t)) for lead, t in pairs
    ]
    covered = [world.data_from("orders") < t for _, t in pairs]
    expected = [bought and has_data for bought, has_data in zip(expected, covered, strict=True)]
    assert belongs(world, pairs, Cohort("customers")) == expected
    assert belongs(world, pairs, Cohort("prospects")) == [not bought for bought in expected]


@given(world=worlds.timeline_worlds(), pairs=worlds.asked())
def test_conditions_on_features_narrow_a_cohort(world, pairs):
    """A where is met by the features as they stood at as_of; a missing value meets none."""
    where = parse({"events_2d": {"min": 1}, "plan": ["a", "b"]})
    found = belongs(world, pairs, Cohort("everyone", where))
    table = compute(world.timelines(), worlds.snapshots_of(pairs), CATALOG)
    counts, plans = table.columns["events_2d"].to_numpy(), table.columns["plan"].to_pylist()
    assert found == [bool(n >= 1 and plan in ("a", "b")) for n, plan in zip(counts, plans, strict=True)]


def test_everyone_needs_no_feature_and_prospects_need_one():
    """Only what decides the cohort is computed before it is decided."""
    assert features_read(Cohort(), CATALOG) == ()
    assert [f.name for f in features_read(Cohort("prospects", parse({"plan": "a"})), CATALOG)] == [
        "plan",
        "cohort_sales_ever",
    ]


def test_a_cohort_may_not_ask_for_what_the_catalog_lacks():
    """An unknown feature is named."""
    with pytest.raises(LeadlightError, match="events_3d"):
        features_read(Cohort(where=parse({"events_3d": 1})), CATALOG)


def test_a_sale_exactly_at_as_of_makes_no_customer():
    """The order that happens at as_of belongs to the future."""
    row = {"lead": 0, "known": START, "until": None, "bits": 0, "id": "o", "amount": 1, "discount": None, "items": 1,
           "category": None, "is_cancelled": False}  # fmt: skip
    world = worlds.TimelineWorld(
        {"orders": [{**row, "occurred": START}]}, {"orders": (START - DAY, START)}, [START - DAY]
    )
    assert belongs(world, [(0, START), (0, START + 1)], Cohort("customers")) == [False, True]
    assert np.asarray(belongs(world, [], Cohort("customers"))).size == 0
