"""Errors have one shape: the fact, the differences, a blank line, a hint."""

import pytest

from features.errors import LeadlightError, NotFinishedError, nearest, not_finished, wrong_input
from features.tables import columns_missing, missing_columns, table_named


def test_a_message_is_fact_differences_and_hint():
    """The whole text of the example that every message follows."""
    lines = missing_columns("orders", ["lead_id", "amount"], found=["lead_id", "amount", "order_at"])
    assert str(columns_missing("orders", lines)) == (
        "Table 'orders' lacks required columns:\n"
        "  - ordered_at   (found 'order_at': a rename?)\n"
        "\n"
        "Hint: map your names under tables.orders.columns in the config, "
        "or run `leadlight check` to see what each table needs."
    )


def test_unfinished_work_can_be_told_from_wrong_input():
    """Both are Leadlight's errors; only one says that running again is safe."""
    assert isinstance(not_finished("x"), NotFinishedError)
    assert not isinstance(wrong_input("x"), NotFinishedError)
    assert isinstance(not_finished("x"), LeadlightError)


@pytest.mark.parametrize(("word", "meant"), [("ordered-at", "ordered_at"), ("Amount", "amount"), ("zzz", None)])
def test_the_nearest_choice_is_suggested(word, meant):
    """Case and separators do not count, and nothing is suggested that is not alike."""
    assert nearest(word, ["ordered_at", "amount", "status"]) == meant


def test_an_unknown_table_is_refused_with_the_nearest():
    """A misspelled table is named beside the one that was likely meant."""
    with pytest.raises(LeadlightError, match="no table 'order'; did you mean 'orders'"):
        table_named("order")


def test_rows_of_visitors_need_a_lead_or_a_visitor():
    """Sessions without either column belong to nobody."""
    assert missing_columns("sessions", ["started_at"], found=[]) == ["lead_id or visitor_id"]
    assert missing_columns("sessions", ["started_at", "visitor_id"], found=[]) == []
