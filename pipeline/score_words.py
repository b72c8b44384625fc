"""The words of a score that are names, marked for translation: temperatures, families of features, axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.languages import N_

TEMPERATURES: Final[Mapping[str, str]] = {"hot": N_("hot"), "warm": N_("warm"), "cold": N_("cold")}
FAMILIES: Final[Mapping[str, str]] = {
    "purchase": N_("Purchases"),
    "engagement": N_("Engagement"),
    "funnel": N_("Way to the cart"),
    "acquisition": N_("How the lead came"),
    "fit": N_("Who the lead is"),
    "calendar": N_("Time of the year"),
}
"""Families of features, as headings."""
AXES: Final[Mapping[str, str]] = {"fit": N_("Fit"), "engagement": N_("Engagement")}
