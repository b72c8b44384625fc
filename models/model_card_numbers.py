"""Figures as a card writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.metrics import Estimate
from models.model_card_page import shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def figure(value: Estimate, *, places: int = 3) -> str:
    """Return a figure with its interval: "0.851 (0.820–0.877)"."""
    return f"{value.value:.{places}f} ({value.low:.{places}f}–{value.high:.{places}f})"


def percent(value: float) -> str:
    """Return a share with as many decimals as its size bears: "13.2 %", "0.45 %"."""
    if 0 < abs(value) < 0.01:
        return f"{100 * value:.2f} %"
    return f"{100 * value:.1f} %"


def whole(value: float) -> str:
    """Return a share in whole per cent: "40 %"."""
    return f"{100 * value:.0f} %"


def share(value: Estimate) -> str:
    """Return a share with its interval: "24 % (18–32 %)"."""
    return f"{100 * value.value:.0f} % ({100 * value.low:.0f}–{100 * value.high:.0f} %)"


def difference(value: Estimate) -> str:
    """Return a difference of shares in points of per cent, signed, with its interval: "+2.7 (+0.8 to +4.5)"."""
    return f"{100 * value.value:+.1f} ({100 * value.low:+.1f} to {100 * value.high:+.1f})"


def words(name: str) -> str:
    """Return a column's name as words: "household_size" becomes "household size"."""
    return shown(name).replace("_", " ")


def listed(parts: Sequence[str]) -> str:
    """Return names as a sentence lists them: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
