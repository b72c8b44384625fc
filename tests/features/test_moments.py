"""The one convention for time: what lies on which side of a boundary."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import features
from features import moments


@pytest.mark.parametrize(
    ("known", "superseded", "expected"),
    [(9, moments.NEVER, True), (10, moments.NEVER, False), (5, 9, False), (5, 10, True), (5, 11, True)],
)
def test_a_row_is_seen_after_it_is_known_and_until_what_replaces_it_is_seen(known, superseded, expected):
    """At as_of 10: known before 10, and its replacement not known before 10."""
    assert moments.is_visible(known, superseded, 10) is expected
    assert moments.is_decided(known, superseded, 10) is expected


def test_a_feature_window_holds_its_start_and_not_as_of():
    """[as_of - w, as_of)."""
    start = moments.window_start(100, 7)
    assert [moments.is_before_window(t, start) for t in (92, 93)] == [True, False]
    assert [moments.is_past(t, 100) for t in (99, 100)] == [True, False]
    assert not moments.is_before_window(-(2**62), moments.window_start(100, moments.EVER))


@pytest.mark.parametrize(("length", "expected"), [(10, True), (11, False), (moments.EVER, True)])
def test_a_window_is_covered_when_the_data_begin_no_later(length, expected):
    """Data from 90 on cover the window [90, 100) and no longer one."""
    assert moments.is_window_covered(100, length, 90) is expected


def test_ever_needs_one_moment_of_data():
    """Before and at the first covered moment nothing can be said, not even that there was nothing."""
    assert [moments.is_window_covered(t, moments.EVER, 90) for t in (89, 90, 91)] == [False, False, True]


def test_what_closes_closes_its_own_moment():
    """Only what happened after the latest closing is still open."""
    assert [moments.is_unclosed(t, 10) for t in (9, 10, 11)] == [False, False, True]


def test_an_open_label_window_has_begun_and_not_ended():
    """Open from as_of on, and no longer at its end."""
    now = [moments.is_open(np.asarray([10]), np.asarray([20]), now=t).item() for t in (9, 10, 19, 20)]
    assert now == [False, True, True, False]


def test_a_table_was_collected_at_both_ends_of_its_span():
    """[data_from, data_until]."""
    found = moments.is_collected(np.asarray([9, 10, 20, 21]), data_from=10, data_until=20)
    assert found.tolist() == [False, True, True, False]


def test_only_moments_compares_times():
    """No other module of the package compares a known, superseded or occurred time, or an end of a span, by itself."""
    clock = re.compile(r"\b(known|occurred|superseded|exists_from|as_ofs?|(data|ends|decided|closed)_(from|until|at))")
    folder = Path(inspect.getfile(features)).parent
    faults = [
        f"{file.name}: {ast.unparse(node)}"
        for file in sorted(folder.rglob("*.py"))
        if file.name != "moments.py"
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
        and any(clock.search(ast.unparse(side)) for side in (node.left, *node.comparators))
    ]
    assert faults == []
