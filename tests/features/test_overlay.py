"""Owners laid over the list of leads, beside a reading of every row."""

from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features import overlay
from features.resolve import resolve

LEADS = ("Ann", "Bob", "Cat")
OWNERS = st.sampled_from(["Eve", "Max", None])
LOADED = datetime.fromtimestamp(100, UTC)


def at(second: int) -> datetime:
    """Return a moment of a short history."""
    return datetime.fromtimestamp(second, UTC)


STATES = st.lists(
    st.fixed_dictionaries(
        {
            "lead_id": st.sampled_from([*LEADS, "stranger"]),
            "occurred_at": st.integers(1, 9),
            "recorded_at": st.integers(1, 9),
            "owner": OWNERS,
        }
    ),
    max_size=10,
)


def newest_owner(states, lead, second):
    """Return what the newest state of a lead says that was known before a second, looking at one row after another."""
    seen = []
    for place, state in enumerate(states):
        known = max(state["occurred_at"], state["recorded_at"])
        if state["lead_id"] == lead and known < second:
            seen.append(((state["occurred_at"], known, place), state["owner"]))
    return max(seen, key=lambda one: one[0])[1] if seen else None


@given(STATES, st.lists(OWNERS, min_size=3, max_size=3), st.integers(0, 11))
def test_an_owner_is_that_of_the_newest_state_else_of_the_list(states, listed, second):
    """At any moment, for any order of events and readings."""
    leads = pa.table({"lead_id": LEADS, "created_at": pa.array([at(0)] * 3, pa.timestamp("us", tz="UTC"))})
    rows = [
        {**one, "occurred_at": at(one["occurred_at"]), "recorded_at": at(one["recorded_at"]), "state_id": f"{place:03}"}
        for place, one in enumerate(states)
    ]
    moment = pa.timestamp("us", tz="UTC")
    schema = pa.schema(
        {"lead_id": pa.string(), "occurred_at": moment, "recorded_at": moment, "owner": pa.string(),
         "state_id": pa.string()}
    )  # fmt: skip
    timelines = resolve({"leads": leads, "lead_states": pa.Table.from_pylist(rows, schema)}, loaded_at=LOADED)
    index = timelines.leads.filter(pa.array([lead in LEADS for lead in timelines.leads["lead_id"].to_pylist()]))
    people = pa.table({"lead_no": index["lead_no"], "owner": pa.array(listed, pa.string())})
    found = overlay.with_owners(people, timelines.tables["lead_states"], as_of=second * 1_000_000)
    expected = [newest_owner(states, lead, second) or own for lead, own in zip(LEADS, listed, strict=True)]
    assert index["lead_id"].to_pylist() == list(LEADS)
    assert found["owner"].to_pylist() == expected
    without = overlay.with_owners(
        people.drop_columns(["owner"]), timelines.tables["lead_states"], as_of=second * 1_000_000
    )
    assert without["owner"].to_pylist() == [newest_owner(states, lead, second) for lead in LEADS]
