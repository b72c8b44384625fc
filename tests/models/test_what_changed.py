"""The steps of a change sum exactly, and so do the whole points that a person is shown."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable
from features.two_moments import TwoMoments
from models.concepts_moved import Told, concepts_moved
from models.what_changed import STEPS, WHY_NOT, WORDS, End, Stored, shown_steps, split

hundredths = st.integers(-6_000, 6_000)
totals = st.lists(st.integers(-20_000, 20_000), min_size=5, max_size=5)


def end_of(total, *, start=50, top=100):
    """Return a stored score: its points rounded and clipped to the scale."""
    return End(int(np.clip(np.rint(start + total / 100), 0, top)), total, start, top)


class Says:
    """A scorer that reads totals."""

    def hundredths(self, table):
        return table.columns["total"].to_numpy()

    def hashes(self, table):
        return pa.array([str(total) for total in self.hundredths(table).tolist()], pa.string())


def table_of(totals):
    """Return a table of which a scorer makes *totals*."""
    column = pa.table({"total": pa.array(totals, pa.int64())})
    return FeatureTable(column, column, ())


@given(st.lists(totals, min_size=1, max_size=6))
def test_the_steps_sum_to_the_difference_of_the_stored_points(rows):
    """Whatever lies between two stored totals, the four steps sum to their difference, row by row."""
    old, aged, acted, informed, new = np.asarray(rows).T
    says = Says()
    tables = [table_of(one) for one in (old, aged, acted, informed, new)]
    stored = [Stored(totals, pa.chunked_array([says.hashes(table_of(totals))])) for totals in (old, new)]
    read = TwoMoments(*tables)
    found = split(read, *stored, by=says, newer=says)
    assert (found.steps.sum(axis=1) == new - old).all()
    assert found.steps.tolist() == np.diff(np.asarray(rows), axis=1).tolist()
    assert found.read_then.all()
    assert found.read_now.all()


def test_without_a_history_only_facts_and_model_move():
    """A table of leads says nothing of time and activity, so these steps are nothing."""
    says, stored = Says(), Stored(np.asarray([100]), pa.chunked_array([["x"]]))
    read = TwoMoments(then=None, aged=None, acted=None, informed=table_of([250]), now=table_of([300]))
    found = split(read, stored, Stored(np.asarray([300]), pa.chunked_array([["300"]])), by=says, newer=says)
    assert found.steps.tolist() == [[0, 0, 150, 50]]
    assert found.read_then.all()


def test_what_reads_otherwise_today_is_noticed_at_either_end():
    """A fingerprint that is not the stored one, or is not stored, tells that the rows are others."""
    says = Says()
    read = TwoMoments(*[table_of([1, 2, 3])] * 5)
    hashes = ["1", "2", "3"]
    one = Stored(np.asarray([1, 2, 3]), pa.chunked_array([[hashes[0], "other", None]]))
    same = Stored(np.asarray([1, 2, 3]), pa.chunked_array([hashes]))
    assert split(read, one, same, by=says, newer=says).read_then.tolist() == [True, False, False]
    assert split(read, same, one, by=says, newer=says).read_now.tolist() == [True, False, False]


@given(totals, st.sampled_from([(50, 100), (0, 100), (5, 80)]), st.sampled_from([(50, 100), (10, 60)]))
def test_the_points_shown_add_up_to_the_scores_shown(path, old_scale, new_scale):
    """Old score, four whole steps and the limits of the scale give the new score, whatever the scales."""
    old = end_of(path[0], start=old_scale[0], top=old_scale[1])
    new = end_of(path[-1], start=new_scale[0], top=new_scale[1])
    steps = np.diff(path).tolist()
    shown = shown_steps(steps, old, new)
    assert shown.old + sum(shown.lines) + shown.limits == shown.new
    alone = shown_steps([path[-1] - path[0]], old, new)
    assert (alone.old + sum(alone.lines) + alone.limits, alone.limits) == (new.score, shown.limits)


@given(totals)
def test_a_step_is_shown_rounded_and_nothing_as_nothing(path):
    """Each line is its step rounded (two halves may push one line a point further), and nothing stays nothing."""
    steps = np.diff(path).tolist()
    shown = shown_steps(steps, end_of(path[0]), end_of(path[-1]))
    off = [abs(line - step / 100) for line, step in zip(shown.lines, steps, strict=True)]
    assert sum(one >= 1 for one in off) <= 1
    assert max(off) < 2.01
    assert all(line == 0 for line, step in zip(shown.lines, steps, strict=True) if step == 0) or not any(steps)


@pytest.mark.parametrize(
    ("path", "lines", "limits"),
    [
        ((0, 0, 0, 0, 0), (0, 0, 0, 0), 0),
        ((0, 120, 120, 120, 120), (1, 0, 0, 0), 0),
        ((49, 51, 149, 149, 149), (0, 1, 0, 0), 0),
        ((6_000, 6_000, 4_000, 4_000, 4_000), (0, -20, 0, 0), 10),
        ((4_000, 4_000, 4_000, 4_000, 7_000), (0, 0, 0, 30), -20),
        ((-4_950, -5_500, -5_500, -5_500, -5_500), (-5, 0, 0, 0), 5),
        ((50, 150, 150, 150, 150), (2, 0, 0, 0), 0),
    ],
)
def test_changes_that_can_be_checked_in_the_head(path, lines, limits):
    """Whole points go where the largest part of a point was; what leaves the scale is a line of its own."""
    shown = shown_steps(np.diff(path).tolist(), end_of(path[0]), end_of(path[-1]))
    assert (shown.lines, shown.limits) == (lines, limits)


def test_another_start_of_the_scale_is_the_model_s_doing():
    """From a card that begins at 0 to a model that begins at 50, the 50 points are the last step's."""
    shown = shown_steps([0, 500, 0, -400], end_of(1000, start=0), end_of(1100, start=50))
    assert (shown.old, shown.lines, shown.limits, shown.new) == (10, (0, 5, 0, 46), 0, 61)


