"""Resolution of small tables in memory, checked by hand."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from features.resolve import ResolveOptions, resolve

LOADED = datetime(2024, 6, 1, tzinfo=UTC)


def day(number, hour=0):
    """Return a moment of May 2024."""
    return datetime(2024, 5, number, hour, tzinfo=UTC)


def test_a_visit_moves_to_the_better_owner_when_the_link_becomes_known():
    """A visit on the 1st is nobody's until the 3rd, Ann's until the late link of the 9th, then Bob's."""
    events = pa.table({"visitor_id": ["v"], "occurred_at": [day(1)], "type": ["view"]})
    links = pa.table(
        {
            "visitor_id": ["v", "v"],
            "lead_id": ["Ann", "Bob"],
            "linked_at": [day(3), datetime(2024, 4, 30, tzinfo=UTC)],
            "recorded_at": [None, day(9)],
        }
    )
    found = resolve({"events": events, "identities": links}, loaded_at=LOADED)
    rows = found.tables["events"].select(["lead_no", "known_at", "superseded_at", "link_bits"]).to_pylist()
    just_before = {"microsecond": 999_999, "second": 59, "minute": 59, "hour": 23}
    third, ninth = day(2).replace(**just_before), day(8).replace(**just_before)
    assert rows == [
        {"lead_no": 0, "known_at": third, "superseded_at": ninth, "link_bits": 3},
        {"lead_no": 1, "known_at": ninth, "superseded_at": None, "link_bits": 1},
    ]  # fmt: skip


def test_a_cancelled_order_is_a_sale_first():
    """Until the cancellation is known the order is a sale; then it is the same order, cancelled."""
    orders = pa.table(
        {"lead_id": ["Ann"], "order_id": [7], "ordered_at": [day(1)], "amount": [5], "cancelled_at": [date(2024, 5, 4)]}
    )
    rows = resolve({"orders": orders}, loaded_at=LOADED).tables["orders"]
    end = datetime(2024, 5, 4, 23, 59, 59, 999_999, tzinfo=UTC)
    assert rows["is_cancelled"].to_pylist() == [False, True]
    assert rows["known_at"].to_pylist() == [day(1), end]
    assert rows["superseded_at"].to_pylist() == [end, None]
    assert rows["row_id"].to_pylist() == ["7", "7"]


def test_attributes_need_a_history_or_a_promise():
    """Without recorded_at only what is said to be static is used, from just before the lead exists."""
    leads = pa.table({"lead_id": ["Ann"], "created_at": [day(1)], "country": ["PT"], "tier": ["gold"]})
    options = ResolveOptions(static_attributes=["country"])
    (row,) = resolve({"leads": leads}, loaded_at=LOADED, options=options).tables["attributes"].to_pylist()
    assert (row["country"], row["known_at"]) == ("PT", datetime(2024, 4, 30, 23, 59, 59, 999_999, tzinfo=UTC))
    assert "tier" not in row
    assert "attributes" not in resolve({"leads": leads}, loaded_at=LOADED).tables


def test_versions_of_attributes_follow_their_recording():
    """With recorded_at every version is current from its recording to the next one's."""
    leads = pa.table(
        {"lead_id": ["Ann"] * 2, "created_at": [day(1)] * 2, "recorded_at": [day(5), day(2)], "tier": ["gold", "tin"]}
    )
    rows = resolve({"leads": leads}, loaded_at=LOADED).tables["attributes"]
    assert rows.select(["tier", "known_at", "superseded_at"]).to_pylist() == [
        {"tier": "tin", "known_at": day(2), "superseded_at": day(5)},
        {"tier": "gold", "known_at": day(5), "superseded_at": None},
    ]


def test_rows_later_than_the_load_are_left_out():
    """A row occurred or known after the load does not exist yet, and does not stretch the span of the data."""
    orders = pa.table(
        {"lead_id": ["Ann", "Ann"], "ordered_at": [day(1), datetime(2024, 7, 1, tzinfo=UTC)], "amount": [1, 1]}
    )
    found = resolve({"orders": orders}, loaded_at=LOADED)
    assert len(found.tables["orders"]) == 1
    assert found.coverage["orders"].data_from == found.coverage["orders"].data_until


def test_conflicting_rows_are_refused():
    """One id with two contents cannot be resolved."""
    orders = pa.table({"lead_id": ["A", "B"], "order_id": ["1", "1"], "ordered_at": [day(1)] * 2, "amount": [1, 1]})
    with pytest.raises(LeadlightError, match=r"(?s)'orders' has 1 ids with different rows.*- 1"):
        resolve({"orders": orders}, loaded_at=LOADED)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"lead_id": ["A"], "ordered_at": [day(1)], "amount": [-1]}, "amount is negative: 1 rows"),
        ({"lead_id": [None], "ordered_at": [day(1)], "amount": [1]}, "lead_id is empty: 1 rows"),
        ({"lead_id": ["A"], "amount": [1]}, "lacks required columns"),
    ],
)
def test_unfit_tables_are_refused(table, message):
    """Tables that a shop would have to mend are not resolved by halves."""
    with pytest.raises(LeadlightError, match=message):
        resolve({"orders": pa.table(table)}, loaded_at=LOADED)


ORDERS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(1, 2), st.sampled_from([1, 2]), st.sampled_from(["x", "y", None])),
    min_size=1,
    max_size=8,
)


@given(rows=ORDERS, data=st.data())
def test_rows_without_ids_are_ordered_by_their_content(rows, data):
    """Where ids are made up, shuffling the rows changes no column of any timeline row but the id."""

    def resolved(orders):
        columns = zip(*orders, strict=True)
        names = ("lead_id", "ordered_at", "amount", "category")
        table = pa.table({name: list(values) for name, values in zip(names, columns, strict=True)})
        table = table.set_column(1, "ordered_at", pa.array([day(n) for n in table["ordered_at"].to_pylist()]))
        table = table.set_column(3, "category", table["category"].cast(pa.string()))
        return resolve({"orders": table}, loaded_at=LOADED).tables["orders"].drop_columns(["row_id"])

    assert resolved(rows).equals(resolved(data.draw(st.permutations(rows))))
