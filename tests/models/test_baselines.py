"""Rivals learn from the rows they are given, and know more than chance."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.matrix import FeatureTable
from features.rfm import AGE, FREQUENCY, MONETARY, RECENCY
from models.baselines import NAMES, RepeatPurchase, rivals
from models.metrics import evaluate
from models.training import moments_of

MONTH = 30.0


def bought(leads: int, *, as_ofs: int = 4, seed: int = 0) -> FeatureTable:
    """Return shoppers with an own rate of buying, asked monthly whether they buy within the next month.

    A fifth of them has not bought before the first moment.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.8, 1 / 60, leads)
    days = [np.sort(rng.uniform(0, 600, rng.poisson(one * 600))) for one in rate]
    rows = [(lead, 300 + MONTH * at) for lead in range(leads) for at in range(as_ofs)]
    past = [days[lead][days[lead] < now] for lead, now in rows]
    count = np.array([len(one) for one in past], float)
    last = np.array([now - one[-1] if len(one) else np.nan for (_, now), one in zip(rows, past, strict=True)])
    first = np.array([now - one[0] if len(one) else np.nan for (_, now), one in zip(rows, past, strict=True)])
    converted = [bool(((days[lead] >= now) & (days[lead] < now + MONTH)).any()) for lead, now in rows]
    beside = {FREQUENCY: count, RECENCY: last, AGE: first, MONETARY: count * 20.0}
    return _table(rows, np.array(converted), beside)


def _table(rows, converted, beside):
    time, day = pa.timestamp("us", tz="UTC"), 86_400_000_000
    as_of = np.array([now for _, now in rows])
    keys = {
        "lead_id": [f"lead-{lead}" for lead, _ in rows],
        "as_of": pa.array((as_of * day).astype(np.int64)).cast(time),
        "trigger_id": pa.nulls(len(rows), pa.string()),
    }
    labels = {
        "converted": converted,
        "converted_at": pa.nulls(len(rows), time),
        "decided_at": pa.array(((as_of + MONTH) * day).astype(np.int64)).cast(time),
        "is_ripe": np.ones(len(rows), bool),
    }
    return FeatureTable(pa.table(keys), pa.table({}), (), pa.table(labels), pa.table(beside))


@pytest.fixture(scope="module")
def shop() -> FeatureTable:
    """Return 1,500 shoppers."""
    return bought(1500)


def split(table: FeatureTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows before the newest moment, and those at it."""
    as_of = moments_of(table).as_of
    return np.flatnonzero(as_of < as_of.max()), np.flatnonzero(as_of == as_of.max())


def test_all_rivals_answer_for_the_rows_they_are_asked_about(shop: FeatureTable) -> None:
    """Each tells buyers from others, BG/NBD as well as the regression that saw the labels, and has a name."""
    train, test = split(shop)
    moments = moments_of(shop)
    there = rivals(shop, repeat_purchase=RepeatPurchase(np.full(len(shop), MONTH)))
    loss = {}
    for name in ("recency", "frequency", "rfm", "bgnbd"):
        found = evaluate(there[name](train, test), moments.converted[test], moments.lead[test], resamples=2)
        assert found.rows == len(test)
        assert found.roc_auc.value > 0.65
        loss[name] = found.log_loss.value
    assert loss["bgnbd"] == pytest.approx(loss["rfm"], rel=0.1)
    assert set(there) < set(NAMES)


def test_labels_and_rows_of_the_test_change_no_answer(shop: FeatureTable) -> None:
    """With the test's labels turned around and the rest of the test gone, a row is answered as before."""
    train, test = split(shop)
    converted = moments_of(shop).converted.copy()
    converted[test] ^= True
    other = replace(shop, labels=shop.labels.set_column(0, "converted", pa.array(converted)))
    repeat = RepeatPurchase(np.full(len(shop), MONTH))
    for name in ("recency", "frequency", "rfm", "bgnbd"):
        said = rivals(shop, repeat_purchase=repeat)[name](train, test)
        assert np.array_equal(rivals(other, repeat_purchase=repeat)[name](train, test), said)
        alone = rivals(shop, repeat_purchase=repeat)[name](train, test[7:8])
        assert alone == pytest.approx(said[7:8], abs=1e-12)


def test_the_plain_models_learn_from_the_features(make_shop: Callable[..., FeatureTable]) -> None:
    """Logistic regression and LightGBM as they come know more than chance; without columns beside, they are alone."""
    table = make_shop(300, as_ofs=4)
    train, test = split(table)
    moments = moments_of(table)
    there = rivals(table)
    assert list(there) == ["logistic", "lightgbm"]
    for rival in there.values():
        found = evaluate(rival(train, test), moments.converted[test], moments.lead[test], resamples=2)
        assert found.roc_auc.value > 0.55


def test_bg_nbd_stands_only_where_a_purchase_is_predicted(shop: FeatureTable) -> None:
    """Without a horizon of purchases there is no BG/NBD."""
    assert "bgnbd" not in rivals(shop)
    assert {"recency", "frequency", "rfm"} <= set(rivals(shop))
