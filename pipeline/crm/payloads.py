"""What a CRM is to hold of each lead: columns of a stored run become one JSON text per lead, without a loop over leads.

A text that is longer than its property has room for ends with a whole word and an ellipsis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.catalog import Feature
from models.reasons import reason_texts
from pipeline.crm.fields import room_of
from pipeline.decision_words import told_columns
from pipeline.labels import Labels
from pipeline.languages import language
from pipeline.settings_crm import FieldSettings, TargetSettings

_AS_STORED: Final = frozenset({"score", "grade", "temperature", "cell", "rank", "action", "model_version", "lead_id"})
_TOLD: Final = frozenset({"stage", "next_action", "channel", "wording", "segments"})
_PROBABILITIES: Final = frozenset({"probability", "probability_low", "probability_high"})
_POINTS: Final = frozenset({"fit", "engagement"})
_CUT_TAIL: Final = r"[\s;,.]+[^\s;,.]*$"
_ELLIPSIS: Final = "…"


class Payloads:
    """Makes the payloads of one run for one target.

    Args:
        target: The target's config.
        features: How the run's points are said, by name.
        labels: The words that the run kept of its stages, plays and segments.
        currency: ISO code of amounts.
        default_language: Code of the shop's language.
    """

    def __init__(
        self,
        target: TargetSettings,
        *,
        features: Sequence[Feature],
        labels: Mapping[str, Any],
        currency: str,
        default_language: str,
    ) -> None:
        self._fields = target.fields
        self._features = {feature.name: feature for feature in features}
        self._labels, self._currency, self._default = labels, currency, default_language

    def of(self, scores: pa.Table) -> pa.Array:
        """Return the payload of each row, JSON texts of shape ``(n_rows,)``.

        Args:
            scores: Rows of a stored run (`models.scoring.score_schema`).
        """
        said: dict[str, pa.Array] = {}
        columns = [self._column(scores, spec, said) for spec in self._fields.values()]
        return _as_json(list(self._fields), columns)

    def _column(self, scores: pa.Table, spec: FieldSettings, said: dict[str, pa.Array]) -> pa.Array:
        values = self._values(scores, spec, said)
        if not pa.types.is_string(values.type):
            return values
        if spec.values:
            values = _renamed(values, spec.values)
        return shortened(pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values), room_of(spec))

    def _values(self, scores: pa.Table, spec: FieldSettings, said: dict[str, pa.Array]) -> pa.Array:
        source = spec.source
        if source in _AS_STORED:
            return scores[source].combine_chunks()
        if source in _PROBABILITIES:
            return pc.round(scores[source].combine_chunks(), ndigits=spec.digits)
        if source in _POINTS:
            return pc.divide(scores[source].combine_chunks().cast(pa.float64()), 100.0)
        if source in {"as_of", "scored_at"}:
            # A table of days ends with the last microsecond of a day; a CRM is told the second.
            seconds = scores[source].combine_chunks().cast(pa.timestamp("s", "UTC"), safe=False)
            return pc.strftime(seconds, "%Y-%m-%dT%H:%M:%SZ")
        return self._words(scores, spec, said)

    def _words(self, scores: pa.Table, spec: FieldSettings, said: dict[str, pa.Array]) -> pa.Array:
        """Return what is said in a language; columns that several fields need are made once."""
        code = spec.language or self._default
        if spec.source in _TOLD:
            if f"{code} {spec.source}" not in said:
                told = told_columns(scores, Labels(language(code), self._labels))
                said |= {f"{code} {name}": column for name, column in told.items()}
            return said[f"{code} {spec.source}"]
        if f"{code} reasons" not in said:
            stored = scores["reasons"].combine_chunks()
            said[f"{code} reasons"] = reason_texts(
                stored, self._features, currency=self._currency, language=language(code)
            )
        sentences = said[f"{code} reasons"]
        if spec.source == "reasons":
            return pc.binary_join(sentences, "; ")
        place = int(spec.source.removeprefix("reason_"))
        return _nth(sentences, place - 1)


def shortened(texts: pa.Array, length: int) -> pa.Array:
    """Return *texts* in at most *length* characters; what is cut ends with a whole word and an ellipsis."""
    is_long = pc.fill_null(pc.greater(pc.utf8_length(texts), length), False)
    if not pc.any(is_long).as_py():
        return texts
    # One character more than fits beside the ellipsis: a word that ends right there is whole.
    head = pc.utf8_slice_codeunits(texts, 0, length)
    words = pc.replace_substring_regex(head, _CUT_TAIL, "")
    is_one_word = pc.or_(pc.equal(words, head), pc.equal(words, ""))
    words = pc.if_else(is_one_word, pc.utf8_slice_codeunits(texts, 0, max(0, length - 1)), words)
    return pc.if_else(is_long, pc.binary_join_element_wise(words, _ELLIPSIS, ""), texts)


def _nth(lists: pa.ListArray, place: int) -> pa.Array:
    """Return the text at *place* of each list; null where it is shorter."""
    padded = pc.list_slice(lists, place, place + 1)
    return pc.binary_join(pc.if_else(pc.equal(pc.list_value_length(padded), 0), None, padded), "")


def _renamed(values: pa.Array, names: Mapping[str, str]) -> pa.Array:
    """Return *values* as the CRM calls them; one that has no other name keeps its own."""
    encoded = values.dictionary_encode()
    renamed = pa.array([names.get(value, value) for value in encoded.dictionary.to_pylist()], pa.string())
    return renamed.take(encoded.indices)


def _as_json(names: Sequence[str], columns: Sequence[pa.Array]) -> pa.Array:
    rows = pa.table({"row": pa.StructArray.from_arrays(list(columns), names=list(names))})
    with duckdb.connect() as database:
        said = database.from_arrow(rows).project("to_json(row)::VARCHAR AS said").to_arrow_table()
    return said["said"].combine_chunks()
