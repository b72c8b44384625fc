"""Scores that were stored before there were decisions are read like those of today."""

import pyarrow as pa

from models.decision_columns import DECISION_COLUMNS, with_decision_columns


def test_an_old_run_has_nulls_where_it_decided_nothing():
    """Each column is there with its type, and says nothing."""
    read = with_decision_columns(pa.table({"lead_id": ["a", "b"]}))
    assert read.schema == pa.schema({"lead_id": pa.string(), **DECISION_COLUMNS})
    assert all(read[name].null_count == 2 for name in DECISION_COLUMNS)


def test_what_a_run_decided_stays():
    """Columns that are there are not touched."""
    stored = pa.table({"stage": ["cart"], "held": pa.array([["override"]])})
    assert with_decision_columns(stored).select(["stage", "held"]).equals(stored)
