"""A learned card: whole points, few rules, one direction per feature, and not much worse than the truth allows."""

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Measure, Phrase
from features.conditions import mask, parse
from features.errors import LeadlightError
from features.families.everything import full_catalog
from models.languages import language
from models.metrics import evaluate
from models.points_bins import binned
from models.points_card import Value
from models.points_card_margins import card_margins, odds_margins
from models.points_card_totals import card_points
from models.points_learning import learn_card
from models.points_names import name_of
from models.training import moments_of, ripe_rows

LAST = Feature(
    "last", "purchase", "number", "days", "last", Phrase("last order {n} ago", missing="no order so far"), ""
)
COUNT = Feature("count", "purchase", "number", "count", "count",
                Phrase("{n} orders so far", "1 order so far", "no order so far"), "")  # fmt: skip
TREND = Feature("trend", "engagement", "number", "ratio", "trend", Phrase("visits {change} lately"), "")
ORDERS = next(feature for feature in full_catalog() if feature.name == "orders_count_ever")
PLAN = Feature("plan", "fit", "category", "category", "plan", Phrase("plan: {n}", missing="plan not known"), "")


@pytest.fixture(scope="module")
def shop(make_shop):
    """Return 5,000 ripe snapshots of 1,000 leads in canonical order, and their moments."""
    table, moments, _ = ripe_rows(make_shop(1000, seed=4))
    return table, moments


@pytest.fixture(scope="module")
def learned(shop):
    """Return the card that they teach."""
    return learn_card(*shop, most_rules=12)


def test_points_are_whole_and_totals_fill_the_scale(learned, shop):
    """Every total is on the scale by itself, its lowest possible is 0, and no rule gives nothing."""
    card = learned.card
    given = card_points(card, shop[0])
    assert np.array_equal(given.score, given.total)
    assert given.total.min() >= 0
    assert given.total.max() <= 100
    assert all(rule.points for rule in card.rules)
    assert 0 < len(card.rules) <= 12


@pytest.mark.parametrize("most", [1, 3, 25])
def test_there_are_no_more_rules_than_asked_for(shop, most):
    """The rules asked for are the most that a card has."""
    assert len(learn_card(*shop, most_rules=most).card.rules) <= most


def test_each_feature_has_one_direction(learned):
    """Along a number the points of its bins only rise, or only fall."""
    for name in {rule.asks.name for rule in learned.card.rules}:
        bins = []
        for rule in learned.card.rules:
            low = [test.operands[0] for test in rule.asks.tests if test.operator == "min"]
            high = [test.operands[0] for test in rule.asks.tests if test.operator == "below"]
            if rule.asks.name == name and (low or high):
                bins.append((low[0] if low else -np.inf, high[0] if high else np.inf, rule.points))
        if bins:
            edges = sorted({end for low, high, _ in bins for end in (low, high)} | {-np.inf, np.inf})
            along = [sum(points for low, high, points in bins if low <= start < high) for start in edges[:-1]]
            steps = np.diff(along)
            assert (steps >= 0).all() or (steps <= 0).all(), name


def test_no_lead_meets_two_rules_of_one_feature(learned, shop):
    """Bins part: of one feature a lead meets one rule at most."""
    table = shop[0]
    for name in {rule.asks.name for rule in learned.card.rules}:
        met = [mask(r.asks.tests, table.columns.select([name])) for r in learned.card.rules if r.asks.name == name]
        assert np.sum(met, axis=0).max() <= 1


def test_a_learned_card_ranks_nearly_as_well_as_its_truth(learned, shop):
    """The card is within 0.03 AUC of the probabilities that drew the labels."""
    table, moments = shop
    margins = odds_margins(learned.card.odds, card_points(learned.card, table).total)
    orders, days = (table.columns[name].to_numpy() for name in ("orders_count_30d", "days_since_last_order"))
    source, plan = (np.array(table.columns[name].to_pylist()) for name in ("first_source", "plan"))
    truth = (
        -2 + 0.5 * orders - 0.01 * np.nan_to_num(days) + 0.6 * (source == "source-2") + (plan == "pro") * (orders > 2)
    )
    found, best = (evaluate(m, moments.converted, moments.lead, resamples=2) for m in (margins, truth))
    assert found.roc_auc.value > best.roc_auc.value - 0.03
    assert found.ece.value < 0.03


def test_the_odds_that_are_printed_are_those_of_the_rounded_points(learned, shop):
    """The two numbers in the card give what fitting a line to its totals gives, to their four digits."""
    table, _ = shop
    printed = odds_margins(learned.card.odds, card_points(learned.card, table).total)
    np.testing.assert_allclose(printed, card_margins(learned.card, table, table), atol=2e-3)


def test_the_order_of_rows_changes_no_card(shop, make_shop, learned):
    """The same snapshots in another order teach the same card."""
    table = make_shop(1000, seed=4)
    shuffled, moments, _ = ripe_rows(table.take(np.random.default_rng(3).permutation(len(table))))
    assert learn_card(shuffled, moments, most_rules=12).card == learned.card


