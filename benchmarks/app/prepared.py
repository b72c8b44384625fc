"""``python -m benchmarks.app.prepared FOLDER --leads N --nights M``: the workspace, made where it is not there.

With ``--next-night`` it prints the number of the night after the published one instead.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.app import NIGHTS
from benchmarks.app.leads import DAY_US, FIRST_NIGHT_US
from benchmarks.app.shop import prepare
from benchmarks.app.trained import leads_of, make_shop, settings_of
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace


def main() -> int:
    """Make the workspace."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app.prepared", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--nights", type=int, default=NIGHTS)
    parser.add_argument("--next-night", action="store_true")
    asked = parser.parse_args()
    if asked.next_night:
        published = ScoreStore(Workspace(settings_of(asked.folder).shop.workspace)).published()
        print((published.as_of - FIRST_NIGHT_US) // DAY_US + 1)
        return 0
    done, told = asked.folder / "prepared.txt", f"{asked.leads} leads, {asked.nights} nights"
    if not done.exists() or done.read_text(encoding="utf-8") != told:
        # One scored lead in twenty has a timeline, and these are the ones whose pages are opened.
        settings = make_shop(asked.folder, leads=max(asked.leads // 20, 500))
        store = ScoreStore(Workspace(settings.shop.workspace))
        leads = leads_of(settings, asked.leads)
        prepare(store, settings.shop.workspace / "scores", leads, nights=asked.nights)
        done.write_text(told, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
