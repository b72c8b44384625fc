"""From an attribute's values to few named levels: the frequent texts, or bands of equally many numbers.

A report by segment is read by people: eight levels are compared, eighty are not. What is rarer than the eighth text is
pooled; numbers become quarters, or themselves where there are few.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.encoding import level_codes, level_counts, numbers

MOST_LEVELS: Final = 8
"""Texts shown by name; the rest is one level."""
BANDS: Final = 4
FEW_NUMBERS: Final = 6
"""So many different numbers or fewer are shown as they are."""
OTHERS: Final = "all others"
UNKNOWN: Final = "not known"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Levels:
    """The levels of one attribute.

    Attributes:
        names: What each is called, in the order to show them; `OTHERS` and `UNKNOWN` come last.
        of_row: The level of each row, shape ``(n_rows,)``.
    """

    names: tuple[str, ...]
    of_row: Ints


def levels(values: pa.ChunkedArray) -> Levels:
    """Return the levels of *values*: a dictionary of texts (null = missing), or numbers (NaN = missing).

    Who has which level does not depend on the order of the rows.
    """
    return _of_texts(values) if pa.types.is_dictionary(values.type) else _of_numbers(numbers(values))


def _of_texts(values: pa.ChunkedArray) -> Levels:
    texts, rows = level_counts(values)
    frequent_first = np.lexsort((np.arange(len(texts)), -rows))[:MOST_LEVELS]
    named = _in_reading_order([texts[place] for place in frequent_first])
    names = [text.strip() or "(empty)" for text in named]
    return _used([*names, OTHERS, UNKNOWN], level_codes(values, tuple(named)).astype(np.int64))


def _of_numbers(values: npt.NDArray[np.float64]) -> Levels:
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) <= FEW_NUMBERS:
        names = [_said(value) for value in distinct]
        place = np.searchsorted(distinct, values)
    else:
        # A band begins above an edge, so that equal numbers are never parted.
        edges = np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS, method="inverted_cdf"))
        edges = edges[edges < distinct[-1]]
        place = np.searchsorted(edges, values)
        starts = [distinct[0], *(distinct[np.searchsorted(distinct, edge, side="right")] for edge in edges)]
        names = [
            _said(start) if start == end else f"{_said(start)} to {_said(end)}"
            for start, end in zip(starts, [*edges, distinct[-1]], strict=True)
        ]
    return _used([*names, UNKNOWN], np.where(np.isnan(values), len(names), place))


def _used(names: list[str], of_row: Ints) -> Levels:
    """Return the levels that have rows, numbered anew."""
    used = np.unique(of_row)
    return Levels(tuple(names[place] for place in used), np.searchsorted(used, of_row).astype(np.int64))


def _in_reading_order(texts: list[str]) -> list[str]:
    """Return texts that all hold a number in the order of these ("19-24", "25-34"), others as they are."""
    first_numbers = [re.findall(r"\d+", text)[:1] for text in texts]
    if not all(first_numbers):
        return texts
    # "Under 15" comes before "15-24".
    keys = [(int(number), text[0].isdigit(), text) for (number,), text in zip(first_numbers, texts, strict=True)]
    return [text for *_, text in sorted(keys)]


def _said(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"
