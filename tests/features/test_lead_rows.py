"""A table of leads is the training table with one snapshot per lead; a slow oracle says which, row by row."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import moments
from features.families.fit import of_attribute
from features.lead_rows import LeadRows, Timing, training_table, waiting_table

DAY = moments.DAY
FEATURES = (of_attribute("source", "text"), of_attribute("employees", "number"))


def rows(*leads: tuple) -> LeadRows:
    """Return leads given as (id, date in days, label, converted at in days)."""
    ids, dates, labels, won = zip(*leads, strict=True)
    return LeadRows(
        lead_id=pa.array(ids, pa.string()),
        place=np.arange(1, len(ids) + 1),
        date=np.array(dates, dtype=np.int64) * DAY,
        label=pa.array(labels, pa.bool_()),
        converted_at=np.array([moments.NEVER if day is None else day * DAY for day in won], dtype=np.int64),
        attributes=pa.table(
            {
                "source": pa.array([None if place % 3 == 0 else f"s{place % 2}" for place in range(len(ids))]),
                "employees": pa.array([None if place % 4 == 0 else float(place) for place in range(len(ids))]),
            }
        ),
    )


def converted(table) -> dict[str, bool]:
    """Return the labels by lead."""
    return dict(zip(table.keys["lead_id"].to_pylist(), table.labels["converted"].to_pylist(), strict=True))


def test_a_lead_converts_if_it_does_so_within_the_horizon():
    """Won on the day before the horizon ends counts, won on its end does not, and young leads teach nothing."""
    leads = rows(("a", 0, None, 89), ("b", 0, None, 90), ("c", 0, None, None), ("young", 11, None, 12))
    found = training_table(leads, Timing("date", 100 * DAY, horizon_days=90, tells_when=True), FEATURES)
    assert converted(found) == {"a": True, "b": False, "c": False}
    assert found.labels["decided_at"].to_pylist()[0] == moments.from_us(90 * DAY)


def test_a_label_that_was_given_waits_for_its_horizon_too():
    """A no of yesterday is not yet a no; without a horizon each label counts at once."""
    leads = rows(("a", 0, True, None), ("b", 50, False, None), ("open", 50, None, None))
    assert converted(training_table(leads, Timing("date", 100 * DAY, horizon_days=90), FEATURES)) == {"a": True}
    assert converted(training_table(leads, Timing("date", 100 * DAY), FEATURES)) == {"a": True, "b": False}


def test_rows_in_order_are_moments_in_order():
    """Row after row is later, by no date, and stays where it is when more rows come."""
    leads = rows(("b", 0, True, None), ("a", 0, False, None), ("c", 0, None, None))
    found = training_table(leads, Timing("rows", 77), FEATURES)
    assert found.keys["lead_id"].to_pylist() == ["a", "b"]
    assert found.keys["as_of"].to_pylist() == [moments.from_us(2 * moments.SECOND), moments.from_us(moments.SECOND)]
    more = training_table(rows(("b", 0, True, None), ("a", 0, False, None), ("c", 0, True, None)), Timing("rows", 99),
                          FEATURES)  # fmt: skip
    assert more.keys.slice(0, 2).equals(found.keys)


def test_without_time_all_are_asked_about_at_once():
    """Every lead has the moment of the load, and no label closed before it."""
    found = training_table(rows(("a", 0, True, None), ("b", 0, False, None)), Timing("", 5 * DAY), FEATURES)
    assert set(found.keys["as_of"].to_pylist()) == {moments.from_us(5 * DAY)}
    assert all(closed > moments.from_us(5 * DAY) for closed in found.labels["decided_at"].to_pylist())


def test_the_open_ones_wait():
    """Waiting are: without a horizon, leads without a label; with one, those still within it who have not converted."""
    leads = rows(("won", 0, True, None), ("lost", 0, False, None), ("open", 0, None, None), ("later", 9, None, None))
    assert ids(waiting_table(leads, Timing("date", 5 * DAY), FEATURES, as_of=5 * DAY)) == ["open"]
    assert ids(waiting_table(leads, Timing("", 5 * DAY), FEATURES, as_of=5 * DAY)) == ["later", "open"]
    timed = Timing("date", 100 * DAY, horizon_days=10, tells_when=True)
    dated = rows(("won", 0, None, 3), ("will be", 0, None, 8), ("open", 0, None, None), ("over", -6, None, None))
    assert ids(waiting_table(dated, timed, FEATURES, as_of=5 * DAY)) == ["open", "will be"]
    assert ids(waiting_table(dated, timed, FEATURES, as_of=10 * DAY)) == []


def test_attributes_come_as_the_matrix_has_them():
    """Words are a dictionary with nulls, numbers are float64 with NaN, and judges' columns stand beside."""
    leads = rows(*[(str(place), place, True, None) for place in range(5)])
    beside = (replace(FEATURES[0], name="segment_source"),)
    found = training_table(leads, Timing("date", 9 * DAY), FEATURES, beside=beside)
    assert found.columns["source"].to_pylist() == [None, "s1", "s0", None, "s0"]
    assert pa.types.is_dictionary(found.columns["source"].type)
    np.testing.assert_array_equal(found.columns["employees"].to_numpy(), [np.nan, 1, 2, 3, np.nan])
    assert found.beside.column_names == ["segment_source"]
    assert found.beside["segment_source"].to_pylist() == found.columns["source"].to_pylist()


_LEADS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([True, False, None]), st.one_of(st.none(), st.integers(0, 60))),
    min_size=1,
    max_size=12,
)


@given(leads=_LEADS, until=st.integers(0, 80), horizon=st.integers(0, 30), tells_when=st.booleans())
def test_training_is_what_an_obvious_loop_says(leads, until, horizon, tells_when):
    """Row by row: known, closed, and converted within the horizon."""
    horizon = max(horizon, 1) if tells_when else horizon
    table = rows(*[(f"{place:02d}", day, label, won) for place, (day, label, won) in enumerate(leads)])
    expected = {}
    for place, (day, label, won) in enumerate(leads):
        if tells_when:
            outcome = won is not None and day <= won < day + horizon
        elif label is None:
            continue
        else:
            outcome = label
        if horizon == 0 or day + horizon <= until:
            expected[f"{place:02d}"] = outcome
    timing = Timing("date", until * DAY, horizon_days=horizon, tells_when=tells_when)
    assert converted(training_table(table, timing, FEATURES)) == expected


@pytest.mark.parametrize("order", ["date", ""])
def test_the_order_of_rows_changes_nothing(order):
    """Shuffled, the same table comes out, unless the rows are the order."""
    rng = np.random.default_rng(0)
    leads = rows(*[(f"{place:03d}", int(rng.integers(9)), bool(rng.integers(2)), None) for place in range(50)])
    timing = Timing(order, 20 * DAY)
    given = training_table(leads, timing, FEATURES)
    shuffled = training_table(leads.take(rng.permutation(50)), timing, FEATURES)
    assert shuffled.keys.equals(given.keys)
    assert shuffled.labels.equals(given.labels)
    assert shuffled.columns["source"].to_pylist() == given.columns["source"].to_pylist()
    np.testing.assert_array_equal(shuffled.columns["employees"].to_numpy(), given.columns["employees"].to_numpy())


def ids(table) -> list[str]:
    """Return the leads of a table."""
    return table.keys["lead_id"].to_pylist()
