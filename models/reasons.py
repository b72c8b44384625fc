"""Why a lead scores as it does: its strongest points, one reason per concept, as sentences.

Features of one concept ("orders in 7, 30, 90 days") tell one story. Their points are summed; the sentence is
that of the feature that carries most of the sum, with the lead's own value. Reasons are stored as feature,
value and points, and put into words when they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.languages import ENGLISH, Language
from models.quantities import as_shown
from models.wording import sentence, shown_sentence

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.points import Points

REASON_TYPE: Final = pa.struct(
    {"feature": pa.string(), "value": pa.float64(), "level": pa.string(), "points": pa.int64()}
)
"""One stored reason: a number has a value, a category a level; both null = missing. Points are hundredths."""


@dataclass(frozen=True)
class ReasonLimits:
    """How many reasons a lead gets.

    Attributes:
        most_for: Reasons that speak for the lead, at most.
        most_against: Reasons that speak against it, at most.
        least_hundredths: Weaker reasons than this, in hundredths of a point, are left out; >= 1.
    """

    most_for: int = 5
    most_against: int = 3
    least_hundredths: int = 50


@dataclass(frozen=True)
class Reason:
    """One reason, in words.

    Attributes:
        feature: The feature that carries most of it.
        value: The lead's value of that feature; None = missing.
        points_hundredths: Points of the whole concept, in hundredths, not 0.
        text: The sentence.
        concept: What the features of this reason have in common.
        direction: Whether it speaks ``for`` or ``against`` the lead: the sign of the points.
    """

    feature: str
    value: float | str | None
    points_hundredths: int
    text: str
    concept: str
    direction: Literal["for", "against"]


@dataclass(frozen=True)
class _Chosen:
    """The reasons of all rows, laid end to end.

    Attributes:
        offsets: First reason of each row and, last, the end: int32 ``(n_rows + 1,)``.
        rows, features: Row and feature of each reason, int64 ``(n_reasons,)``.
        hundredths: Points of its concept, int64 ``(n_reasons,)``.
    """

    offsets: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]
    hundredths: npt.NDArray[np.int64]


def stored_reasons(points: Points, table: FeatureTable, *, limits: ReasonLimits | None = None) -> pa.ListArray:
    """Return the reasons of every row as they are stored, strongest first.

    Args:
        points: Points of every row.
        table: The same rows, with the features' values.
        limits: How many reasons; None = the defaults.

    Returns:
        A list of `REASON_TYPE` per row; the points are those of the whole concept.
    """
    chosen = _choose(points, limits or ReasonLimits())
    values, levels = _values_of(chosen, points.features, table)
    names = pa.array([feature.name for feature in points.features], pa.string())
    reasons = pa.StructArray.from_arrays(
        [names.take(pa.array(chosen.features)), values, levels, pa.array(chosen.hundredths)],
        fields=list(REASON_TYPE),
    )
    return pa.ListArray.from_arrays(pa.array(chosen.offsets), reasons)


def read_reasons(
    stored: Sequence[Mapping[str, Any]],
    features: Mapping[str, Feature],
    *,
    currency: str = "",
    language: Language = ENGLISH,
) -> list[Reason]:
    """Return one lead's stored reasons in words.

    Args:
        stored: Its reasons, as Python values of `REASON_TYPE`.
        features: The model's features by name.
        currency: ISO code of amounts.
        language: In which they are said.
    """
    return [_reason(row, features[row["feature"]], currency, language) for row in stored]


def reason_texts(
    stored: pa.ListArray, features: Mapping[str, Feature], *, currency: str = "", language: Language = ENGLISH
) -> pa.ListArray:
    """Return the sentences of every row's reasons; each different sentence is written once.

    Args:
        stored: Lists of `REASON_TYPE`.
        features: The model's features by name.
        currency: ISO code of amounts.
        language: In which they are said.

    Returns:
        A list of strings per row, in the order stored.
    """
    flat = stored.flatten()
    texts = np.empty(len(flat), dtype=object)
    names = pc.struct_field(flat, "feature").dictionary_encode()
    codes = names.indices.to_numpy(zero_copy_only=False)
    for code, name in enumerate(names.dictionary.to_pylist()):
        at = np.flatnonzero(codes == code)
        texts[at] = _texts_of(flat.take(pa.array(at)), features[name], currency, language)
    lengths = pc.list_value_length(stored).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(texts, pa.string()))


def _reason(row: Mapping[str, Any], feature: Feature, currency: str, language: Language) -> Reason:
    value = row["level"] if feature.kind == "category" else row["value"]
    return Reason(
        feature=feature.name,
        value=value,
        points_hundredths=row["points"],
        text=sentence(feature, value, currency=currency, language=language),
        concept=feature.concept,
        direction="for" if row["points"] > 0 else "against",
    )


def _texts_of(reasons: pa.StructArray, feature: Feature, currency: str, language: Language) -> npt.NDArray[np.object_]:
    """Return the sentences of one feature's reasons, shape ``(n_reasons,)``; each different one is written once."""
    values = pc.struct_field(reasons, "level")
    if feature.kind != "category":
        numbers = pc.struct_field(reasons, "value").to_numpy(zero_copy_only=False)
        values = pa.array(as_shown(numbers, feature.unit), from_pandas=True)
    coded = values.dictionary_encode(null_encoding="encode")
    words = [
        (shown_sentence if isinstance(value, float) else sentence)(feature, value, currency=currency, language=language)
        for value in coded.dictionary.to_pylist()
    ]
    return np.array(words, dtype=object)[coded.indices.to_numpy(zero_copy_only=False)]


