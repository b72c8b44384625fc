"""A small model with every kind of column, and leads with every kind of value, for the tests of explanations."""

import sys
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable
from models.calibration import Blend
from models.encoding import Encoder, TreeColumn
from models.explain import base_log_odds
from models.intervals import VennAbers
from models.linear import CategoryTerm, LinearPart, NumberTerm
from models.model import LeadModel

sys.path.append(str(Path(__file__).parent / "support"))

FEATURES = (
    Feature("orders_count_30d", "purchase", "number", "count", "recent_orders",
            Phrase("{n} orders in 30 days", one="1 order in 30 days", zero="no order in 30 days"), ""),
    Feature("orders_count_90d", "purchase", "number", "count", "recent_orders",
            Phrase("{n} orders in 90 days", one="1 order in 90 days"), ""),
    Feature("days_since_last_order", "purchase", "number", "days", "last_order",
            Phrase("last order {n} ago", missing="no order on record"), ""),
    Feature("sessions_trend", "engagement", "number", "ratio", "visits", Phrase("visits {change} on the usual"), ""),
    Feature("cart_value", "funnel", "number", "money", "cart", Phrase("an open cart of {n}", zero="no open cart"), ""),
    Feature("first_source", "acquisition", "category", "category", "source", Phrase("came from {n}"), ""),
    Feature("plan", "fit", "category", "category", "plan", Phrase("plan {n}", missing="plan not known"), ""),
)  # fmt: skip
SOURCES = ("ads", "mail", "search", "shop", "web")
PLANS = ("basic", "pro")


