"""Rows of the list as HTML, kept: most readers see the first pages, and a row changes only with its marks."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from pipeline.labels import Labels
from pipeline.languages import Language
from pipeline.published.editions import Edition
from pipeline.web.speech import templates

if TYPE_CHECKING:
    from pipeline.web.listing import Shown, Standing

MOST_KEPT: Final = 10_000
"""Rows in memory, of about 1.5 kB each."""


class DrawnRows:
    """The rows that were drawn of late; one serves all threads, and knows nothing of who asks."""

    def __init__(self) -> None:
        self._kept = lru_cache(MOST_KEPT)(_Row.draw)

    def of(self, edition: Edition, said: Language, label: Labels) -> Callable[[Shown], Markup]:
        """Return how rows of these scores are drawn in one language.

        Args:
            edition: The scores.
            said: The language.
            label: What their codes are called in it.
        """
        return lambda lead: self._kept(_Row(edition.id, said, lead.row.position, lead.standing, lead, label))


class _Row:
    """One row, equal to another that looks the same."""

    def __init__(
        self, edition: str, said: Language, position: int, standing: Standing, lead: Shown, label: Labels
    ) -> None:
        self._looks = (edition, said, position, standing)
        self._said, self._lead, self._label = said, lead, label

    def __hash__(self) -> int:
        return hash(self._looks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Row) and self._looks == other._looks

    def draw(self) -> Markup:
        """Return the row as HTML."""
        drawn: Markup = templates(self._said).get_template("lead_row.html").module.lead_row(self._lead, self._label)  # type: ignore[attr-defined]
        return drawn
