"""What is decided about each lead, on leads that one can check by hand."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.conditions import parse
from features.situation import column_of
from models.decision_columns import DECISION_COLUMNS, with_decision_columns
from models.decision_facts import decision_table, facts_read, quintiles
from models.decision_rules import Play, Rule
from models.decisions import Decisions, as_data, decide
from models.holds import CODES, HoldRules, held, is_held

HOLDS = HoldRules(no_consent=frozenset({"no"}))
RULES = Decisions(
    stages=(Rule("customer", "Customer", (parse({"orders": {"min": 1}}),)), Rule("visitor", {"en": "Visitor"})),
    plays=(
        Play("thank", "Thank", (parse({"stage": "customer", "grade": "A"}),), "call", "phone", "Say thanks."),
        Play("wait", "Wait", (), "wait", "none", "Wait."),
    ),
    segments=(
        Rule("poles", "Poles", (parse({"lead.country": "PL"}),)),
        Rule("top", "Top", (parse({"rank": {"max": 1}}),)),
    ),
    holds=HOLDS,
)
SCORES = with_decision_columns(
    pa.table(
        {
            "lead_id": ["a", "b", "c"],
            "rank": pa.array([2, 1, None], pa.int64()),
            "grade": ["A", "A", None],
            "fit": pa.array([250, -100, None], pa.int64()),
        }
    )
)
FACTS = pa.table(
    {
        column_of("orders"): [1.0, 0.0, 3.0],
        column_of("lead.country"): pa.array(["PL", "DE", None]).dictionary_encode(),
        column_of("is_unsubscribed"): [0.0, 2.0, np.nan],
        "consent": ["yes", " No ", None],
        "is_overridden": [False, True, False],
    }
)


def test_stage_then_play_then_segments_then_holds():
    """A is a customer with grade A and from Poland; B is held by three codes and keeps its play; C has no score."""
    rows = decide(RULES, SCORES, FACTS).select(list(DECISION_COLUMNS)).to_pylist()
    assert rows == [
        {"stage": "customer", "play": "thank", "action": "call", "channel": "phone", "segments": ["poles"], "held": []},
        {"stage": "visitor", "play": "wait", "action": "wait", "channel": "none", "segments": ["top"],
         "held": ["no_consent", "unsubscribed", "override"]},
        {"stage": "customer", "play": "wait", "action": "wait", "channel": "none", "segments": [], "held": []},
    ]  # fmt: skip


def test_nothing_else_of_a_score_is_changed():
    """No row is dropped, moved or rescored by what is decided."""
    decided = decide(RULES, SCORES, FACTS)
    assert decided.drop_columns(list(DECISION_COLUMNS)).equals(SCORES.drop_columns(list(DECISION_COLUMNS)))
    assert decided.schema.equals(SCORES.schema)


def test_without_any_rule_nothing_is_decided_and_nobody_dropped():
    """Stage and play are null, segments and holds empty."""
    rows = decide(Decisions(), SCORES, FACTS)
    assert rows["stage"].null_count == rows["play"].null_count == 3
    assert rows["segments"].to_pylist() == [[], [], []]


@given(st.lists(st.tuples(st.sampled_from(["yes", "no", "NO", "", None]), st.booleans(), st.booleans()), min_size=1),
       st.booleans(), st.sets(st.sampled_from(CODES)))  # fmt: skip
def test_each_code_holds_whom_it_should_and_nobody_else(leads, needs_consent, applied):
    """A lead is held exactly by the codes whose reason it has and that the shop wants."""
    facts = pa.table(
        {
            "consent": pa.array([consent for consent, _, _ in leads], pa.string()),
            column_of("has_open_deal"): [float(deal) for _, deal, _ in leads],
            "is_overridden": [marked for _, _, marked in leads],
        }
    )
    rules = HoldRules(frozenset({"no"}), needs_consent=needs_consent, apply=frozenset(applied))
    found = held(rules, facts).to_pylist()
    for codes, (consent, deal, marked) in zip(found, leads, strict=True):
        says_no = (consent or "").lower() == "no" or (needs_consent and not consent)
        expected = {"no_consent": says_no, "open_deal": deal, "override": marked}
        assert codes == [code for code in CODES if expected.get(code) and code in applied]
    assert is_held(held(rules, facts)).tolist() == [bool(codes) for codes in found]


def test_a_shop_that_keeps_no_consent_holds_nobody_for_it_unless_it_needs_one():
    """Without the column everyone's consent is unknown."""
    facts = pa.table({"is_overridden": [False, False]})
    assert held(HOLDS, facts).to_pylist() == [[], []]
    assert held(HoldRules(needs_consent=True), facts).to_pylist() == [["no_consent"]] * 2


