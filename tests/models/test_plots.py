"""Curves say what they are defined to say, and pictures are drawn the same each time, without a screen."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import plots, plots_curves, plots_shap
from models.explain import contributions
from models.metrics import evaluate


def drawn(seed, n=600):
    """Return margins with ties, labels of both classes and leads with several rows each."""
    rng = np.random.default_rng(seed)
    log_odds = np.round(rng.normal(-1.0, 1.0, n), 1)
    converted = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    converted[:2] = [True, False]
    return log_odds, converted, rng.integers(0, n // 2, n).astype(np.uint64)


@pytest.fixture(scope="module")
def curves():
    """Return the curves of 600 rows."""
    return plots_curves.curves(*drawn(0))


@given(st.integers(0, 10_000))
def test_curves_agree_with_the_metrics(seed):
    """The area below the ROC and the average precision are those of the report, ties included."""
    log_odds, converted, lead = drawn(seed, n=80)
    curves = plots_curves.curves(log_odds, converted, lead, resamples=2)
    metrics = evaluate(log_odds, converted, lead, resamples=2)
    assert curves.roc.area == pytest.approx(metrics.roc_auc.value)
    assert curves.precision_recall.average_precision == pytest.approx(metrics.average_precision.value)
    assert curves.gains.found_at(0.10) == pytest.approx(metrics.lift[2].value * 0.10)


def test_a_hand_made_curve():
    """Four rows, two conversions, one tie: every point by mental arithmetic."""
    log_odds = np.array([2.0, 1.0, 1.0, 0.0])
    converted = np.array([True, True, False, False])
    curves = plots_curves.curves(log_odds, converted, np.arange(4, dtype=np.uint64), resamples=2)
    assert curves.roc.share_of_others.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert curves.roc.share_found.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert curves.roc.area == 0.875
    assert curves.precision_recall.share_found.tolist() == [0.5, 1.0, 1.0]
    assert curves.precision_recall.conversion_rate.tolist() == [1.0, 2 / 3, 0.5]
    # Of the two tied rows one half counts for each.
    assert [curves.gains.found_at(share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] == [0, 0.5, 0.75, 1, 1]
    assert curves.calibration.rows.tolist() == [1, 1, 1, 1]
    assert curves.calibration.observed.sum() == 2


def test_row_order_changes_no_curve():
    """Rows are a set, also where several rows of one lead share a margin and only some convert."""
    log_odds, converted, lead = drawn(3)
    log_odds, lead = np.round(log_odds), lead % np.uint64(20)
    order = np.random.default_rng(1).permutation(len(lead))
    one = plots_curves.curves(log_odds, converted, lead).as_plain()
    other = plots_curves.curves(log_odds[order], converted[order], lead[order]).as_plain()
    for name, curve in one.items():
        assert other[name].keys() == curve.keys()
        assert all(np.allclose(other[name][key], curve[key], rtol=1e-12) for key in curve)


def test_intervals_hold_their_curve(curves):
    """Gains and calibration lie within their own bands, and bands within 0 and 1."""
    for low, value, high in (
        (curves.gains.low, curves.gains.share_found, curves.gains.high),
        (curves.calibration.low, curves.calibration.observed, curves.calibration.high),
    ):
        assert np.all((low >= 0) & (low <= value) & (value <= high) & (high <= 1))
    assert (curves.gains.high - curves.gains.low)[50] > 0


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    """A million rows make no larger file than a thousand."""
    rng = np.random.default_rng(0)
    log_odds = rng.normal(size=50_000)
    converted = rng.random(50_000) < 0.3
    roc = plots_curves.curves(log_odds, converted, np.arange(50_000, dtype=np.uint64), resamples=2).roc
    assert len(roc.share_found) <= plots_curves.MOST_POINTS
    assert (roc.share_found[0], roc.share_found[-1]) == (0, 1)
    assert np.trapezoid(roc.share_found, roc.share_of_others) == pytest.approx(roc.area, abs=1e-3)


def test_pictures_are_the_same_each_time(curves, tmp_path):
    """Equal curves make equal files."""
    written = []
    for attempt in ("one", "two"):
        folder = tmp_path / attempt
        folder.mkdir()
        for name, figure in plots.figures(curves).items():
            plots.save(figure, folder / f"{name}.png")
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert set(written[0]) == {"calibration.png", "gains.png", "precision_recall.png", "roc.png"}
    assert written[0] == written[1]


def test_titles_say_what_the_picture_shows(curves):
    """A reader who sees only the title has learned the main thing."""
    found = round(100 * curves.gains.found_at(0.10))
    titles = {name: figure.axes[0].get_title(loc="left") for name, figure in plots.figures(curves).items()}
    assert titles["gains"] == f"The best 10% of leads hold {found}% of the conversions"
    assert titles["roc"] == f"A converting lead outranks another lead {curves.roc.area:.0%} of the time"
    assert titles["calibration"].startswith("Predicted ")
    assert all(titles.values())


def test_no_window_and_no_global_figure():
    """Drawing needs no screen and leaves pyplot out of it."""
    script = (
        "import sys, numpy as np; from models import plots, plots_curves\n"
        "y = np.arange(40) % 3 == 0\n"
        "plots.figures(plots_curves.curves(y + 0.0, y, np.arange(40, dtype=np.uint64), resamples=2))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "False"


@pytest.fixture(scope="module")
def summary(lead_model, some_leads):
    """Return what the small model's features do to 300 leads."""
    leads = some_leads(300, 2)
    return plots_shap.shap_summary(lead_model, leads, contributions(lead_model, leads))


