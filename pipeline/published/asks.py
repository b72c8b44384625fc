"""What a reader may ask of the list: filters, a search, an order, and where to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from features.errors import LeadlightError, nearest, wrong_input

SORTS: Final = ("rank", "name", "company", "change", "fit", "engagement", "score", "previous_score")
"""What the list can be sorted by, least first; a minus before it = greatest first. What is not known comes last."""
MOST_ROWS: Final = 500
"""Rows of one page, at most."""
_LEAST_KEY, _MOST_KEY = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Cursor:
    """A place in the list, between two leads: it stays where it is when leads before it come or go.

    Attributes:
        sort: The order it belongs to.
        key: The sort key of the lead beside it; see `pipeline.published.sorts`.
    """

    sort: str
    key: int

    @property
    def text(self) -> str:
        """The same as text for a URL."""
        return f"{self.sort}~{self.key}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor that *text* spells.

        Raises:
            LeadlightError: None is spelt so.
        """
        sort, _, key = text.partition("~")
        digits = key.removeprefix("-")
        if sort.removeprefix("-") not in SORTS or not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
            raise no_such_place()
        if not _LEAST_KEY <= int(key) <= _MOST_KEY:
            raise no_such_place()
        return cls(sort, int(key))


@dataclass(frozen=True)
class Ask:
    """Which leads, in which order, and which page of them.

    Several values of one filter widen it; several filters narrow each other. An empty text among the values stands for
    leads of which it is not known.

    Attributes:
        grades, temperatures, stages, segments, sources, campaigns, owners, actions, channels, cells: Values to keep;
            empty = all.
        held: True = only leads that must be left alone, False = only free ones, None = both.
        overridden: Keys of the leads that people hold by now: it counts for `held` in place of what the run found then;
            None = what it found.
        held_codes: Why they must be left alone: any of these.
        reason_codes: Doubts about the score, or why there is none: any of these.
        text: What id, name or company contain; neither case nor accents count.
        sort: One of `SORTS`, with a minus before it for the greatest first.
        after: The page that begins behind this place.
        before: The page that ends before this place; at most one of the two.
        size: Rows of a page, 1 to `MOST_ROWS`.

    Raises:
        LeadlightError: The order is unknown, the cursor belongs to another one, or the size is out of bounds.
    """

    grades: tuple[str, ...] = ()
    temperatures: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    held: bool | None = None
    overridden: frozenset[int] | None = None
    held_codes: tuple[str, ...] = ()
    reason_codes: tuple[str, ...] = ()
    text: str = ""
    sort: str = "rank"
    after: Cursor | None = None
    before: Cursor | None = None
    size: int = 50

    def __post_init__(self) -> None:
        if self.sort.removeprefix("-") not in SORTS:
            raise _no_such_sort(self.sort)
        if self.after is not None and self.before is not None:
            raise wrong_input("A page lies behind a place or before one, not both.", hint="give `after` or `before`.")
        if any(place is not None and place.sort != self.sort for place in (self.after, self.before)):
            raise no_such_place()
        if not 1 <= self.size <= MOST_ROWS:
            raise wrong_input(f"A page has 1 to {MOST_ROWS} rows, not {self.size}.")


def no_such_place() -> LeadlightError:
    """Return the error for a cursor that was not made here, or for another order."""
    return wrong_input("This is no place in this list.", hint="go to the first page and on from there.")


def _no_such_sort(sort: str) -> LeadlightError:
    near = nearest(sort.removeprefix("-"), SORTS)
    fact = "The list cannot be sorted so" + (f"; did you mean '{near}'?" if near else ".")
    return wrong_input(fact, hint=f"it is sorted by one of {', '.join(SORTS)}, with a minus for the greatest first.")
