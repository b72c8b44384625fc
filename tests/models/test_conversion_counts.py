"""Expected and realised conversions: no lead is lost, none is counted twice."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.conversion_counts import Realised, in_order, realised_by


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.floats(0, 1), st.booleans()), min_size=1))
def test_groups_add_up_to_the_whole(leads):
    """No lead is lost or counted twice over the groups, whether or not it says where it belongs."""
    groups, p, came = (pa.chunked_array([list(column)]) for column in zip(*leads, strict=True))
    realised = realised_by(groups.cast(pa.string()), p, came)
    assert sum(one.leads for one in realised) == len(leads)
    assert sum(one.expected for one in realised) == pytest.approx(sum(p.to_pylist()))
    assert sum(one.converted for one in realised) == sum(came.to_pylist())


def test_a_lead_in_two_segments_counts_in_both():
    """Segments overlap; a lead in none is in no row."""
    segments = pa.chunked_array([pa.array([["a", "b"], [], ["b"]])])
    found = realised_by(segments, pa.chunked_array([[0.5, 0.25, 0.125]]), pa.chunked_array([[True, False, False]]))
    assert [(one.name, one.leads, one.expected, one.converted) for one in found] == [
        ("b", 2, 0.625, 1), ("a", 1, 0.5, 1),
    ]  # fmt: skip


def test_a_points_card_expects_nothing():
    """Without probabilities conversions are counted, and nothing is said of what was expected."""
    found = realised_by(
        pa.chunked_array([["A", "A"]]), pa.chunked_array([pa.nulls(2, pa.float64())]), pa.chunked_array([[True, False]])
    )
    assert found == [Realised("A", 2, 1, None, None, None)]
    assert found[0].is_as_expected is None


def test_grades_keep_their_order():
    """A report lists A before B, however many leads each has; what is unknown comes last."""
    groups = [Realised(name, 1, 0, None, None, None) for name in ("", "D", "A")]
    assert [one.name for one in in_order(groups, list("ABCD"))] == ["A", "D", ""]
