"""Reason codes: what to doubt about a score, or why there is none.

================  ===================  ==========================================================================
code              stands               means
================  ===================  ==========================================================================
no_history        instead of a score,  nothing is known of the lead; beside the score where the model learned from
                  or beside it         `LEAST_BLANK_LEADS` such leads or more, for then it is theirs, and fair
stale_data        beside it            a table ends too long before the moment of scoring, or the lead has been
                                       silent for longer than any lead in training (by `SILENCE_SLACK`)
unlike_training   beside it            a value strays too far from those of training (`models.familiarity`)
================  ===================  ==========================================================================

Codes never change a score, and depend on the lead alone (and, a stale table, on the run). Several are joined by commas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.familiarity import SILENCE, Familiarity, Seen, days_silent, is_blank
from models.languages import ENGLISH, Language
from models.quantities import as_shown, quantity
from models.screening import only
from models.wording import sentence

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.model import LeadModel

Bools = npt.NDArray[np.bool_]

NO_HISTORY: Final = "no_history"
STALE_DATA: Final = "stale_data"
UNLIKE_TRAINING: Final = "unlike_training"

LEAST_BLANK_LEADS: Final = 30
"""Training leads without any history from which on the score of another one is fair."""
SILENCE_SLACK: Final = 1.25
"""A lead that was silent for up to a quarter longer than any in training is only a little older than those."""
MOST_NAMED: Final = 3
UNLIKE_TYPE: Final = pa.struct({"feature": pa.string(), "value": pa.float64(), "level": pa.string()})
"""One stored value that strays: a number has a value, a category a level; both null = missing."""


@dataclass(frozen=True)
class Doubts:
    """What to doubt about each row; everything has shape ``(n_rows,)``.

    Attributes:
        codes: Codes joined by commas, null where there are none.
        unlike: The values that stray most, as lists of `UNLIKE_TYPE`; null where none strays too far.
        is_unscored: Whether a code stands instead of the score.
    """

    codes: pa.StringArray
    unlike: pa.ListArray
    is_unscored: Bools

    def take(self, rows: npt.NDArray[np.int64]) -> Doubts:
        """Return the doubts of the rows at positions *rows*."""
        places = pa.array(rows)
        return Doubts(self.codes.take(places), self.unlike.take(places), self.is_unscored[rows])


def doubts(model: LeadModel, table: FeatureTable, *, is_stale: bool) -> Doubts:
    """Return the reason codes of every row.

    Args:
        model: The model; without a familiarity (a bundle of an older version) it knows no doubt but stale tables.
        table: The rows, with at least the columns that the model reads.
        is_stale: Whether a table that the features read ends too long before the moment of scoring.
    """
    n_rows = len(table)
    nobody = np.zeros(n_rows, dtype=np.bool_)
    if model.familiarity is None:
        return Doubts(_joined({STALE_DATA: np.full(n_rows, is_stale)}), pa.nulls(n_rows, pa.list_(UNLIKE_TYPE)), nobody)
    known = model.familiarity
    read = only(table, model.features)
    blank, silent = is_blank(read), _is_silent(read, known)
    # What is known of nobody cannot be strange, and a silence that is too long is told as such.
    strays = known.strays(read)
    strays[blank] = 0.0
    strays[np.ix_(silent, _counts_silence(known, model.features))] = 0.0
    unlike = strays > known.threshold
    codes = {NO_HISTORY: blank, STALE_DATA: silent | np.full(n_rows, is_stale), UNLIKE_TRAINING: unlike.any(axis=1)}
    is_unscored = blank & (known.blank_leads < LEAST_BLANK_LEADS)
    return Doubts(_joined(codes), _values(known, read, np.where(unlike, strays, 0.0)), is_unscored)


def told(row: Mapping[str, Any], model: LeadModel, *, currency: str = "", language: Language = ENGLISH) -> list[str]:
    """Return one sentence per reason code of a stored score.

    Args:
        row: Its ``reason_code``, ``unlike`` and ``score``.
        model: The model that scored.
        currency: ISO code of amounts.
        language: In which they are said.
    """
    codes = (row.get("reason_code") or "").split(",")
    sentences = []
    if NO_HISTORY in codes:
        sentences.append(_of_nobody(model, has_score=row["score"] is not None, language=language))
    if STALE_DATA in codes:
        sentences.append(
            language.gettext(
                "Stale: there was no news of this lead, or of any, for longer than a score can be trusted."
            )
        )
    if UNLIKE_TRAINING in codes:
        named = strange_values(row.get("unlike") or (), model, currency=currency, language=language)
        unlike = language.gettext("Unlike the leads this model learned from: {values}.")
        sentences.append(unlike.replace("{values}", "; ".join(named)))
    return sentences


def strange_values(
    stored: Sequence[Mapping[str, Any]], model: LeadModel, *, currency: str = "", language: Language = ENGLISH
) -> list[str]:
    """Return stored values that stray, in words: "country: XX, seen in none of them"."""
    features = {feature.name: feature for feature in model.features}
    seen = {one.feature: one for one in (model.familiarity.seen if model.familiarity else ())}
    return [
        _strange(one, features[one["feature"]], seen[one["feature"]], currency=currency, language=language)
        for one in stored
    ]


def _of_nobody(model: LeadModel, *, has_score: bool, language: Language) -> str:
    if has_score:
        return language.gettext(
            "Nothing is known of this lead yet; the score is what became of others of whom nothing was known."
        )
    met = model.familiarity.blank_leads if model.familiarity else 0
    said = language.ngettext(
        "No score: nothing is known of this lead, and the model met only {n} such lead ({needed} needed).",
        "No score: nothing is known of this lead, and the model met only {n} such leads ({needed} needed).",
        met,
    )
    return said.replace("{n}", language.number(met)).replace("{needed}", language.number(LEAST_BLANK_LEADS))


def _is_silent(table: FeatureTable, known: Familiarity) -> Bools:
    if known.longest_silence is None:
        return np.zeros(len(table), dtype=np.bool_)
    return np.asarray(days_silent(table) > SILENCE_SLACK * known.longest_silence)


def _counts_silence(known: Familiarity, features: Sequence[Feature]) -> Bools:
    """Return which of the seen features tell how long ago something was."""
    silent = {one.name for one in features if one.measure is not None and one.measure.kind == SILENCE}
    return np.array([one.feature in silent for one in known.seen], dtype=np.bool_)


def _joined(codes: Mapping[str, Bools]) -> pa.StringArray:
    """Return the codes of each row, joined by commas in their order; null where it has none."""
    has = np.stack(list(codes.values()))
    # A row's codes as bits: few texts are written, and each row is given one of them.
    bits = 1 << np.arange(len(codes))
    texts = [
        ",".join(code for code, bit in zip(codes, bits, strict=True) if which & bit) for which in range(2 ** len(codes))
    ]
    return pa.array([text or None for text in texts], pa.string()).take(pa.array(bits @ has))


def _values(known: Familiarity, table: FeatureTable, strays: npt.NDArray[np.float64]) -> pa.ListArray:
    """Return the values behind the largest strays of each row, the strangest first; null where there are none."""
    strangest = np.argsort(-strays, axis=1, kind="stable")[:, :MOST_NAMED]
    is_named = np.take_along_axis(strays, strangest, axis=1) > 0
    rows, places = np.nonzero(is_named)[0], strangest[is_named]
    values, levels = np.full(len(rows), np.nan), np.full(len(rows), None, dtype=object)
    for place, one in enumerate(known.seen):
        at = np.flatnonzero(places == place)
        column = table.columns[one.feature].take(pa.array(rows[at]))
        if pa.types.is_dictionary(column.type):
            levels[at] = column.cast(pa.string()).to_numpy()
        else:
            values[at] = column.to_numpy()
    names = pa.array([one.feature for one in known.seen], pa.string()).take(pa.array(places))
    told = pa.StructArray.from_arrays(
        [names, pa.array(values, from_pandas=True), pa.array(levels, pa.string(), from_pandas=True)],
        fields=list(UNLIKE_TYPE),
    )
    counts = is_named.sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    # A null offset begins a list that is null; the last one only ends the list before.
    begins = pa.array(offsets, pa.int32(), mask=np.append(counts == 0, False))
    return pa.ListArray.from_arrays(begins, told)


def _strange(stored: Mapping[str, Any], feature: Feature, seen: Seen, *, currency: str, language: Language) -> str:
    value = stored["level"] if feature.kind == "category" else stored["value"]
    words = sentence(feature, value, currency=currency, language=language)
    if value is None:
        return language.gettext("{said}, and it was known of all of them").replace("{said}", words)
    if isinstance(value, str):
        return language.gettext("{said}, seen in none of them").replace("{said}", words)
    near = as_shown(np.array(seen.edges, dtype=np.float64), feature.unit).tolist()
    low, high = (quantity(edge, feature.unit, currency=currency, language=language) for edge in near)
    among = language.gettext("{said} (among them {low} to {high})")
    return among.replace("{low}", low).replace("{high}", high).replace("{said}", words)
