"""What is said beside the figures is what was done."""

import pytest

from pipeline.lead_table.notes import AT_ONCE, NONE_LATER, TIMELESS, on_time


@pytest.mark.parametrize(
    ("time", "is_forward", "said"),
    [
        ({"date": None}, False, TIMELESS),
        ({"date": None, "order": "rows"}, True, ""),
        ({}, True, AT_ONCE),
        ({"horizon_days": 9}, True, ""),
        ({}, False, NONE_LATER),
        ({"horizon_days": 9}, False, NONE_LATER),
    ],
)
def test_a_split_in_time_is_told_only_where_there_was_one(leads, time, is_forward, said):
    """Dates that are all equal leave a split at random, and then nothing is said of a test that began later."""
    leads.table |= time
    assert on_time(leads.settings().lead_table, is_forward=is_forward) == said
