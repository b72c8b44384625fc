"""Rules in order: the first that holds, or all of them, one lead at a time."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.conditions import parse
from models.decision_rules import Rule, columns_read, every_match, first_match, holds, listed, named

LEADS = pa.table(
    {
        "orders": [0.0, 1.0, 5.0, None],
        "grade": ["A", "B", "A", None],
        "has_phone": pa.array([True, False, None, None]),
    }
)
tests = st.sampled_from(
    [{"orders": {"min": 1}}, {"orders": {"max": 0}}, {"grade": "A"}, {"grade": ["A", "B"]}, {"has_phone": True},
     {"has_phone": {"not": False}}, {"orders": {"missing": True}}, {"orders": {"above": 1}, "grade": "A"}]
)  # fmt: skip
rules = st.lists(st.lists(tests, max_size=3), max_size=5).map(
    lambda lists: [
        Rule(f"rule{place}", "", tuple(parse(one) for one in alternatives)) for place, alternatives in enumerate(lists)
    ]
)


@given(rules)
def test_the_first_rule_that_holds_wins(some):
    """No rule before the one found holds, and the one found does; -1 only where none does."""
    found = first_match(some, LEADS)
    for row in range(len(LEADS)):
        met = [bool(holds(rule, LEADS)[row]) for rule in some]
        assert found[row] == (met.index(True) if any(met) else -1)


@given(rules, st.integers(0, 3))
def test_a_rule_says_of_a_lead_alone_what_it_says_among_others(some, row):
    """Which rules hold is a matter of the lead's own row."""
    assert np.array_equal(every_match(some, LEADS.slice(row, 1))[0], every_match(some, LEADS)[row])


def test_one_alternative_is_enough_and_each_needs_all_of_its_conditions():
    """Two orders and grade A, or no order at all: written as two alternatives."""
    rule = Rule("x", "", (parse({"orders": {"min": 2}, "grade": "A"}), parse({"orders": {"max": 0}})))
    assert holds(rule, LEADS).tolist() == [True, False, True, False]


def test_a_rule_without_conditions_holds_for_everyone():
    """That is how a list ends that leaves nobody out."""
    assert holds(Rule("wait", ""), LEADS).all()


def test_what_is_not_known_meets_only_not_and_missing():
    """A lead of whom it is not known whether it has a phone is not known to have none."""
    assert holds(Rule("x", "", (parse({"has_phone": True}),)), LEADS).tolist() == [True, False, False, False]
    assert holds(Rule("x", "", (parse({"has_phone": {"not": False}}),)), LEADS).tolist() == [True, False, True, True]


def test_names_are_given_by_place():
    """A place becomes its name, -1 nothing; a row of truths the names that are true."""
    assert named(np.array([1, -1, 0], dtype=np.int32), ["a", "b"]).to_pylist() == ["b", None, "a"]
    truths = np.array([[True, False, True], [False, False, False], [False, True, False]])
    assert listed(truths, ["a", "b", "c"]).to_pylist() == [["a", "c"], [], ["b"]]
    assert listed(np.zeros((2, 0), dtype=bool), []).to_pylist() == [[], []]


def test_the_names_that_rules_read_are_those_of_every_alternative():
    """What nobody asks for is not computed."""
    some = [Rule("x", "", (parse({"orders": {"min": 2}}), parse({"grade": "A"}))), Rule("y", "")]
    assert columns_read(some) == {"orders", "grade"}
