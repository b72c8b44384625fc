"""Stored scores: one row per lead, that depends on the lead alone and adds up."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from features.errors import LeadlightError
from models import scoring
from models.scoring import ScoringConfig, ScoringRun, score, score_schema

RUN = ScoringRun("7", datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))


@pytest.fixture(scope="module")
def scores(lead_model, some_leads) -> pa.Table:
    """Return 1,200 scored leads."""
    return score(lead_model, some_leads(1200, 31), run=RUN)


def test_points_of_every_stored_row_sum_exactly(lead_model, scores):
    """points, points_family and fit + engagement sum to points_total; the score is 50 + its rounded hundredth part."""
    total = scores["points_total"].to_numpy()
    for column in ("points", "points_family"):
        fields = scores[column].combine_chunks().flatten()
        assert np.array_equal(np.sum([field.to_numpy() for field in fields], axis=0), total)
    assert np.array_equal(scores["fit"].to_numpy() + scores["engagement"].to_numpy(), total)
    unclipped = 50 + 10 * (scores["log_odds"].to_numpy() - lead_model.reference) / np.log(2)
    assert np.array_equal(total, np.rint(100 * (unclipped - 50)))
    assert np.array_equal(scores["score"].to_numpy(), np.clip(np.rint(unclipped), 0, 100))


def test_a_lead_scored_alone_gets_the_row_it_gets_in_its_batch(lead_model, some_leads, scores):
    """Every stored field but the rank is the same, bit by bit."""
    table = some_leads(1200, 31)
    for row in (0, 600, 1199):
        alone = score(lead_model, table.take(np.array([row])), run=RUN)
        assert alone.drop_columns("rank").equals(scores.slice(row, 1).drop_columns("rank"))
        assert alone["rank"].to_pylist() == [1]


def test_row_order_changes_no_row(lead_model, some_leads, scores):
    """Shuffled leads get the same rows, ranks included."""
    order = np.random.default_rng(1).permutation(1200)
    shuffled = score(lead_model, some_leads(1200, 31).take(order), run=RUN)
    assert shuffled.equals(scores.take(pa.array(order)).combine_chunks())


def test_blocks_change_nothing(lead_model, some_leads, scores, monkeypatch):
    """Scored in blocks of 100, the rows are the same."""
    monkeypatch.setattr(scoring, "ROWS_PER_BLOCK", 100)
    assert score(lead_model, some_leads(1200, 31), run=RUN).equals(scores)


def test_ranks_are_a_place_each_by_falling_probability(scores):
    """Ranks 1…n are given once each; a better rank never has a lower probability; ids settle ties."""
    ordered = scores.sort_by("rank")
    assert ordered["rank"].to_pylist() == list(range(1, 1201))
    assert np.all(np.diff(ordered["log_odds"].to_numpy()) <= 0)


def test_ties_are_settled_by_lead_and_the_unscored_have_no_rank():
    """Of two equal leads the first by id is first; a lead without log-odds has no rank."""
    columns = {"lead_id": ["b", "a", "c"], "as_of": [0, 0, 0], "trigger_id": ["", "", ""]}
    rows = pa.table({**columns, "log_odds": [1.0, 1.0, None], "rank": pa.nulls(3, pa.int64())})
    assert scoring.with_ranks(rows)["rank"].to_pylist() == [2, 1, None]


def test_without_reasons_the_numbers_are_the_same(lead_model, some_leads, scores):
    """explain=False leaves points and reasons null and changes nothing else."""
    plain = score(lead_model, some_leads(1200, 31), explain=False, run=RUN)
    why = ["fit", "engagement", "cell", "points", "points_family", "reasons"]
    assert all(plain[name].null_count == 1200 for name in why)
    assert plain.drop_columns(why).equals(scores.drop_columns(why))


def test_a_lead_that_cannot_be_scored_has_a_reason_instead_of_a_number(lead_model, some_leads):
    """Unscored leads come last, with their reason code and without score or rank."""
    moment = pa.array([datetime(2024, 1, 2, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    unscored = pa.table({"lead_id": ["x"], "as_of": moment, "trigger_id": pa.nulls(1), "reason_code": ["no_consent"]})
    last = score(lead_model, some_leads(3, 32), run=RUN, unscored=unscored).slice(3).to_pylist()[0]
    assert (last["lead_id"], last["reason_code"], last["score"], last["rank"]) == ("x", "no_consent", None, None)
    assert last["model_version"] == "7"


def test_stored_rows_survive_parquet(lead_model, scores, tmp_path: Path):
    """Written and read back, a score is the same table with the same types."""
    pq.write_table(scores, tmp_path / "scores.parquet")
    assert pq.read_table(tmp_path / "scores.parquet").equals(scores)
    assert scores.schema.equals(score_schema(lead_model.features))


def test_no_lead_gives_no_row(lead_model, some_leads):
    """An empty table is scored as an empty table of the same columns."""
    empty = score(lead_model, some_leads(3, 33).take(np.array([], dtype=np.int64)))
    assert empty.num_rows == 0
    assert empty.schema.equals(score_schema(lead_model.features))


def test_features_that_do_not_fit_are_all_named(lead_model, some_leads):
    """Missing columns and columns of another kind are refused together, with the next step."""
    table = some_leads(3, 34)
    columns = table.columns.drop_columns("cart_value")
    columns = columns.set_column(columns.column_names.index("plan"), "plan", pa.array([1.0, 2.0, 3.0]))
    wrong = type(table)(table.keys, columns, table.features)
    with pytest.raises(LeadlightError) as refused:
        score(lead_model, wrong)
    assert str(refused.value) == (
        "The features do not fit the model:\n"
        "  - cart_value   (missing)\n"
        "  - plan   (a number, the model was trained on a category)\n"
        "\n"
        "Hint: score with the config that the model was trained with, or train again."
    )


def test_threads_change_no_bit(lead_model, some_leads, scores):
    """One thread gives what many give."""
    assert score(lead_model, some_leads(1200, 31), config=ScoringConfig(threads=1), run=RUN).equals(scores)


def test_unseen_and_missing_values_are_scored(scores):
    """Every lead has a probability inside its interval, whatever is missing or new."""
    low, p, high = (scores[f"probability{part}"].to_numpy() for part in ("_low", "", "_high"))
    assert np.all((low <= p) & (p <= high) & (p > 0) & (p < 1))
    assert pc.all(pc.is_valid(scores["features_hash"])).as_py()
