"""The card that `leadlight points init` writes for a table of leads: one rule to switch on per attribute.

What an attribute is worth only the shop knows, so no rule is switched on; each shows values that the table holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from models.wording import plain
from pipeline.yaml_lines import one_line

DIGITS: Final = 3
"""Digits of a number in an example: people write no more."""
_HEAD = """\
# A points card: who a lead is, in points. The printed points are the points used.
# `leadlight points check` tries it on your leads; `leadlight score` uses it while there is no trained model.

base: 0                              # what every lead begins with
caps: {fit: 100}                     # most points of all rules together, in either direction
grades: {a: 60, b: 40, c: 20}        # least scores; the rest is D
temperatures: {hot: 50, warm: 25}    # the rest is cold

# A rule has a name (reasons say it so), a group (fit: who the lead is), whole points (negative ones count against a
# lead), and tests an attribute with is, in, not, min, max, above, below, contains or missing.
# Take the # away from the rules that you want, with the values that your best customers have. Write "yes" and "no" in
# quotes. `leadlight points learn` makes a card from leads whose outcome is known.
rules:
"""


def draft_of_attributes(usual: Mapping[str, Sequence[str | float]]) -> str:
    """Return the text of a card to start from, for leads that have attributes alone.

    Args:
        usual: The attributes, each with the words that it has most often, or with the least, the middle and the highest
            of its numbers; or with nothing.
    """
    lines = [_line(name, values) for name, values in usual.items()] or [_line("country", ())]
    return _HEAD + "\n".join(lines) + "\n"


def _line(name: str, values: Sequence[str | float]) -> str:
    words = _words(name)
    if not values:
        return _rule(f"{words} as it should be", name, {"is": "VALUE"})
    first = values[0]
    if isinstance(first, str):
        most_often = ", ".join(plain(str(value)) for value in values)
        return f"{_rule(f'{words}: {_words(first)}', name, {'is': first})}   # most often: {most_often}"
    return _of_numbers(words, name, *(float(f"{float(value):.{DIGITS}g}") for value in values))


def _of_numbers(words: str, name: str, least: float, middle: float, most: float) -> str:
    """Return a rule for the upper half; where half have the least, for those above it."""
    spread = f"   # from {_said(least)} to {_said(most)}, the middle {_said(middle)}"
    if middle > least:
        return _rule(f"{words} of {_said(middle)} or more", name, {"min": _short(middle)}) + spread
    return _rule(f"{words} above {_said(least)}", name, {"above": _short(least)}) + spread


def _short(number: float) -> float | int:
    return int(number) if number.is_integer() else number


def _said(number: float) -> str:
    return f"{_short(number):,}"


def _rule(said: str, name: str, test: Mapping[str, object]) -> str:
    rule = {"name": said, "group": "fit", "points": 10, "attribute": name, **test}
    return f"  # - {one_line(rule)}"


def _words(text: str) -> str:
    """Return *text* as a rule's name may hold it; braces stand for numbers there."""
    return plain(text.replace("_", " ").replace("{", "(").replace("}", ")"))
