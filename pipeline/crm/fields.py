"""Which parts of a score go into which property of a CRM, and what that property must be able to hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from features.errors import LeadlightError, wrong_input
from pipeline.crm.promise import CrmField, FieldType
from pipeline.settings import Settings
from pipeline.settings_crm import FieldSettings, TargetSettings

_WHOLE: Final = frozenset({"score", "rank"})
_NUMBERS: Final = frozenset({"probability", "probability_low", "probability_high", "fit", "engagement"})
_MOMENTS: Final = frozenset({"as_of", "scored_at"})
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"grade": ("A", "B", "C", "D"), "temperature": ("hot", "warm", "cold")}
)
_ROOM: Final[Mapping[str, int]] = MappingProxyType(
    {"cell": 2, "action": 100, "channel": 100, "stage": 300, "next_action": 300, "lead_id": 400, "model_version": 100}
)
"""Characters that a text may need where the config does not say how much room there is."""
_ROOM_OF_SENTENCES: Final = 2_000
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "score": "Lead score", "probability": "Probability to convert", "probability_low": "Probability, at least",
        "probability_high": "Probability, at most", "grade": "Lead grade", "temperature": "Lead temperature",
        "cell": "Fit and engagement", "fit": "Points for fit", "engagement": "Points for engagement",
        "rank": "Rank among leads", "stage": "Funnel stage", "next_action": "Next action", "action": "Action code",
        "channel": "Channel", "wording": "What to do", "segments": "Segments", "reasons": "Why this score",
        "reason_1": "First reason", "reason_2": "Second reason", "reason_3": "Third reason", "as_of": "Scored as of",
        "scored_at": "Scored at", "model_version": "Model version", "lead_id": "Lead",
    }
)  # fmt: skip


def crm_fields(target: TargetSettings) -> tuple[CrmField, ...]:
    """Return the properties that a target's config names, in its order."""
    return tuple(_field(name, spec) for name, spec in target.fields.items())


def mapping_hash(settings: Settings, target: TargetSettings) -> str:
    """Return what tells one way of filling the properties from another: where it changes, everything is sent again."""
    said = {name: spec.model_dump(mode="json") for name, spec in target.fields.items()}
    text = json.dumps([target.key, settings.shop.language, settings.shop.currency, said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def check_fields(name: str, target: TargetSettings) -> None:
    """Refuse a field that renames some of its values and forgets others, or says of numbers what is said of words.

    Raises:
        LeadlightError: With every fault.
    """
    faults = [f"crm.{name}.fields.{prop}.{fault}" for prop, spec in target.fields.items() for fault in _faults_of(spec)]
    if faults:
        raise _cannot_be_filled(name, faults)


def _faults_of(spec: FieldSettings) -> Iterator[str]:
    if spec.source in _WHOLE | _NUMBERS | _MOMENTS:
        for setting in ("length", "values"):
            if getattr(spec, setting):
                yield f"{setting}: has no meaning for {spec.source}, which is no word"
    elif spec.values:
        missing = [one for one in _CHOICES.get(spec.source, ()) if one not in spec.values]
        if missing:
            yield f"values: names nothing for {', '.join(missing)}"


def room_of(spec: FieldSettings) -> int:
    """Return how many characters a text may have."""
    return spec.length or _ROOM.get(spec.source, _ROOM_OF_SENTENCES)


def _field(name: str, spec: FieldSettings) -> CrmField:
    label = _LABELS[spec.source]
    if spec.source in _WHOLE:
        return CrmField(name, FieldType.INTEGER, label=label)
    if spec.source in _NUMBERS:
        return CrmField(name, FieldType.NUMBER, label=label)
    if spec.source in _MOMENTS:
        return CrmField(name, FieldType.MOMENT, label=label)
    if spec.source in _CHOICES:
        choices = tuple(spec.values.get(one, one) for one in _CHOICES[spec.source])
        return CrmField(name, FieldType.CHOICE, max(map(len, choices)), tuple(dict.fromkeys(choices)), label)
    return CrmField(name, FieldType.TEXT, room_of(spec), label=label)


def _cannot_be_filled(name: str, faults: list[str]) -> LeadlightError:
    hint = "give every value a name, or leave `values` and `length` out to write a part of a score as it is."
    return wrong_input(f"The fields of the target '{name}' have faults:", faults, hint=hint)