def leads(n: int, seed: int) -> FeatureTable:
    """Return *n* leads with skewed counts, ties, missing values and a level never seen in training."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(2, (2, n)).astype(float)
    others = [rng.exponential(40, n), rng.lognormal(0, 0.7, n), np.round(rng.exponential(30, n), 2)]
    for values in others:
        values[rng.random(n) < 0.15] = np.nan
    source = pa.array(np.array([*SOURCES, "unseen"])[rng.integers(0, 6, n)]).dictionary_encode()
    plan = pa.array(
        [None if code == 2 else PLANS[code] for code in rng.integers(0, 3, n)], pa.string()
    ).dictionary_encode()
    columns = dict(zip([f.name for f in FEATURES], [*counts, *others, source, plan], strict=True))
    keys = {
        "lead_id": [f"lead-{place:06d}" for place in range(n)],
        "as_of": pa.array([1_700_000_000_000_000] * n, pa.timestamp("us", tz="UTC")),
        "trigger_id": pa.nulls(n, pa.string()),
    }
    return FeatureTable(keys=pa.table(keys), columns=pa.table(columns), features=FEATURES)


def encoder() -> Encoder:
    """Return numbers as they are, the source ranked, the plan one-hot."""
    numbers = tuple(TreeColumn(f.name, "number") for f in FEATURES if f.kind == "number")
    ranked = TreeColumn("first_source", "ranked", SOURCES, (0.1, 0.2, 0.3, 0.4, 0.5), 0.25)
    return Encoder((*numbers, ranked, *(TreeColumn("plan", "one_hot", (plan,), (1.0,), 0.0) for plan in PLANS)))


def linear() -> LinearPart:
    """Return one made-up term per feature."""
    numbers = tuple(NumberTerm(f.name, 0.1 * (place + 1), -0.2, 0.0, 4.0, 0.05) for place, f in enumerate(FEATURES[:5]))
    source = CategoryTerm("first_source", SOURCES, (-0.2, -0.1, 0.0, 0.1, 0.2), -0.05, 0.0)
    return LinearPart(-1.0, (*numbers, source, CategoryTerm("plan", PLANS, (-0.3, 0.3), 0.0, 0.1)))


def boosted(matrix: np.ndarray, seed: int, *, categories: tuple[int, ...] = (), **parameters: object) -> lgb.Booster:
    """Return trees grown on labels with interactions; *categories* are split as LightGBM splits categories."""
    rng = np.random.default_rng(seed)
    z = np.nan_to_num(matrix)
    margin = 0.4 * z[:, 0] - 0.02 * z[:, 2] + 0.5 * (z[:, 3] > 1) * z[:, 1] + z[:, 5] * z[:, 6] - 1.5
    y = rng.random(len(z)) < 1 / (1 + np.exp(-margin))
    settings = {
        "objective": "binary",
        "num_leaves": 15,
        "num_threads": 1,
        "verbosity": -1,
        "seed": seed,
        **parameters,
    }
    matrix = (
        np.where(np.isin(np.arange(8), categories), np.nan_to_num(np.round(10 * matrix)), matrix)
        if categories
        else matrix
    )
    data = lgb.Dataset(matrix, y.astype(int), params={"verbosity": -1}, categorical_feature=list(categories))
    return lgb.train(settings, data, 30)


def assembled(booster: lgb.Booster | None, blend: Blend) -> LeadModel:
    """Return a model around *booster*, its reference set to its SHAP base."""
    model = LeadModel(
        features=FEATURES,
        encoder=encoder(),
        linear=linear(),
        boosters=(booster.model_to_string(),) if booster else (),
        blend=blend,
        interval=VennAbers((), (1.0,), (0.0,)),
        reference=0.0,
        newest_probabilities=tuple(np.linspace(0.05, 0.95, 1001)),
    )
    return model.with_reference(base_log_odds(model))


@pytest.fixture(scope="session")
def some_leads() -> Callable[[int, int], FeatureTable]:
    """Return the function that makes leads."""
    return leads


@pytest.fixture(scope="session")
def make_model() -> Callable[..., LeadModel]:
    """Return a function that makes a model: LightGBM parameters in, trees grown on 4,000 leads."""

    def make(*, w_trees: float = 0.7, seed: int = 0, **parameters: object) -> LeadModel:
        matrix = encoder().tree_matrix(leads(4000, seed))
        booster = boosted(matrix, seed, **parameters) if w_trees else None
        return assembled(booster, Blend(b=-0.1, w_linear=0.4, w_trees=w_trees))

    return make


@pytest.fixture(scope="session")
def lead_model(make_model: Callable[..., LeadModel]) -> LeadModel:
    """Return the small model with every kind of column."""
    return make_model()


def labelled_shop(leads: int = 400, *, as_ofs: int = 5, seed: int = 0, base: float = -2.0) -> FeatureTable:
    """Return a labelled shop: every lead at every as_of, thirty days apart, each label decided thirty days later."""
    rng = np.random.default_rng(seed)
    n = leads * as_ofs
    month = 30 * 86_400_000_000
    lead, at = np.repeat(np.arange(leads), as_ofs), np.tile(np.arange(as_ofs), leads)
    orders, days = rng.poisson(1.5, n).astype(float), rng.exponential(40, n)
    days[rng.random(n) < 0.2] = np.nan
    source = rng.integers(0, 7, n)
    plan = rng.integers(0, 3, n)
    margin = base + 0.5 * orders - 0.01 * np.nan_to_num(days) + 0.6 * (source == 2) + (plan == 1) * (orders > 2)
    converted = rng.random(n) < 1 / (1 + np.exp(-margin))
    names = ("orders_count_30d", "days_since_last_order", "first_source", "plan")
    features = tuple(feature for name in names for feature in FEATURES if feature.name == name)
    values = (
        orders,
        days,
        pa.array([f"source-{code}" for code in source]).dictionary_encode(),
        pa.array([("basic", "pro", None)[code] for code in plan], pa.string()).dictionary_encode(),
    )
    time = pa.timestamp("us", tz="UTC")
    keys = {
        "lead_id": [f"lead-{one:05d}" for one in lead],
        "as_of": pa.array(at * month).cast(time),
        "trigger_id": pa.nulls(n, pa.string()),
    }
    labels = {
        "converted": converted,
        "converted_at": pa.nulls(n, time),
        "decided_at": pa.array((at + 1) * month).cast(time),
        "is_ripe": np.ones(n, dtype=bool),
    }
    return FeatureTable(pa.table(keys), pa.table(dict(zip(names, values, strict=True))), features, pa.table(labels))


@pytest.fixture(scope="session")
def make_shop() -> Callable[..., FeatureTable]:
    """Return the function that makes a labelled shop."""
    return labelled_shop
