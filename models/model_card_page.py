"""A page as plain data: sections of paragraphs, lists, tables and pictures, without a word about how it is drawn.

`models.model_card_html` and `models.model_card_markdown` draw it; all texts are plain and are made harmless there.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

TOO_SMALL: Final = "too small"

if TYPE_CHECKING:
    from models.plots_curves import Calibration, Gains


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """One sentence that nobody should miss, and whether it is good news."""

    text: str
    is_good: bool


@dataclass(frozen=True)
class Tile:
    """One figure to remember: what it is, its value, and what that means."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Tiles:
    """A few figures side by side."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row, the others are read downwards.

    Attributes:
        head: Names of the columns.
        rows: One tuple of cells each, as long as *head*.
        caption: What it shows; may be empty.
        marked: Places of rows that a reader should look at.
        strong: Places of rows that the table is about.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    marked: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()

    def numeric_columns(self) -> tuple[bool, ...]:
        """Return whether each column holds figures, to be set flush right; the first one names the row."""
        columns = list(zip(*self.rows, strict=True))
        return tuple(place > 0 and all(map(_is_figure, column)) for place, column in enumerate(columns))


@dataclass(frozen=True)
class Chart:
    """A picture with its title as a sentence, and the numbers for those who cannot see it.

    Attributes:
        title: What the picture says.
        curve: What is drawn.
        table: The same as numbers.
    """

    title: str
    curve: Gains | Calibration
    table: Table


Block: TypeAlias = Text | Bullets | Notice | Tiles | Table | Chart


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """One page: its title, the lines below it, and its sections."""

    title: str
    lines: tuple[str, ...]
    sections: tuple[Section, ...]


def _is_figure(cell: str) -> bool:
    return not cell or cell == TOO_SMALL or cell[0].isdigit() or (cell[0] in "+-" and cell[1:2].isdigit())


def shown(text: str) -> str:
    """Return *text* on one line, without control, formatting and direction-changing characters."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join("".join(kept).split())
