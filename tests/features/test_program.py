"""What a walk is told to do: signals, edges and totals numbered once, every output told where its numbers lie."""

import numpy as np
import pytest
import worlds
from worlds import DAY

from features import kernel_outputs as out
from features.bucket import BucketTable
from features.catalog import Measure
from features.conditions import parse
from features.kernel_inputs import MOST_SIGNALS, RecordLayout
from features.plan import plan
from features.program import Assembly, walks

SALES = parse({"is_cancelled": False})


def outputs_of(*measures):
    """Return the outputs that measures of orders ask for."""
    return plan([worlds.number(f"f{place}", measure) for place, measure in enumerate(measures)]).outputs["orders"]


def test_the_example_of_the_module_is_put_together_as_it_says():
    """Three features of orders: two signals, two edges, three totals, one list, seven numbers a snapshot."""
    asked = outputs_of(
        Measure("count", "orders", SALES, window=30),
        Measure("mean", "orders", SALES, "amount", 30),
        Measure("days_since_last", "orders", SALES),
    )
    table = BucketTable(worlds.table_of("orders", []), np.zeros(1, np.int64))
    assembly = Assembly(asked)
    program = assembly.program(table, lambda _: 5)
    assert list(assembly.signals) == [SALES, asked[1].where]
    assert program.edges.tolist() == [[30 * DAY, 5, -1], [0, 5, -1]]
    assert program.summed.tolist() == [[1, 0]]
    assert program.listed.tolist() == [[0]]
    assert (program.counted.size, program.firsts.size) == (0, 0)
    fields = (out.OPERATION, out.OUT, out.EDGE, out.COUNT, out.VALUE, out.COLUMN)
    assert program.ops[:, fields].tolist() == [
        [out.AMOUNT, 0, 0, 0, 0, 1],
        [out.MEAN, 1, 0, 1, 2, 10_000],
        [out.DAYS_SINCE, 2, 1, 3, 6, 1],
    ]


def test_every_recorded_number_has_a_place_of_its_own():
    """Totals and distinct counts by edge, first rows, last rows: no place twice, none left over."""
    layout = RecordLayout(n_edges=3, n_totals=4, n_counted=2, n_firsts=5, n_listed=2)
    places = [layout.total(edge, total) for edge in range(3) for total in range(4)]
    places += [layout.distinct(edge, counted) for edge in range(3) for counted in range(2)]
    places += [layout.first(first) for first in range(5)] + [layout.last(listed) for listed in range(2)]
    assert sorted(places) == list(range(layout.n_recorded))


@pytest.mark.parametrize(("signals", "expected"), [(1, 1), (MOST_SIGNALS, 1), (MOST_SIGNALS + 1, 2)])
def test_a_walk_holds_as_many_signals_as_a_row_has_bits(signals, expected):
    """One signal more begins another walk; outputs keep their order."""
    asked = outputs_of(*(Measure("count", "orders", parse({"amount": {"min": n}})) for n in range(signals)))
    found = walks(asked)
    assert len(found) == expected
    assert [output for walk in found for output in walk] == list(asked)
