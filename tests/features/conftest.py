"""Lets the tests of this folder import the oracle and the worlds it is asked about."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "support"))
