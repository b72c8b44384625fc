"""Scores by a card: they add up exactly, depend on the lead alone, and are told in the rules' words."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from features.conditions import parse
from models.points import shown
from models.points_card import Action, Caps, Odds, PointsCard, Rule, Value
from models.points_card_columns import bind
from models.points_card_margins import card_margins, fit_line
from models.points_card_scoring import score_by_card
from models.reasons import read_reasons
from models.scoring import ScoringRun, with_ranks

RUN = ScoringRun("points-0", datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))
ORDERS = Value("feature", "orders_count_30d", parse({"orders_count_30d": {"min": 2}}))
CARD = PointsCard(
    rules=(
        Rule("two orders or more", "engagement", 30, ORDERS),
        Rule("ordered lately", "engagement", 25, Value("feature", "days_since_last_order",
                                                       parse({"days_since_last_order": {"below": 20}}))),
        Rule("no order known", "engagement", -15, Value("feature", "days_since_last_order",
                                                        parse({"days_since_last_order": {"missing": True}}))),
        Rule("pays", "fit", 40, Value("feature", "plan", parse({"plan": "pro"}))),
        Rule("from ads", "fit", -60, Value("feature", "first_source", parse({"first_source": ["source-1", "x"]}))),
    ),
    base=20,
    caps=Caps(fit=35, engagement=45),
)  # fmt: skip


@pytest.fixture(scope="module")
def leads(make_shop):
    """Return 2,000 labelled snapshots of 400 leads."""
    return make_shop()


@pytest.fixture(scope="module")
def bound(leads):
    """Return the card with what it reads of those."""
    return bind(CARD, available={}, attributes={}, catalog=leads.features)


@pytest.fixture(scope="module")
def scores(leads, bound):
    """Return their stored scores."""
    return with_ranks(score_by_card(bound, leads, run=RUN), by="points_total")


def test_whatever_is_stored_adds_up(scores):
    """Points of rules and limits, families and axes sum to the total; base, total and the scale make the score."""
    total = scores["points_total"].to_numpy()
    for column in ("points", "points_family"):
        parts = [part.fill_null(0).to_numpy(zero_copy_only=False) for part in scores[column].combine_chunks().flatten()]
        assert np.array_equal(np.sum(parts, axis=0), total)
    assert np.array_equal(scores["fit"].to_numpy() + scores["engagement"].to_numpy(), total)
    assert np.array_equal(scores["score"].to_numpy(), np.clip(20 + total // 100, 0, 100))


def test_the_lines_of_every_lead_sum_to_its_score(bound, scores):
    """Base, one line per rule that gave points, the limits of groups and of the scale: nothing is left over."""
    words = {feature.name: feature for feature in bound.words}
    for row in scores.select(["reasons", "points_total", "score"]).slice(0, 300).to_pylist():
        reasons = read_reasons(row["reasons"], words)
        told = shown([one.points_hundredths for one in reasons], total_hundredths=row["points_total"],
                     score=row["score"], start=20)  # fmt: skip
        assert told.everything_else == 0
        assert 20 + sum(told.lines) + told.limits == row["score"]


def test_a_lead_alone_and_leads_in_another_order_get_the_same_rows(bound, leads, scores):
    """Every stored field but the rank depends on the lead alone; ranks do not depend on the order of rows."""
    order = np.random.default_rng(2).permutation(len(leads))
    shuffled = with_ranks(score_by_card(bound, leads.take(order), run=RUN), by="points_total")
    assert shuffled.equals(scores.take(pa.array(order)).combine_chunks())
    for row in (0, 777, len(leads) - 1):
        alone = score_by_card(bound, leads.take(np.array([row])), run=RUN)
        assert alone.drop_columns("rank").equals(scores.slice(row, 1).drop_columns("rank"))


def test_a_card_without_odds_says_no_probability_and_ranks_by_points(scores):
    """Nobody knows what a point is worth yet: probability and log-odds are null, the ranking follows the total."""
    assert scores["probability"].null_count == scores["log_odds"].null_count == len(scores)
    ordered = scores.sort_by("rank")
    assert ordered["rank"].to_pylist() == list(range(1, len(scores) + 1))
    assert np.all(np.diff(ordered["points_total"].to_numpy()) <= 0)


def test_odds_of_a_card_are_what_they_say(leads, bound):
    """A total of 0 has the probability at zero, and `doubles_every` points more double the odds."""
    with_odds = replace(bound, card=replace(CARD, odds=Odds(at_zero=0.2, doubles_every=10.0)))
    scores = score_by_card(with_odds, leads, run=RUN)
    total = 20 + scores["points_total"].to_numpy() / 100
    odds = 0.25 * 2 ** (total / 10)
    np.testing.assert_allclose(scores["probability"].to_numpy(), odds / (1 + odds), rtol=1e-12)


def test_an_action_is_told_with_how_often_and_in_how_many_days(leads):
    """The marketer's own words, the lead's own number, the window; once is said as once."""
    opened = Rule("opened the price page", "engagement", 4, Action("events", within=7))
    card = PointsCard((opened,))
    found = bind(card, available={"events": {"lead_no", "occurred_at", "known_at", "superseded_at"}}, attributes={},
                 catalog=())  # fmt: skip
    few = replace(leads.take(np.arange(3)), beside=pa.table({"points/opened the price page/times": [3.0, 1.0, 0.0]}))
    rows = score_by_card(found, few, run=RUN)["reasons"].to_pylist()
    words = {feature.name: feature for feature in found.words}
    said = [[(one.text, one.points_hundredths) for one in read_reasons(row, words)] for row in rows]
    assert said == [
        [("opened the price page 3 times in the last 7 days", 1200)],
        [("opened the price page once in the last 7 days", 400)],
        [],
    ]


def test_margins_keep_the_cards_order_and_its_calibration_rows_base_rate(leads):
    """Calibrated on rows with labels, log-odds rise with the total, and expected conversions meet those seen."""
    rows = np.arange(len(leads))
    train, test = leads.take(rows[::2]), leads.take(rows[1::2])
    again = card_margins(CARD, train, train)
    converted = train.labels["converted"].to_numpy()
    assert (1 / (1 + np.exp(-again))).sum() == pytest.approx(converted.sum(), rel=1e-3)
    margins = card_margins(CARD, train, test)
    totals = score_by_card(bind(CARD, available={}, attributes={}, catalog=leads.features), test, run=RUN)[
        "points_total"
    ]
    assert np.array_equal(np.argsort(margins, kind="stable"), np.argsort(totals.to_numpy(), kind="stable"))
    shuffled = np.random.default_rng(0).permutation(len(train))
    assert np.array_equal(card_margins(CARD, train.take(shuffled), test), margins)


def test_a_line_through_labels_is_never_steeper_than_they_say_nor_falls():
    """Totals that part the labels fully give a finite slope; totals the wrong way round give none."""
    total, converted = np.array([0, 0, 10, 10]), np.array([False, False, True, True])
    a, b = fit_line(total, converted)
    assert 0 < b < 10
    assert fit_line(total, ~converted)[1] == 0
    assert fit_line(np.array([3, 3]), np.array([True, False])) == (0.0, 0.0)
    assert np.isfinite(a)
