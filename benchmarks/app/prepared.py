"""``python -m benchmarks.app.prepared FOLDER --leads N --nights M``: the workspace, made where it is not there.

With ``--next-night`` it prints the number of the night after the published one instead.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.app.leads import DAY_US, FIRST_NIGHT_US, Leads
from benchmarks.app.shop import prepare
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace


def main() -> int:
    """Make the workspace."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app.prepared", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--next-night", action="store_true")
    asked = parser.parse_args()
    if asked.next_night:
        published = ScoreStore(Workspace(asked.folder)).published()
        print((published.as_of - FIRST_NIGHT_US) // DAY_US + 1)
    else:
        prepare(asked.folder, Leads(asked.leads), nights=asked.nights)
    return 0


if __name__ == "__main__":
    sys.exit(main())