def test_every_step_and_every_reason_has_words():
    """No code reaches a person."""
    assert tuple(WORDS) == STEPS
    assert all(text.endswith(".") for text in WHY_NOT.values())


def feature(name, concept, phrase):
    """Return a feature that counts something."""
    return Feature(name, "purchase", "number", "count", concept, Phrase(phrase), "")


def test_concepts_that_moved_are_told_by_the_feature_that_moved_most_their_way():
    """Points of one concept are summed over its features; small moves are left out, and so is what stayed."""
    features = {one.name: one for one in (feature("orders_30d", "orders", "{n} orders in the last 30 days"),
                                          feature("orders_90d", "orders", "{n} orders in the last 90 days"),
                                          feature("visits", "visits", "{n} visits"),
                                          feature("pages", "pages", "{n} pages"))}  # fmt: skip
    values = [SimpleNamespace(columns=pa.table({"orders_30d": [float(n)], "orders_90d": [float(n + 1)],
                                                "visits": [1.0], "pages": [2.0]})) for n in (1, 3)]  # fmt: skip
    old = Told({"orders_30d": 100, "orders_90d": 50, "visits": 300, "pages": 10}, values[0])
    new = Told({"orders_30d": 500, "orders_90d": -50, "visits": 210, "pages": 50}, values[1])
    moved = concepts_moved(old, new, features)
    assert [(one.concept, one.feature, one.hundredths) for one in moved] == [
        ("orders", "orders_30d", 300), ("visits", "visits", -90)
    ]  # fmt: skip
    assert (moved[0].then, moved[0].now) == ("1 orders in the last 30 days", "3 orders in the last 30 days")
    assert concepts_moved(Told({"visits": 0}, None), new, features)[0].then == ""
