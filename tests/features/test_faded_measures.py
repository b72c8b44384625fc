"""Rows that count less as they age, on frames that one can check by hand."""

import numpy as np
import pytest
import worlds
from worlds import DAY, START

from features.catalog import Measure, over_windows
from features.catalog_checks import faults
from features.sweeping import compute

AS_OF = START + 10 * DAY
ORDER = {"lead": 0, "until": None, "bits": 0, "amount": 1, "discount": None, "items": None, "category": None,
         "is_cancelled": False}  # fmt: skip


def shop(days_ago, *, data_from=START - 60 * DAY, known_days_later=0):
    """Return a world of one lead that ordered so many days before `AS_OF`."""
    rows = []
    for place, ago in enumerate(days_ago):
        occurred = AS_OF - round(ago * DAY)
        rows.append({**ORDER, "id": f"{place:02d}", "occurred": occurred, "known": occurred + known_days_later * DAY})
    return worlds.TimelineWorld({"orders": rows}, {"orders": (data_from, AS_OF)}, [START - 60 * DAY])


def measured(world, *, as_of=AS_OF, **measure):
    """Return one number of the one lead."""
    table = compute(
        world.timelines(), worlds.snapshots_of([(0, as_of)]), [worlds.number("n", Measure(table="orders", **measure))]
    )
    return table.columns["n"][0].as_py()


def test_linear_decay_is_what_is_left_of_the_window():
    """Nine orders 0.5, 1, … 8 days ago over 8 days: each counts 1 less an eighth a day, at the edge nothing."""
    ages = [0.5, 1, 2, 3, 4, 5, 6, 7, 8]
    assert measured(shop(ages), kind="decayed_linear", window=8) == sum(1 - age / 8 for age in ages)
    assert measured(shop([8]), kind="decayed_linear", window=8) == 0
    assert measured(shop([8.001]), kind="decayed_linear", window=8) == 0
    assert measured(shop([]), kind="decayed_linear", window=8) == 0


@pytest.mark.parametrize(("age", "counts"), [(7, 0.5), (14, 0.25), (21, 0.125), (70, 2**-10), (7 * 60, 0)])
def test_a_half_life_halves(age, counts):
    """After each half-life an order counts half; after sixty of them nothing."""
    assert measured(shop([age]), kind="decayed_half_life", half_life=7, is_partial=True) == counts


def test_a_half_life_stops_at_its_window():
    """Beside the half-life the window holds: what lies before it counts nothing, though a longer window reaches it."""
    halving = Measure("decayed_half_life", "orders", half_life=7)
    catalog = over_windows(worlds.number("n", halving), (14, 0))
    table = compute(shop([7, 14, 21]).timelines(), worlds.snapshots_of([(0, AS_OF)]), catalog)
    assert [table.columns[name][0].as_py() for name in ("n_14d", "n_ever")] == [0.75, 0.875]


def test_what_is_known_later_counts_by_its_own_age():
    """An order of seven days ago, told yesterday, counts half; before that it counted nothing."""
    late = shop([7], known_days_later=6)
    assert measured(late, kind="decayed_half_life", half_life=7) == 0.5
    assert measured(late, as_of=AS_OF - DAY, kind="decayed_half_life", half_life=7) == 0


def test_a_window_beyond_the_data_is_missing_or_holds_what_there_is():
    """Data of five days say nothing of the last eight; a partial window counts the orders that are there."""
    young = shop([1, 2], data_from=AS_OF - 5 * DAY)
    assert np.isnan(measured(young, kind="count", window=8))
    assert measured(young, kind="count", window=8, is_partial=True) == 2
    assert measured(young, kind="decayed_linear", window=8, is_partial=True) == 2 - 3 / 8


def test_the_same_rows_weigh_less_every_day():
    """Between two snapshots nothing happened but time: half-lives go on, though no row came or went."""
    world = shop([7])
    timelines = world.timelines()
    asked = worlds.snapshots_of([(0, AS_OF + days * DAY) for days in (0, 7, 14)])
    table = compute(timelines, asked, [worlds.number("n", Measure("decayed_half_life", "orders", half_life=7))])
    assert table.columns["n"].to_pylist() == [0.5, 0.25, 0.125]


def test_what_fades_says_how():
    """Linear decay needs a window, a half-life its days; both are told before anything is computed."""
    linear = over_windows(worlds.number("n", Measure("decayed_linear", "orders")), (0,))[0]
    assert faults(linear) == ["n_ever: decayed_linear needs a window: what counts for ever does not fade in it"]
    assert faults(worlds.number("n", Measure("decayed_half_life", "orders"))) == [
        "n: decayed_half_life needs `half_life`"
    ]
