"""What holds for every model that training yields."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features import moments
from features.errors import LeadlightError
from features.matrix import FeatureTable
from models import bundle
from models.errors import TooFewConversionsError
from models.explain import contributions
from models.model import LeadModel, rows_of, sigmoid
from models.recipe import Recipe
from models.training import TrainedModel, TrainingConfig, train


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., FeatureTable]) -> FeatureTable:
    """Return 400 leads at five as_ofs."""
    return make_shop()


@pytest.fixture(scope="module")
def trained(shop: FeatureTable) -> TrainedModel:
    """Return the model trained on the shop."""
    return train(shop)


def as_text(model: LeadModel, folder: Path) -> dict[str, bytes]:
    """Return everything a bundle of *model* holds."""
    bundle.save(model, folder)
    return bundle.verified_files(folder)


def test_the_order_of_rows_changes_no_bit(shop: FeatureTable, trained: TrainedModel, tmp_path: Path) -> None:
    """Trained on shuffled rows, the bundle is the same byte by byte and so are the metrics."""
    shuffle = np.random.default_rng(1).permutation(len(shop))
    other = train(shop.take(shuffle))
    assert as_text(other.model, tmp_path / "a") == as_text(trained.model, tmp_path / "b")
    assert other.metrics == trained.metrics
    assert np.array_equal(shuffle[other.hold_out.test_rows], trained.hold_out.test_rows)


def test_a_lead_scored_alone_gets_the_bits_it_gets_in_a_batch(shop: FeatureTable, trained: TrainedModel) -> None:
    """Margin, probability, interval and score of one row do not depend on its neighbours."""
    batch = trained.model.predict(shop)
    for row in range(0, len(shop), 97):
        alone = trained.model.predict(rows_of(shop, row, 1))
        for name in ("log_odds", "probability", "low", "high", "score"):
            assert getattr(alone, name)[0] == getattr(batch, name)[row]


def test_the_parts_add_up_to_the_log_odds(shop: FeatureTable, trained: TrainedModel) -> None:
    """The blended parts are the margin, bit by bit, and base + contributions are too, to 1e-4."""
    model = trained.model
    parts = model.blend.margins(model.linear.margins(shop), model.tree_margins(shop))
    assert np.array_equal(parts, model.margins(shop))
    explained = contributions(model, shop)
    assert explained.base + explained.values.sum(axis=1) == pytest.approx(parts, abs=1e-4)
    assert model.reference == explained.base


def test_probabilities_rise_with_the_margin_and_lie_in_their_interval(
    shop: FeatureTable, trained: TrainedModel
) -> None:
    """A higher margin never means a lower probability or score, and low <= probability <= high."""
    found = trained.model.predict(shop)
    order = np.argsort(found.log_odds)
    assert np.all(np.diff(found.probability[order]) >= 0)
    assert np.all(np.diff(found.score[order]) >= 0)
    assert np.all((found.low <= found.probability) & (found.probability <= found.high))
    assert np.array_equal(found.probability, sigmoid(found.log_odds))


def test_no_training_label_was_open_when_the_hold_out_began(shop: FeatureTable, trained: TrainedModel) -> None:
    """The judged model's labels had closed by the first as_of that it is judged on."""
    assert shop.labels is not None
    decided = shop.labels["decided_at"].take(pa.array(trained.hold_out.train_rows)).to_numpy()
    as_of = shop.keys["as_of"].take(pa.array(trained.hold_out.test_rows)).to_numpy()
    assert decided.max() <= as_of.min()


def test_what_happened_in_the_hold_out_does_not_reach_the_judged_model(
    shop: FeatureTable, trained: TrainedModel, tmp_path: Path
) -> None:
    """Turning the hold-out's labels around changes the metrics, and no byte of the model they judge."""
    assert shop.labels is not None
    converted = shop.labels["converted"].to_numpy().copy()
    converted[trained.hold_out.test_rows] ^= True
    labels = shop.labels.set_column(0, "converted", pa.array(converted))
    start = trained.hold_out.test_from
    other = train(replace(shop, labels=labels), config=TrainingConfig(test_from=start))
    assert as_text(other.judged, tmp_path / "a") == as_text(trained.judged, tmp_path / "b")
    assert other.metrics.roc_auc.value == pytest.approx(1 - trained.metrics.roc_auc.value)


def test_the_refit_keeps_the_plan_and_learns_from_all_rows(shop: FeatureTable, trained: TrainedModel) -> None:
    """The shipped model has the judged model's strength and number of trees, and more rows."""
    assert trained.report.plan == trained.judged_report.plan
    assert trained.report.rows == len(shop) > trained.judged_report.rows
    assert trained.report.forward_blocks > 0


