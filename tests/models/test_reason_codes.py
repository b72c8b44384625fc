"""Reason codes stand beside scores and never change them; they depend on the lead alone."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalog import Measure
from features.matrix import FeatureTable, concat
from models.familiarity import Familiarity, Seen
from models.reason_codes import LEAST_BLANK_LEADS, SILENCE_SLACK, doubts, told
from models.scoring import ScoringRun, score

MEASURES = {
    "orders_count_30d": Measure("count", "orders", window=30),
    "orders_count_90d": Measure("count", "orders", window=90),
    "days_since_last_order": Measure("days_since_last", "orders"),
}


@pytest.fixture(scope="module")
def model(lead_model):
    """Return the small model, with measures, and with what it has seen: orders, plans, and a year of silence."""
    features = tuple(replace(one, measure=MEASURES.get(one.name)) for one in lead_model.features)
    seen = (
        Seen("orders_count_30d", 0.0, float(np.log1p(10)), 1.0, (), watches_levels=False, watches_gaps=False),
        Seen("days_since_last_order", 0.0, float(np.log1p(365)), 1.0, (), watches_levels=False, watches_gaps=False),
        Seen("plan", 0.0, 0.0, 1.0, ("basic", "pro"), watches_levels=True, watches_gaps=False),
    )
    known = Familiarity(seen, threshold=0.5, longest_silence=365.0, blank_leads=LEAST_BLANK_LEADS - 1)
    return replace(lead_model, features=features, familiarity=known)


def leads(some_leads, model, n: int = 8, **values) -> FeatureTable:
    """Return usual leads, with the given values in all rows."""
    table = replace(some_leads(n, 5), features=model.features)
    usual = {"orders_count_30d": 1.0, "days_since_last_order": 20.0, "plan": "pro"} | values
    columns = table.columns
    for name, value in usual.items():
        is_text = pa.types.is_dictionary(columns[name].type)
        column = pa.array([value] * n, pa.string() if is_text else pa.float64())
        column = column.dictionary_encode() if is_text else column.fill_null(np.nan)
        columns = columns.set_column(columns.column_names.index(name), name, column)
    return replace(table, columns=columns)


def nobody(some_leads, model) -> FeatureTable:
    """Return leads of whom nothing is known."""
    gaps = dict.fromkeys(("sessions_trend", "cart_value", "days_since_last_order", "first_source", "plan"))
    return leads(some_leads, model, orders_count_30d=0.0, orders_count_90d=0.0, **gaps)


def codes(model, table, **run) -> set:
    """Return the different codes of a table's scores."""
    return set(score(model, table, run=ScoringRun(**run))["reason_code"].to_pylist())


def test_usual_leads_have_no_code(model, some_leads):
    """Values that training held are no news."""
    assert codes(model, leads(some_leads, model)) == {None}


def test_a_strange_value_is_named(model, some_leads):
    """The code stands beside the score, with the values that stray, in words."""
    row = score(model, leads(some_leads, model, plan="XX", orders_count_30d=900.0)).to_pylist()[0]
    assert row["reason_code"] == "unlike_training"
    assert [one["feature"] for one in row["unlike"]] == ["plan", "orders_count_30d"]
    (sentence,) = told(row, model)
    assert sentence.startswith("Unlike the leads this model learned from: plan XX, seen in none of them; ")
    assert sentence.endswith("900 orders in 30 days (among them 0 to 10).")


def test_silence_is_told_as_such(model, some_leads):
    """Longer than any lead of training was silent: stale, not strange."""
    assert codes(model, leads(some_leads, model, days_since_last_order=365.0 * SILENCE_SLACK)) == {None}
    assert codes(model, leads(some_leads, model, days_since_last_order=900.0)) == {"stale_data"}


def test_a_stale_table_makes_all_scores_stale(model, some_leads):
    """And other codes stand beside it, in a fixed order."""
    assert codes(model, leads(some_leads, model), is_stale=True) == {"stale_data"}
    assert codes(model, leads(some_leads, model, plan="XX"), is_stale=True) == {"stale_data,unlike_training"}


def test_of_whom_nothing_is_known_there_is_no_score(model, some_leads):
    """Unless the model has met enough such leads: then the score is theirs, and the code stands beside it."""
    found = score(model, nobody(some_leads, model)).to_pylist()
    assert {(row["reason_code"], row["score"], row["rank"]) for row in found} == {("no_history", None, None)}
    assert "met only 29 such" in told(found[0], model)[0]
    many = replace(model, familiarity=replace(model.familiarity, blank_leads=LEAST_BLANK_LEADS))
    beside = score(many, nobody(some_leads, model)).to_pylist()
    assert all(row["reason_code"] == "no_history" and row["score"] is not None for row in beside)
    assert told(beside[0], many)[0].startswith("Nothing is known of this lead yet; the score is")


def mixed(some_leads, model) -> FeatureTable:
    """Return usual, strange, silent and unknown leads, each with an id of its own."""
    parts = (
        leads(some_leads, model),
        leads(some_leads, model, plan="XX"),
        leads(some_leads, model, days_since_last_order=2000.0),
        nobody(some_leads, model),
    )
    table = concat([replace(part, labels=None) for part in parts])
    names = pa.array([f"lead-{place:02d}" for place in range(len(table))])
    return replace(table, keys=table.keys.set_column(0, "lead_id", names))


def test_codes_never_change_a_score(model, some_leads):
    """With and without doubts, every other column is the same, bit by bit."""
    table = mixed(some_leads, model)
    doubting, sure = (score(one, table) for one in (model, replace(model, familiarity=None)))
    scored = doubting.filter(pc.is_valid(doubting["score"]))
    assert (len(scored), scored["reason_code"].null_count, len(sure)) == (24, 8, 32)
    others = [name for name in scored.column_names if name not in ("reason_code", "unlike", "rank")]
    assert scored.select(others).equals(sure.slice(0, 24).select(others))


def test_a_lead_alone_gets_the_codes_it_gets_in_its_batch(model, some_leads):
    """Whoever else is scored changes nothing."""
    table = mixed(some_leads, model)
    together = doubts(model, table, is_stale=False)
    assert together.codes.null_count == 8
    for row in range(32):
        alone = doubts(model, table.take(np.array([row])), is_stale=False)
        assert alone.codes[0].as_py() == together.codes[row].as_py()
        assert alone.unlike[0].as_py() == together.unlike[row].as_py()
        assert alone.is_unscored[0] == together.is_unscored[row]


def test_a_model_of_an_older_version_doubts_nothing_but_stale_tables(lead_model, some_leads):
    """Its bundle does not say what its leads looked like."""
    assert lead_model.familiarity is None
    assert codes(lead_model, some_leads(20, 5)) == {None}
    assert codes(lead_model, some_leads(20, 5), is_stale=True) == {"stale_data"}


def test_no_rows_have_no_codes(model, some_leads):
    """An empty table is doubted as an empty table."""
    empty = leads(some_leads, model).take(np.array([], dtype=np.int64))
    assert len(score(model, empty)) == 0
