"""What a rule of a points card asks for, in words."""

from __future__ import annotations

from features.catalog import window_words
from models.points_card import Action, Rule


def asked_words(rule: Rule) -> str:
    """Return what gives the rule's points: "each time in the last 30 days", "country PT, ES"."""
    asks = rule.asks
    if not isinstance(asks, Action):
        tests = [
            ("" if test.operator == "in" else f"{test.operator} ") + ", ".join(str(one) for one in test.operands)
            for test in asks.tests
        ]
        return f"{asks.name} {' and '.join(tests)}"
    each = "once" if asks.is_once else "each time"
    fades = {"none": "", "linear": ", fading", "half_life": f", half after {asks.half_life} days"}[asks.decay]
    return f"{each} {window_words(asks.within)}{fades}"