def _choose(points: Points, limits: ReasonLimits) -> _Chosen:
    """Choose each row's strongest concepts on either side, each with the feature that carries it."""
    sums, carriers = _by_concept(points)
    places = np.concatenate([_strongest(sums, limits.most_for), _strongest(-sums, limits.most_against)], axis=1)
    hundredths = np.take_along_axis(sums, places, axis=1)
    side = np.repeat([1, -1], [min(limits.most_for, sums.shape[1]), min(limits.most_against, sums.shape[1])])
    # A concept stands on the side it was chosen for only if its points have that sign.
    hundredths = np.where(hundredths * side >= limits.least_hundredths, hundredths, 0)
    order = np.argsort(-np.abs(hundredths), axis=1, kind="stable")
    places, hundredths = (
        np.take_along_axis(places, order, axis=1),
        np.take_along_axis(hundredths, order, axis=1),
    )
    is_reason = hundredths != 0
    offsets = np.concatenate([[0], np.cumsum(is_reason.sum(axis=1))]).astype(np.int32)
    features = np.take_along_axis(carriers, places, axis=1)
    return _Chosen(offsets, np.nonzero(is_reason)[0], features[is_reason], hundredths[is_reason])


def _by_concept(points: Points) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return each concept's points and the feature that carries them, both ``(n_rows, n_concepts)``."""
    concepts = [feature.concept for feature in points.features]
    names = list(dict.fromkeys(concepts))
    sums = np.empty((len(points.per_feature), len(names)), dtype=np.int64)
    carriers = np.empty_like(sums)
    for place, name in enumerate(names):
        members = np.flatnonzero([concept == name for concept in concepts])
        of_concept = points.per_feature[:, members]
        sums[:, place] = of_concept.sum(axis=1)
        # The carrier pulls the way the concept does, so its sentence cannot contradict the reason's side.
        pull = of_concept * np.sign(sums[:, place])[:, None]
        carriers[:, place] = members[np.argmax(pull, axis=1)]
    return sums, carriers


def _strongest(sums: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Return the concepts with the most points, strongest first, shape ``(n_rows, <= most)``."""
    return np.argsort(-sums, axis=1, kind="stable")[:, :most]


def _values_of(chosen: _Chosen, features: Sequence[Feature], table: FeatureTable) -> tuple[pa.Array, pa.Array]:
    """Return the number and the level behind each reason; null where missing or of the other kind."""
    values = np.full(len(chosen.rows), np.nan)
    levels = np.full(len(chosen.rows), None, dtype=object)
    for place, feature in enumerate(features):
        at = np.flatnonzero(chosen.features == place)
        column = table.columns[feature.name].take(pa.array(chosen.rows[at]))
        if feature.kind == "category":
            levels[at] = column.cast(pa.string()).to_numpy()
        else:
            values[at] = column.to_numpy()
    return pa.array(values, from_pandas=True), pa.array(levels, pa.string(), from_pandas=True)
