"""``python -m benchmarks.crm [PLACE ...] [--quick]``: a million scored leads written to each place's stand-in.

Each place gets a shop of its own, whose scores are stored as a night stores them. `leadlight publish` runs as a night
runs it; the stand-in answers over HTTP from another process on the same cores. Told are the seconds of the whole
command (start, comparing, freezing, sending), the seconds that the configured rate of calls takes at least, and the
most memory that the command held. The second line of each place is the night after: only differences are sent.

By default the scores are those of a points card. ``--model`` trains a model on 50,000 leads with orders, sessions and
events, whose features the scores of all leads are made of and whose tables are asked anew whom to leave alone.

Ends with 0 when every place that has a rate wrote the first night within 15 % of it, every place stayed within 500 MB,
and every lead is accounted for as written, unchanged or held.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.crm.commands import STAND_INS, Published, publish, standing_in
from benchmarks.crm.places import PLACES, Place

_MOST_MB = 500
_MOST_OF_RATE = 1.15


def main() -> int:
    """Write to each place, print, and return 0 when the bounds hold (a quick run is too small to judge)."""
    asked = _asked()
    console, told = Console(width=None if sys.stdout.isatty() else 140), {}
    for name in asked.places or list(PLACES):
        Console(stderr=True).print(f"{name}: {asked.leads:,} leads")
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            told[name] = _measured(PLACES[name], Path(folder), leads=asked.leads, with_model=asked.model)
    console.print(_table(told))
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if asked.quick or all(one["is_within_bounds"] for one in told.values()) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crm", description=__doc__)
    parser.add_argument("places", nargs="*", help=f"which of {', '.join(PLACES)}; by default all", metavar="PLACE")
    parser.add_argument("--quick", action="store_true", help="1,000 leads")
    parser.add_argument("--model", action="store_true", help="scores of a trained model, in a shop with tables")
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where shops are made; by default the system's")
    asked = parser.parse_args()
    if unknown := set(asked.places) - set(PLACES):
        parser.error(f"there is no place {', '.join(sorted(unknown))}")
    if asked.quick:
        asked.leads = 1_000
    return asked


def _measured(place: Place, folder: Path, *, leads: int, with_model: bool) -> dict[str, Any]:
    """Return what two nights of one place took."""
    sys.path.insert(0, str(STAND_INS))
    from benchmarks.crm.modelled import ModelledShop
    from support.little_shop import LittleShop

    environment = {**_secrets(place), **place.environment}
    shop = (ModelledShop if with_model else LittleShop)(folder / "shop", leads=leads, crm={})
    keys = folder / "keys.txt"
    keys.write_text("\n".join(shop.leads.ids.to_pylist()), encoding="utf-8")
    with standing_in(place.fake, place.stand_in(keys)) as url:
        shop.configure({"place": place.config(url)})
        publish(shop.path, "--setup", environment=environment)
        nights = []
        for night in (0, 1):
            shop.score_all_free(night)
            nights.append(_told(place, publish(shop.path, environment=environment)))
    # Where little is written, the start and the comparison are most of the time: the first night is held to the rate.
    is_within = nights[0]["is_in_time"] and all(one["is_sound"] for one in nights)
    return {"nights": nights, "is_within_bounds": is_within}


def _secrets(place: Place) -> dict[str, str]:
    if place.kind == "marketo":
        from fakes.marketo import CLIENT_ID, CLIENT_SECRET

        return {"LEADLIGHT_MARKETO_CLIENT_ID": CLIENT_ID, "LEADLIGHT_MARKETO_CLIENT_SECRET": CLIENT_SECRET}
    if place.kind == "salesforce":
        from fakes.salesforce import CLIENT_ID, CLIENT_SECRET

        return {"LEADLIGHT_SALESFORCE_CLIENT_ID": CLIENT_ID, "LEADLIGHT_SALESFORCE_CLIENT_SECRET": CLIENT_SECRET}
    return {}


def _told(place: Place, done: Published) -> dict[str, Any]:
    """Return one night's figures."""
    report = (done.report or {}).get("targets", [])
    if not report:
        raise RuntimeError(f"nothing was published: {done.report}")
    tally = report[0]["tally"]
    at_least = -(-tally["written"] // place.rows_per_call) / place.calls_per_s if place.calls_per_s else 0.0
    accounted = tally["written"] + tally["unchanged"] + tally["held"] == tally["given"]
    return {
        "seconds": done.seconds,
        "at_least": at_least,
        "peak_mb": done.peak_mb,
        **tally,
        "is_in_time": not at_least or done.seconds <= at_least * _MOST_OF_RATE,
        "is_sound": accounted and done.peak_mb <= _MOST_MB,
    }


def _table(told: dict[str, Any]) -> Table:
    table = Table(title="leads written to each place, two nights", title_justify="left")
    for name in ("place", "night", "written", "unchanged", "held", "seconds", "rate's seconds", "of it", "peak MB"):
        table.add_column(name, justify="left" if name == "place" else "right")
    for name, found in told.items():
        for number, night in enumerate(found["nights"], 1):
            rate = night["at_least"]
            table.add_row(
                name,
                str(number),
                *(f"{night[part]:,}" for part in ("written", "unchanged", "held")),
                f"{night['seconds']:.0f}",
                f"{rate:.0f}" if rate else "–",
                f"{night['seconds'] / rate:.2f}" if rate else "–",
                f"{night['peak_mb']:.0f}",
            )
    return table


if __name__ == "__main__":
    sys.exit(main())
