"""Another package, seen by a process that was forked before it was installed."""

import os
import sys


def found() -> None:
    """Let this process look where the package is."""
    sys.path.insert(0, os.environ["LEADLIGHT_TEST_SITE"])
