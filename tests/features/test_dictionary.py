"""The data dictionary: every column is there, and says what its absence means."""

from dataclasses import replace

import pytest
import worlds

from features import dictionary
from features.catalog import Measure
from features.conditions import parse

PLAN = worlds.category("plan", Measure("last", "attributes", (), "plan"))


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (Measure("count", "orders", window=7), "the window reaches before the data"),
        (Measure("sum", "orders", (), "amount"), "no data before as_of"),
        (Measure("mean", "orders", (), "amount", 7), "nothing to measure, or the window reaches before the data"),
        (Measure("open_count", "events", since_table="orders"), "no data before as_of"),
        (Measure("lead_age"), "never missing"),
        (Measure("trigger", column="kind"), "not known before as_of"),
        (PLAN.measure, "not known before as_of"),
        (None, "not given"),
    ],
)
def test_what_a_missing_value_says(measure, words):
    """Zero and missing are told apart; a column that was brought ready-made may well have gaps."""
    assert dictionary.missing_means(replace(PLAN, measure=measure)) == words


def test_every_column_of_a_training_table_has_one_entry_and_one_row():
    """Keys, labels and features, in that order, in both forms."""
    bought = worlds.number("dear", Measure("count", "orders", parse({"amount": {"min": 50}}), window=30))
    names = [*dictionary.KEYS, *dictionary.LABELS, "dear", "plan"]
    assert [entry["name"] for entry in dictionary.entries([bought, PLAN])] == names
    rows = dictionary.markdown([bought, PLAN]).splitlines()[4:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == names
    assert "number of rows, of orders where amount min 50, in the last 30 days" in rows[-2]
