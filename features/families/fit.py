"""Fit: who the lead is, from its attributes, and what the row that pulled the trigger says."""

from __future__ import annotations

from features.catalog import Feature, Measure, Phrase
from features.families.offering import Draft, Offering


def features(offering: Offering) -> list[Feature]:
    """Return one feature per attribute and per column of the trigger, and the lead's age."""
    found = [of_attribute(name, kind) for name, kind in offering.attributes.items()]
    if offering.trigger is not None:
        found += [_of_trigger(name, kind) for name, kind in offering.trigger.items()]
        found.append(_trigger_days())
    return [*found, _lead_age()]


def of_attribute(name: str, kind: str) -> Feature:
    """Return the feature that is an attribute of leads.

    Args:
        name: The attribute.
        kind: ``text`` or ``number``.
    """
    words = name.replace("_", " ")
    draft = Draft(
        name=name, family="fit", concept=name, description=f"The lead's {words}.",
        phrase=Phrase("{name}: {n}", missing="{name} not known", name=words),
        kind=_kind(kind), unit=_kind(kind),
    )  # fmt: skip
    return draft.measured(Measure("last", "attributes", (), name))


def _of_trigger(name: str, kind: str) -> Feature:
    words = name.replace("_", " ")
    draft = Draft(
        name=f"trigger_{name}", family="fit", concept=f"trigger_{name}", description=f"The trigger's {words}.",
        phrase=Phrase("{name}: {n}", missing="{name} not known", name=words),
        kind=_kind(kind), unit=_kind(kind),
    )  # fmt: skip
    return draft.measured(Measure("trigger", column=name))


def _kind(kind: str) -> str:
    return "number" if kind == "number" else "category"


def _trigger_days() -> Feature:
    draft = Draft(
        name="trigger_days", family="fit", unit="days", concept="trigger_days",
        phrase=Phrase("{n} to act on it", missing="time to act on it not known"),
        description="Days from as_of to the end of the label window.",
    )  # fmt: skip
    return draft.measured(Measure("trigger_days"))


def _lead_age() -> Feature:
    draft = Draft(
        name="lead_age", family="fit", unit="days", concept="lead_age",
        phrase=Phrase("known for {n}", missing="not known since when"), description="Days since the lead exists.",
    )  # fmt: skip
    return draft.measured(Measure("lead_age"))
