"""``python -m benchmarks.app.nightly FOLDER --leads N --from NIGHT``: night after night, stored and published at once.

It does what `leadlight score` does after scoring: the run in order of rank, its list, its rows in the history with the
merges that fall due, the manifest, what has to go. It ends when its standard input is closed, after the night at hand,
and prints one line of JSON per night.
"""

from __future__ import annotations

import argparse
import json
import select
import shutil
import sys
import time
from pathlib import Path
from typing import get_args

from benchmarks.app import NIGHTS
from benchmarks.app.leads import night_of
from benchmarks.app.shop import add_night
from benchmarks.app.trained import leads_of, settings_of
from features.moments import from_us
from pipeline.priority import Priority, give_way
from pipeline.published.retention import Retention
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace


def main() -> int:
    """Publish nights until nobody listens."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app.nightly", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leads", type=int, required=True)
    parser.add_argument("--from", type=int, required=True, dest="first")
    parser.add_argument("--priority", choices=get_args(Priority), help="by default the config's, as of the command")
    asked = parser.parse_args()
    settings = settings_of(asked.folder)
    give_way(asked.priority or settings.score.priority)
    workspace, leads, night = Workspace(settings.shop.workspace), leads_of(settings, asked.leads), asked.first
    store, folders = ScoreStore(workspace), []
    while not select.select([sys.stdin], [], [], 0)[0]:
        drawn = time.monotonic()
        leads.people  # noqa: B018 - drawn once, and not part of any night
        began, processor = time.monotonic(), time.process_time()
        run = add_night(store, leads, night)
        stored = time.monotonic()
        with workspace.publishing():
            store.publish(run, Retention(at=from_us(night_of(night)), history_days=NIGHTS))
        told = {
            "night": night,
            "drawn_s": round(began - drawn, 2),
            "stored_s": round(stored - began, 2),
            "published_s": round(time.monotonic() - stored, 2),
            "cpu_s": round(time.process_time() - processor, 2),
            "pieces": len(store.manifest().pieces),
        }
        print(json.dumps(told), flush=True)
        folders.append(store.folder_of(run))
        if len(folders) > 3:
            # Retention would keep it for months; nobody reads what was replaced three nights ago.
            shutil.rmtree(folders.pop(0))
        night += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