def test_unripe_rows_change_nothing(shop: FeatureTable, trained: TrainedModel, tmp_path: Path) -> None:
    """Rows whose label window is still open train and test nothing."""
    assert shop.labels is not None
    rows = np.arange(50)
    open_rows = shop.take(rows)
    assert open_rows.labels is not None
    labels = pa.concat_tables([shop.labels, open_rows.labels.set_column(3, "is_ripe", pa.array([False] * 50))])
    keys = pa.concat_tables([shop.keys, open_rows.keys])
    columns = pa.concat_tables([shop.columns, open_rows.columns]).unify_dictionaries()
    other = train(FeatureTable(keys, columns, shop.features, labels))
    assert as_text(other.model, tmp_path / "a") == as_text(trained.model, tmp_path / "b")


def test_a_model_stays_within_its_trees(shop: FeatureTable) -> None:
    """Asked for at most 20 trees, all bags together have no more."""
    small = train(shop, config=TrainingConfig(recipe=Recipe(max_trees=20)))
    assert sum(booster.num_trees() for booster in small.model.loaded_boosters) <= 20


def test_an_unseen_level_and_missing_values_are_scored(shop: FeatureTable, trained: TrainedModel) -> None:
    """A lead with a new city and no history gets a finite probability."""
    one = rows_of(shop, 0, 1)
    columns = {
        "orders_count_30d": pa.array([None], pa.float64()),
        "days_since_last_order": pa.array([float("nan")]),
        "first_source": pa.array(["never seen"]).dictionary_encode(),
        "plan": pa.nulls(1, pa.string()).dictionary_encode(),
    }
    assert np.isfinite(trained.model.predict(replace(one, columns=pa.table(columns))).probability[0])


def test_a_saved_model_scores_the_same_in_another_process(
    shop: FeatureTable, trained: TrainedModel, tmp_path: Path
) -> None:
    """Saved, loaded elsewhere, asked the same rows: the same bits."""
    bundle.save(trained.model, tmp_path / "bundle")
    np.save(tmp_path / "expected.npy", trained.model.margins(shop))
    for name, part in (("keys", shop.keys), ("columns", shop.columns)):
        with pa.OSFile(str(tmp_path / name), "wb") as sink, pa.ipc.new_file(sink, part.schema) as writer:
            writer.write_table(part)
    program = """
import sys; from pathlib import Path; import numpy as np; import pyarrow as pa
from features.matrix import FeatureTable; from models import bundle
here = Path(sys.argv[1])
keys, columns = (pa.ipc.open_file(str(here / name)).read_all() for name in ("keys", "columns"))
model = bundle.load(here / "bundle")
assert np.array_equal(model.margins(FeatureTable(keys, columns, model.features)), np.load(here / "expected.npy"))
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


def with_labels(table: FeatureTable, column: str, values: np.ndarray) -> FeatureTable:
    """Return *table* with one label column replaced."""
    assert table.labels is not None
    place = table.labels.column_names.index(column)
    return replace(table, labels=table.labels.set_column(place, column, pa.array(values)))


def test_a_table_without_ripe_rows_is_refused(shop: FeatureTable) -> None:
    """The message says how many snapshots there are and what to change."""
    with pytest.raises(LeadlightError, match="None of the 2000 snapshots is ripe") as caught:
        train(with_labels(shop, "is_ripe", np.zeros(len(shop), bool)))
    assert "Hint: " in str(caught.value)


@pytest.mark.parametrize(("converted", "said"), [(True, "All 2000"), (False, r"0 conversions")])
def test_one_class_is_refused(shop: FeatureTable, converted: bool, said: str) -> None:
    """Where everyone converts, or nobody, there is nothing to learn."""
    with pytest.raises(LeadlightError, match=said):
        train(with_labels(shop, "converted", np.full(len(shop), converted)))


def test_too_few_conversions_are_refused_with_both_numbers(shop: FeatureTable) -> None:
    """The message says how many distinct leads convert in each part and how many are needed."""
    converted = np.zeros(len(shop), bool)
    converted[:25] = True
    with pytest.raises(LeadlightError) as caught:
        train(with_labels(shop, "converted", converted))
    assert "to train, closed before the hold-out: 5 leads convert, 30 needed" in str(caught.value)
    assert "in the hold-out: 5 leads convert, 10 needed" in str(caught.value)


def test_a_hold_out_that_begins_after_all_data_is_named_as_the_fault(shop: FeatureTable) -> None:
    """There are conversions enough: the day is wrong, so the setting and the newest label are told."""
    far = moments.to_us(datetime(2099, 1, 1, tzinfo=UTC))
    with pytest.raises(LeadlightError, match=r"model\.holdout_from \(2099-01-01 00:00 UTC\) leaves") as caught:
        train(shop, config=TrainingConfig(test_from=far))
    newest = shop.keys["as_of"].to_pylist()
    assert f"the newest closed label is of {max(newest):%Y-%m-%d %H:%M} UTC" in str(caught.value)
    assert "in the hold-out: 0 leads convert, 10 needed" in str(caught.value)
    assert not isinstance(caught.value, TooFewConversionsError)


def test_a_table_without_labels_is_refused(shop: FeatureTable) -> None:
    """Snapshots made for scoring cannot train."""
    with pytest.raises(LeadlightError, match="no labels"):
        train(replace(shop, labels=None))
