"""The seven tasks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.quality import lead_tables, shops
from benchmarks.quality.task import Task

LEADS, QUICK_LEADS, QUICK_ROWS = 20_000, 600, 1_200
"""Size of the synthetic shop, in full and in the quick form; rows of any task in the quick form."""


def tasks(shared: Path, cache: Path, *, quick: bool) -> Mapping[str, Callable[[], Task]]:
    """Return how each task is made.

    Args:
        shared: Folder of the real data.
        cache: Where workspaces of whole shops go.
        quick: Small forms.
    """
    leads = QUICK_LEADS if quick else LEADS
    made: dict[str, Callable[[], Task]] = {
        "cdnow": lambda: shops.cdnow(shared, cache / "cdnow"),
        "online_shoppers": lambda: lead_tables.online_shoppers(shared, with_page_values=True),
        "online_shoppers_without_page_values": lambda: lead_tables.online_shoppers(shared, with_page_values=False),
        "complete_journey": lambda: shops.complete_journey(cache / "complete_journey"),
        "olist": lambda: lead_tables.olist(shared),
        "bank_in_time_order": lambda: lead_tables.bank_in_time_order(shared),
        "synthetic": lambda: shops.synthetic(cache / f"synthetic_{leads}", leads=leads),
    }
    return {name: _few(make) for name, make in made.items()} if quick else made


def _few(make: Callable[[], Task]) -> Callable[[], Task]:
    return lambda: make().few(QUICK_ROWS)
