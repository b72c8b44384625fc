"""``python -m benchmarks.app.api FOLDER --seconds S``: readers of the reading API alone, in a process of their own.

Prints what they saw as one line of JSON, with the peak of the process's memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.app.memory import peak_gb
from benchmarks.app.reading import read_for
from benchmarks.app.trained import known_ids, settings_of
from pipeline.published.keys import of_lead


def main() -> int:
    """Read, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app.api", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--editions", type=int, default=1)
    asked = parser.parse_args()
    settings = settings_of(asked.folder)
    keys = [of_lead(lead_id) for lead_id in known_ids(settings)[:2_000]]
    seen = read_for(
        settings.shop.workspace,
        keys,
        seconds=asked.seconds,
        readers=asked.readers,
        think_s=asked.think,
        editions=asked.editions,
    )
    told = {
        "seconds": seen.seconds,
        "errors": seen.errors,
        "mixed": seen.mixed,
        "editions": len(seen.editions),
        "peak_gb": peak_gb(),
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
