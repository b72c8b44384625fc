"""How rows of a training table and their moments are told, by what the config says of the data alone."""

from __future__ import annotations

from features.local_time import local_iso
from features.moments import SECOND
from pipeline.settings import Settings


def rows_are(settings: Settings) -> str:
    """Return what rows are called: of a lead table ``leads``, else ``snapshots``, of which a lead has many."""
    return "snapshots" if settings.lead_table is None else "leads"


def told(settings: Settings, as_of: int) -> str:
    """Return a row's moment as ISO text of the shop's clock; as its number, or not at all, where there are no days.

    Args:
        settings: The shop's config.
        as_of: Microseconds (UTC).
    """
    table = settings.lead_table
    if table is None or table.date is not None:
        return local_iso(as_of, settings.shop.time_zone)
    return f"row {as_of // SECOND:,}" if table.order == "rows" else ""


def day(moment: str) -> str:
    """Return the day of a moment as `told` tells it; a row, or nothing, stays what it is."""
    return moment.partition("T")[0]
