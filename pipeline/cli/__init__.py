"""The command line. Its commands only translate: each calls one library function and shows its result."""

from pipeline.cli import (
    backtesting,
    demo,
    learning,
    nightly,
    points,
    publishing,
    reading,
    registered,
    reporting,
    scoring,
    serving,
    tuning,
)
from pipeline.cli.app import main

# Importing a file of commands adds them to the app.
__all__ = [
    "backtesting",
    "demo",
    "learning",
    "main",
    "nightly",
    "points",
    "publishing",
    "reading",
    "registered",
    "reporting",
    "scoring",
    "serving",
    "tuning",
]
