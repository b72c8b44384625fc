"""BG/NBD against its authors' numbers, and against a simulation of its own story."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.special import hyp2f1

from models.bgnbd import BgNbd, Purchases, fit_bgnbd, log_likelihood

PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
"""Table 2 of the paper: CDNOW, 39 weeks."""


def one(repeats: float, last: float, age: float) -> Purchases:
    """Return a single customer."""
    return Purchases(np.array([repeats]), np.array([last]), np.array([age]))


def test_the_expected_purchases_of_the_published_example_come_out() -> None:
    """Equation 10 of the paper for its example (2 repeats, last at 30.43 of 38.86 weeks): 1.226 in 39 weeks."""
    r, alpha, a, b = PUBLISHED.r, PUBLISHED.alpha, PUBLISHED.a, PUBLISHED.b
    x, age, weeks = 2, 38.86, 39
    grown = (alpha + age) / (alpha + age + weeks)
    if_active = 1 - grown ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    expected = (a + b + x - 1) / (a - 1) * if_active * PUBLISHED.probability_active(one(x, 30.43, age))[0]
    assert expected == pytest.approx(1.226, abs=5e-4)


def test_the_likelihood_is_the_integral_of_its_story() -> None:
    """Rates and chances of leaving drawn from their distributions give the likelihood of the closed formula."""
    rng = np.random.default_rng(5)
    model = BgNbd(r=1.3, alpha=6.0, a=1.1, b=2.5)
    rate = rng.gamma(model.r, 1 / model.alpha, 400_000)
    leaves = rng.beta(model.a, model.b, 400_000)
    for x, last, age in ((0, 0.0, 20.0), (1, 3.0, 20.0), (3, 12.0, 20.0)):
        stays = (1 - leaves) ** x * rate**x * np.exp(-rate * age)
        left = (x > 0) * leaves * (1 - leaves) ** max(x - 1, 0) * rate**x * np.exp(-rate * last)
        assert np.log((stays + left).mean()) == pytest.approx(log_likelihood(model, one(x, last, age))[0], abs=0.02)


def drawn(model: BgNbd, n: int, weeks: float, seed: int) -> tuple[Purchases, np.ndarray]:
    """Return *n* customers of *model* after *weeks*, and whether each buys in the ten weeks after."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    now, repeats, last, buys = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, bool)
    active = np.ones(n, bool)
    for _ in range(400):
        now = np.where(active, now + rng.exponential(1 / rate), np.inf)
        before = active & (now < weeks)
        repeats += before
        last = np.where(before, now, last)
        buys |= active & (now >= weeks) & (now < weeks + 10)
        active &= (now < weeks + 10) & (rng.random(n) >= leaves)
    return Purchases(repeats, last, np.full(n, weeks)), buys


def test_customers_drawn_from_a_model_give_it_back() -> None:
    """The fit finds the four numbers behind 40,000 customers, and its probabilities come true in every tenth."""
    truth = BgNbd(r=0.8, alpha=6.0, a=0.8, b=2.5)
    purchases, buys = drawn(truth, 40_000, 40.0, seed=1)
    found = fit_bgnbd(purchases)
    assert [found.r, found.alpha] == pytest.approx([truth.r, truth.alpha], rel=0.08)
    assert found.a / (found.a + found.b) == pytest.approx(truth.a / (truth.a + truth.b), rel=0.08)
    probability = found.probability_of_purchase(purchases, days=np.full(len(buys), 70.0))
    for rows in np.array_split(np.argsort(probability), 10):
        assert buys[rows].mean() == pytest.approx(probability[rows].mean(), abs=0.03)


def test_who_buys_lately_and_often_is_more_likely_to_buy_again() -> None:
    """The chance falls with the days since the last purchase and rises with the length of the horizon."""
    lately = [PUBLISHED.probability_of_purchase(one(4, last, 40.0), days=np.array([30.0]))[0] for last in (5, 20, 39)]
    longer = [PUBLISHED.probability_of_purchase(one(4, 20, 40.0), days=np.array([days]))[0] for days in (0.0, 30, 300)]
    assert lately == sorted(lately)
    assert longer == sorted(longer)
    assert longer[0] == 0
    assert PUBLISHED.probability_active(one(0, 0.0, 40.0))[0] == 1


def test_all_of_cdnow_gives_nearly_the_published_numbers(shared_data) -> None:
    """The paper fits a tenth of these customers; all of them lie within a tenth of its four numbers."""
    orders = pq.read_table(shared_data("cdnow.parquet")).to_pandas()
    day = (orders["ordered_on"] - orders["ordered_on"].min()).dt.days
    weeks = (
        orders.assign(day=day)[day < 39 * 7]
        .drop_duplicates(["customer_id", "day"])
        .groupby("customer_id")["day"]
        .agg(["size", "min", "max"])
    )
    first, last = weeks["min"].to_numpy(float), weeks["max"].to_numpy(float)
    count = weeks["size"].to_numpy(float)
    found = fit_bgnbd(Purchases.of(count, days_since_last=39 * 7 - 1 - last, days_since_first=39 * 7 - 1 - first))
    assert [found.r, found.alpha, found.a, found.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], rel=0.12)
