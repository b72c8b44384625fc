"""Rows and their moments are told by what a config says of its data."""

import pytest

from features.moments import SECOND
from pipeline.row_words import rows_are, told
from pipeline.settings import parse

LABEL = {"path": "leads.csv", "label": {"column": "won"}}


@pytest.mark.parametrize(
    ("data", "rows", "moment"),
    [
        ({"tables": {"orders": {"path": "orders.csv"}}}, "snapshots", "1970-01-01T01:33:20+01:00"),
        ({"lead_table": {**LABEL, "date": "created"}}, "leads", "1970-01-01T01:33:20+01:00"),
        ({"lead_table": {**LABEL, "order": "rows"}}, "leads", "row 2,000"),
        ({"lead_table": LABEL}, "leads", ""),
    ],
)
def test_a_moment_is_a_day_a_row_or_nothing(tmp_path, data, rows, moment):
    """A calendar is named only where the data have one, on the shop's own clock."""
    raw = {"shop": {"name": "Test", "time_zone": "Europe/Warsaw"}, **data}
    settings = parse(raw, place=tmp_path / "leadlight.yaml")
    assert rows_are(settings) == rows
    assert told(settings, 2_000 * SECOND) == moment
