"""Bars of text for the terminal."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float, *, width: int, mark: float | None = None) -> str:
    """Return a bar of *width* characters, *share* of them filled, exact to an eighth.

    Args:
        share: 0–1.
        width: Characters of the whole bar.
        mark: Where to draw a line, 0–1; None for none.

    Example:
        ``bar(0.5, width=4)`` is ``"██  "``.
    """
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)
    if mark is None:
        return drawn
    place = min(int(mark * width), width - 1)
    return drawn[:place] + "│" + drawn[place + 1 :]