def test_the_summary_ranks_features_by_mean_points(summary, lead_model):
    """The strongest comes first, in points of the score, with what its high values do."""
    rows = summary.rows()
    means = [row["mean_absolute_points"] for row in rows]
    assert means == sorted(means, reverse=True)
    assert {row["feature"] for row in rows} == set(lead_model.feature_names)
    directions = {row["feature"]: row["high_values"] for row in rows}
    assert directions["orders_count_30d"] == "raise"
    assert directions["days_since_last_order"] == "lower"
    assert directions["plan"] == "by level"


def test_categories_stand_in_the_order_of_their_points(summary, lead_model):
    """The level that raises scores most is drawn as the highest, a missing one as neither."""
    place = lead_model.feature_names.index("plan")
    heights, points = summary.heights[:, place], summary.points[:, place]
    assert set(heights[~np.isnan(heights)]) == {0.0, 1.0}
    assert points[heights == 1.0].mean() > points[heights == 0.0].mean()


def test_the_swarm_is_the_same_each_time_and_leaves_numpy_alone(summary, tmp_path):
    """`shap` draws from numpy's global generator: neither the picture nor anyone else notices."""
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    written = []
    for attempt in ("one", "two"):
        plots.save(plots_shap.beeswarm(summary), tmp_path / attempt)
        written.append((tmp_path / attempt).read_bytes())
    assert written[0] == written[1]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.filterwarnings("error")
def test_a_column_that_nobody_has_is_drawn_without_a_word(summary, tmp_path):
    """A feature missing in the whole sample disturbs neither the picture nor the terminal."""
    heights = summary.heights.copy()
    heights[:, 0] = np.nan
    plots.save(plots_shap.beeswarm(replace(summary, heights=heights)), tmp_path / "swarm.png")
    assert (tmp_path / "swarm.png").stat().st_size > 10_000


def test_a_sample_is_spread_over_all_rows():
    """First, last and evenly between; never more rows than there are."""
    assert plots_shap.shap_sample(3).tolist() == [0, 1, 2]
    many = plots_shap.shap_sample(100_000)
    assert len(many) == plots_shap.MOST_LEADS
    assert (many[0], many[-1]) == (0, 99_999)


@given(seed=st.integers(0, 2**32 - 1))
def test_equal_margins_are_reached_together(seed):
    """Where rows share a margin, no order of the rows changes what a share of them reaches."""
    rng = np.random.default_rng(seed)
    margins, converted = rng.integers(0, 3, 40).astype(float), rng.random(40) < 0.4
    converted[0] = True
    order = rng.permutation(40)
    shares = np.linspace(0, 1, 21)
    found = plots_curves.share_found(margins, converted, shares)
    np.testing.assert_array_equal(found, plots_curves.share_found(margins[order], converted[order], shares))
    best = margins == margins.max()
    at_best = plots_curves.share_found(margins, converted, np.array([0.0, best.mean(), 1.0]))
    np.testing.assert_allclose(at_best, [0.0, converted[best].sum() / converted.sum(), 1.0])
