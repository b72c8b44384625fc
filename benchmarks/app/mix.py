"""What readers ask: half of the pages are first ones, 30 % filter, sort or search, 20 % lie deep; a third is leads.

A reader thinks for a second on average (exponential) between two asks. What is filtered, sorted and searched for is
drawn anew each time, so that few answers are ready.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("first page", "filter", "sort", "search", "deep page", "lead", "timeline")
LIST_KINDS = KINDS[:5]
_SHARE_OF_LEADS = 1 / 3
_SORTS = ("name", "-name", "-change", "change", "-rank")
_FILTERS = (
    {"grades": ("A",)}, {"grades": ("A", "B")}, {"grades": ("B",)}, {"grades": ("C",)}, {"stages": ("cart",)},
    {"stages": ("engaged", "lead")}, {"segments": ("best_customers",)}, {"segments": ("new_buyers",)},
    {"sources": ("google",)}, {"sources": ("ads", "mail")}, {"temperatures": ("hot",)}, {"held": True},
    {"held": False}, {"actions": ("call",)},
)  # fmt: skip
_NAMES = ("ana", "joao", "lucja", "stefan", "maria", "piotr", "ines", "rui", "george", "elena", "zoe", "pawel")


@dataclass(frozen=True)
class Wish:
    """One ask.

    Attributes:
        kind: One of `KINDS`.
        filters: Fields of `pipeline.published.asks.Ask`.
        text: What is searched for.
        sort: In which order.
        depth: How deep a deep page lies, as a share of the list.
    """

    kind: str
    filters: dict[str, tuple[str, ...] | bool]
    text: str = ""
    sort: str = "rank"
    depth: float = 0.0


class Reader:
    """Draws the asks of one reader.

    Args:
        seed: Of all draws.
        think_s: Mean seconds between two asks.
    """

    def __init__(self, seed: int, think_s: float) -> None:
        self._rng, self._think = np.random.default_rng(seed), think_s

    def thinks(self) -> float:
        """Return how long the reader thinks now, in seconds."""
        return float(self._rng.exponential(self._think))

    def wishes(self) -> Wish:
        """Return the next ask."""
        rng = self._rng
        if rng.random() < _SHARE_OF_LEADS:
            return Wish("lead", {})
        drawn = rng.random()
        if drawn < 0.5:
            return Wish("first page", {})
        if drawn < 0.7:
            return Wish("deep page", {}, depth=float(rng.random()))
        way = ("filter", "sort", "search")[rng.integers(0, 3)]
        owner = {"owners": (f"Owner {rng.integers(0, 12)}",)} if rng.random() < 0.5 else {}
        if way == "filter":
            return Wish(way, {**_FILTERS[rng.integers(0, len(_FILTERS))], **owner})
        if way == "sort":
            return Wish(way, {**owner}, sort=_SORTS[rng.integers(0, len(_SORTS))])
        return Wish(way, {}, text=f"{_NAMES[rng.integers(0, len(_NAMES))]} {_NAMES[rng.integers(0, 12)][0]}")

    def chosen(self, count: int) -> int:
        """Return which of *count* leads the reader opens."""
        return int(self._rng.integers(0, count))
