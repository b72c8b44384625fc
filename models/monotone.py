"""Directions that a shop knows to be true: as a feature rises, the log-odds may only move one way.

    direction 1: x <= x'  implies  log-odds(x) <= log-odds(x'),  all else equal;        −1 the other way; 0 unbound

Both parts keep to them, so their blend does too, its weights being non-negative: the trees by LightGBM's constraint on
each column (`models.trees`), the linear part by the sign of its slope (`models.linear_bounded`), because signed log1p
and the clipping at its edges rise with x. Only numbers have a direction; a missing value is outside the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from features.catalog import Feature
    from models.encoding import Encoder


def directions_of_features(features: tuple[Feature, ...]) -> tuple[int, ...]:
    """Return the direction of each feature; 0 for categories and where the catalog names none."""
    return tuple(feature.monotone if feature.kind == "number" else 0 for feature in features)


def directions_of_columns(encoder: Encoder, features: tuple[Feature, ...]) -> tuple[int, ...]:
    """Return the direction of each tree column of *encoder*, which was learned on *features*."""
    of_features = directions_of_features(features)
    return tuple(of_features[place] for place in encoder.owner(tuple(feature.name for feature in features)))
