"""From raw rows to features and labels: versions, owners, cancellations and both clocks together."""

import numpy as np
import oracle
import shops
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st

from features import families
from features.labels import Conversion, label
from features.snapshots import Snapshots
from features.sweeping import compute

CHOICE = families.Choice(windows=(1, 2, 5))
asked = st.lists(st.tuples(st.sampled_from(shops.LEADS), worlds.moments), min_size=6, max_size=10)


def snapshots_of(timelines, pairs, *, days):
    """Return (lead_id, as_of) pairs as snapshots, sorted as the product wants them, and the sorted pairs."""
    numbers = {lead: no for no, lead in enumerate(timelines.leads["lead_id"].to_pylist())}
    ordered = sorted((numbers[lead], as_of, lead) for lead, as_of in pairs if lead in numbers)
    lead = np.asarray([no for no, _, _ in ordered], dtype=np.int64)
    as_of = np.asarray([moment for _, moment, _ in ordered], dtype=np.int64)
    return Snapshots(lead, as_of, as_of + days * worlds.DAY), [(name, moment) for _, moment, name in ordered]


@settings(max_examples=25)
@given(
    shop=shops.shops(),
    pairs=asked,
    conversion=st.sampled_from([Conversion("orders"), Conversion("events")]),
    days=st.sampled_from([1, 3]),
    settle=st.sampled_from([0, 2]),
)
def test_raw_rows_give_what_the_oracle_gives(shop, pairs, conversion, days, settle):
    """Every feature and label is what a loop over the raw rows gives, whoever owns them and however late."""
    timelines = shop.timelines()
    available = {name: set(table.column_names) for name, table in timelines.tables.items()}
    catalog = families.catalog(available, CHOICE, attributes={"plan": "text", "age": "number"})
    catalog = [
        *catalog,
        *(f for days in (2, 0) for f in worlds.faded(f"all_{days}", (), days) if "orders" in available),
    ]
    snapshots, ordered = snapshots_of(timelines, pairs, days=days)
    asked_for = [(lead, as_of, as_of + days * worlds.DAY, None) for lead, as_of in ordered]
    table = compute(timelines, snapshots, catalog)
    for feature in catalog:
        expected = [oracle.feature(feature.measure, feature.kind, snapshot, shop) for snapshot in asked_for]
        got = table.columns[feature.name].to_pylist()
        if feature.kind == "number":
            np.testing.assert_array_equal(got, expected, err_msg=feature.name)
        else:
            assert got == expected, feature.name
    labels = label(timelines, snapshots, conversion, settle_days=settle)
    moments = [oracle.label(conversion, snapshot, shop, settle=settle * worlds.DAY) for snapshot in asked_for]
    assert labels["converted_at"].cast("int64").to_pylist() == moments
    assert labels["converted"].to_pylist() == [moment is not None for moment in moments]