def test_runs_of_before_hold_nobody():
    """Null is no code."""
    assert is_held(pa.array([None, [], ["override"]])).tolist() == [False, False, True]


def test_who_is_held_in_a_crm_is_held_by_a_code_of_its_own():
    """The hold can be lifted there and not in the app, so people must be able to tell."""
    facts = pa.table({"is_held_in_crm": [True, False, True], "is_overridden": [False, True, True]})
    assert held(HoldRules(), facts).to_pylist() == [["held_in_crm"], ["override"], ["override", "held_in_crm"]]


def test_points_are_asked_in_points():
    """Stored 250 hundredths are 2.5 points to a rule."""
    assert decision_table(SCORES, FACTS, {"fit"})["fit"].to_pylist() == [2.5, -1.0, None]


def test_a_fact_that_cannot_be_told_is_missing():
    """A shop without sessions has no visits to ask for; an attribute that was left out is nobody's."""
    table = decision_table(SCORES, FACTS, {"visits_30d", "has_phone", "lead.plan"})
    assert all(table[name].null_count == 3 for name in ("visits_30d", "has_phone", "lead.plan"))


def test_ten_customers_fall_into_five_quintiles_of_two():
    """Spending of 1 to 10 is quintile 1, 1, 2, 2, … 5, 5; who has not bought has none."""
    spent = np.array([*range(1, 11), 99.0])
    orders = pa.chunked_array([pa.array([1.0] * 10 + [0.0])])
    ids = pa.chunked_array([pa.array([f"lead {n}" for n in range(11)])])
    assert quintiles(orders, spent, ids).to_pylist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, None]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(1, 3))
def test_quintiles_rise_with_the_value_and_count_each_lead_once(values, times):
    """More is never placed lower, equals are placed alike, and a lead with several rows weighs no more than one."""
    spent = np.array(values, dtype=np.float64)
    ids = [f"lead {n}" for n in range(len(values))]
    once = quintiles(pa.chunked_array([np.ones(len(values))]), spent, pa.chunked_array([pa.array(ids)])).to_pylist()
    assert [place for _, place in sorted(zip(values, once, strict=True))] == sorted(once)
    assert max(once) == 5
    repeats = [times if n == 0 else 1 for n in range(len(values))]
    again = quintiles(
        pa.chunked_array([np.ones(sum(repeats))]),
        np.repeat(spent, repeats),
        pa.chunked_array([np.repeat(ids, repeats)]),
    ).to_pylist()
    assert again == [place for place, count in zip(once, repeats, strict=True) for _ in range(count)]


@pytest.mark.parametrize(
    ("named", "facts"),
    [({"grade"}, set()), ({"visits_30d", "rank"}, {"visits_30d"}),
     ({"recency_quintile"}, {"orders", "days_since_last_order"})],
)  # fmt: skip
def test_only_the_facts_that_rules_need_are_asked_for(named, facts):
    """A quintile needs what it is of, and who is a customer."""
    assert facts_read(named) == facts


def test_the_words_of_a_run_are_kept_as_they_were():
    """Stages come as the funnel runs; wording in a shop's own languages stays a mapping."""
    words = as_data(RULES)
    assert words["stages"] == {"visitor": {"label": {"en": "Visitor"}}, "customer": {"label": "Customer"}}
    assert list(words["stages"]) == ["visitor", "customer"]
    assert words["plays"]["thank"] == {
        "label": "Thank", "action": "call", "channel": "phone", "wording": "Say thanks."
    }  # fmt: skip
    assert words["segments"] == {"poles": {"label": "Poles"}, "top": {"label": "Top"}}