def test_nothing_is_learned_from_noise(shop):
    """Labels that no feature explains give no card, and the message says what to do."""
    table, moments = shop
    noise = np.random.default_rng(0).random(len(table)) < 0.1
    unrelated = type(moments)(moments.as_of, moments.decided_at, moments.lead, noise)
    with pytest.raises(LeadlightError, match="leadlight points init"):
        learn_card(table, unrelated)


def test_bins_are_cut_at_round_values_and_part_the_missing():
    """Days cut at two digits; a missing value is a bin of its own; every row is in the bin whose tests it meets."""
    rng = np.random.default_rng(1)
    x = rng.exponential(37.3, 4000)
    x[rng.random(4000) < 0.2] = np.nan
    converted = rng.random(4000) < np.where(np.isnan(x), 0.02, 0.4 * np.exp(-np.nan_to_num(x) / 30))
    found = binned(LAST, pa.chunked_array([x]), converted, most=(2, 4))
    assert [len(one.tests) for one in found] == [3, 5]
    for one in found:
        table = pa.table({"last": x})
        for place, tests in enumerate(one.tests):
            assert np.array_equal(mask(tests, table), one.code == place)
            assert all(
                float(f"{test.operands[0]:.2g}") == test.operands[0] for test in tests if test.operator != "missing"
            )
        assert (np.diff(one.log_odds[:-1]) < 0).all()


def test_a_known_direction_binds():
    """A feature that a shop knows to be good is never cut so that more of it is worse."""
    x = np.tile([0.0, 1.0, 2.0, 3.0], 500)
    converted = np.random.default_rng(5).random(2000) < np.where(x >= 2, 0.05, 0.4)
    free = binned(COUNT, pa.chunked_array([x]), converted, most=(3,))
    bound = binned(Feature(**{**vars(COUNT), "monotone": 1}), pa.chunked_array([x]), converted, most=(3,))
    assert free[0].log_odds[-1] < free[0].log_odds[0]
    assert not bound


def test_what_is_missing_by_date_alone_makes_no_rule():
    """A count is missing where its window reaches before the data: that is no doing of a lead."""
    x = np.where(np.arange(2000) % 4 == 0, np.nan, np.tile([0.0, 3.0], 1000))
    converted = np.random.default_rng(6).random(2000) < np.where(np.isnan(x), 0.5, 0.1)
    counted = Feature(**{**vars(COUNT), "measure": Measure("count", "orders", window=30)})
    assert not any("missing" in str(tests) for one in binned(counted, pa.chunked_array([x]), converted, most=(2,))
                   for tests in one.tests)  # fmt: skip


@pytest.mark.parametrize(
    ("feature", "asked", "said"),
    [
        (LAST, {"below": 10.0}, "last order under 10 days ago"),
        (LAST, {"min": 10.0, "below": 30.0}, "last order 10 to 30 days ago"),
        (LAST, {"min": 1.0, "below": 1.5}, "last order 1 day to 1.5 days ago"),
        (LAST, {"min": 30.0}, "last order 30 days or more ago"),
        (LAST, {"missing": True}, "no order so far"),
        (COUNT, {"below": 1.0}, "no order so far"),
        (COUNT, {"min": 1.0, "below": 2.0}, "1 order so far"),
        (COUNT, {"min": 2.0, "below": 5.0}, "2 to 4 orders so far"),
        (COUNT, {"below": 3.0}, "up to 2 orders so far"),
        (COUNT, {"min": 3.0}, "3 or more orders so far"),
        (TREND, {"below": 0.5}, "visits down 50% or more lately"),
        (PLAN, {"in": ["a", "<b>"]}, "plan: a, (b)"),
    ],
)
def test_a_rule_is_named_by_the_features_own_phrase(feature, asked, said):
    """Ranges, levels and missing values are said as the feature says its values."""
    assert name_of(feature, parse({feature.name: asked})) == said


@pytest.mark.parametrize(
    ("feature", "asked", "pl", "ro"),
    [
        (ORDERS, {"min": 2.0, "below": 5.0}, "2–4 zamówienia do tej pory", "2–4 comenzi până acum"),
        (ORDERS, {"min": 21.0}, "co najmniej 21 zamówień do tej pory", "cel puțin 21 de comenzi până acum"),
        (ORDERS, {"below": 3.0}, "najwyżej 2 zamówienia do tej pory", "cel mult 2 comenzi până acum"),
        (LAST, {"min": 10.0, "below": 30.0}, "ostatnie zamówienie 10–30 dni temu", "ultima comandă acum 10–30 de zile"),
    ],
)
def test_a_rule_is_named_in_the_shops_language(feature, asked, pl, ro):
    """The noun takes the plural of the number that stands last."""
    found = [name_of(feature, parse({feature.name: asked}), language=language(code)) for code in ("pl", "ro")]
    assert found == [pl, ro]


def test_a_rule_of_a_learned_card_names_its_feature(learned, shop):
    """Each rule asks one feature of the catalog, on the axis that this feature has."""
    axes = {feature.name: feature.axis for feature in shop[0].features}
    assert all(isinstance(rule.asks, Value) and rule.group == axes[rule.asks.name] for rule in learned.card.rules)
    assert {feature.name for feature in learned.features} == {rule.asks.name for rule in learned.card.rules}
    assert learned.conversions == moments_of(shop[0]).converting_leads(shop[1].converted)
