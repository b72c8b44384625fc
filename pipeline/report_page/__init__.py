"""The report as one page: a file that needs nothing from anywhere, in the language of who reads it."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
"""``track.html`` and ``charts.html`` are the app's too: they need ``said`` (the language) and ``label``."""
