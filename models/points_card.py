"""A points card: rules that give a lead whole points, as marketers know it. The printed points are the points used.

    points of a rule   sign · min(cap, |points| · weight), to the nearest whole point, halves away from zero
    weight             how often it was done, or once; each time may fade with its age; a value is met or not
    fit, engagement    the sum of their rules, kept within ± the group's cap
    total              base + fit + engagement
    score              total, kept within 0 and the card's top

Everything is a whole number, so whatever is shown adds up. What a card reads of a lead is computed by the same sweep
as the model's features (`models.points_card_columns`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from features.conditions import Conditions

Group: TypeAlias = Literal["fit", "engagement"]
GROUPS: Final[tuple[Group, ...]] = ("fit", "engagement")
"""What rules are about: who the lead is, and what it does."""
MOST_POINTS: Final = 10_000
"""More points than this no rule gives, cap or not: what is stored stays within 32 bits."""


@dataclass(frozen=True)
class Action:
    """Something a lead does: rows of a table.

    Attributes:
        table: The table.
        where: Which of its rows.
        within: Days looked back; 0 = ever. Where the data do not reach back so far, what there is counts.
        is_once: Whether only the latest time gives points; else each does.
        decay: ``linear``: a time's points shrink evenly to nothing over `within`; ``half_life``: they halve after
            every `half_life` days; ``none``.
        half_life: Days, for ``half_life``.
    """

    table: str
    where: Conditions = ()
    within: int = 0
    is_once: bool = False
    decay: Literal["none", "linear", "half_life"] = "none"
    half_life: int = 0


@dataclass(frozen=True)
class Value:
    """A value that a lead has.

    Attributes:
        of: Whether it is an ``attribute`` of the lead or a ``feature`` of the catalog.
        name: Which one.
        tests: What must hold of it; all tests name it as their column.
    """

    of: Literal["attribute", "feature"]
    name: str
    tests: Conditions


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: What a marketer calls it; differs from all others.
        group: Who the lead is, or what it does.
        points: Whole points, negative ones too, not 0.
        asks: What gives them.
        cap: Most points of the rule, in absolute value; None = no cap.
    """

    name: str
    group: Group
    points: int
    asks: Action | Value
    cap: int | None = None


@dataclass(frozen=True)
class Caps:
    """Most points; a group's cap holds for its sum in either direction.

    Attributes:
        fit: Of the group fit; None = no cap.
        engagement: Of the group engagement.
        total: The top of the scale, at most 100.
    """

    fit: int | None = None
    engagement: int | None = None
    total: int = 100


@dataclass(frozen=True)
class Cuts:
    """Least scores of the grades A, B and C (the rest is D), and of hot and warm (the rest is cold)."""

    a: int = 75
    b: int = 50
    c: int = 25
    hot: int = 70
    warm: int = 40


@dataclass(frozen=True)
class Odds:
    """What totals mean as probabilities: ``log-odds = logit(at_zero) + ln 2 · total / doubles_every``.

    Attributes:
        at_zero: Probability of a lead with 0 points in total, 0–1, both excluded.
        doubles_every: Points after which the odds are twice as high, > 0.
    """

    at_zero: float
    doubles_every: float


@dataclass(frozen=True)
class PointsCard:
    """The whole card.

    Attributes:
        rules: At least one.
        base: Points that every lead begins with.
        caps: Of the groups and the total.
        cuts: Of grades and temperatures.
        odds: What totals mean as probabilities; None = nobody knows yet.
    """

    rules: tuple[Rule, ...]
    base: int = 0
    caps: Caps = field(default_factory=Caps)
    cuts: Cuts = field(default_factory=Cuts)
    odds: Odds | None = None

    @property
    def label(self) -> str:
        """What scores of this card are marked with: ``points-`` and a hash of all that it says."""
        text = json.dumps(_shortest(asdict(self)), sort_keys=True, ensure_ascii=False)
        return f"{LABEL}{hashlib.sha256(text.encode()).hexdigest()[:12]}"


LABEL: Final = "points-"
"""How the label of every card begins."""


def _shortest(value: Any) -> Any:  # noqa: ANN401 - whatever a card holds
    """Return *value* with whole numbers as such: 56.0 in a learned card and 56 in its file are one."""
    if isinstance(value, dict):
        return {name: _shortest(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shortest(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
