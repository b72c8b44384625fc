"""By what quality is reported: the attributes and features that the config chooses, and every sensitive attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from features.catalog import Feature, Measure, Phrase
from features.errors import nearest, wrong_input
from features.matrix import FeatureTable
from features.plan import columns_read
from models.segments import Attribute
from pipeline.settings import Settings

_BEFORE: Final = "segment_"
"""Begins the name of a column that is read by reports alone."""


def sensitive(settings: Settings) -> set[str]:
    """Return the names of the attributes that the shop marked as sensitive."""
    return {name for name, is_sensitive in settings.named_attributes.items() if is_sensitive}


def kept_out(settings: Settings) -> set[str]:
    """Return the names of the attributes that the model may not read."""
    return set() if settings.model.use_sensitive else sensitive(settings)


def wanted(settings: Settings) -> tuple[str, ...]:
    """Return by what quality is reported, in order: what the config lists, then what is sensitive."""
    return tuple(dict.fromkeys([*settings.report.segments, *sorted(sensitive(settings))]))


def columns(settings: Settings, attributes: Mapping[str, str]) -> tuple[Feature, ...]:
    """Return the columns beside the model's features that the report reads.

    Args:
        settings: The shop's config.
        attributes: The usable attributes: name to ``text`` or ``number``.
    """
    return tuple(_column(name, attributes[name]) for name in wanted(settings) if name in attributes)


def refuse_unknown(settings: Settings, features: Sequence[Feature]) -> None:
    """Refuse a report by something that is neither an attribute of leads nor a feature.

    Raises:
        LeadlightError: With every such name, and the nearest that there is.
    """
    known = set(settings.named_attributes) | {feature.name for feature in features}
    faults = [f"{name}{_meant(name, known)}" for name in settings.report.segments if name not in known]
    if faults:
        hint = "name attributes (tables.leads.attributes, lead_table.attributes), or features of the data dictionary."
        raise wrong_input("report.segments names neither attributes of leads nor features:", faults, hint=hint)


def refuse_sensitive(settings: Settings, features: Sequence[Feature]) -> None:
    """Refuse features of the shop's own that would bring a sensitive attribute into the model by another name.

    Raises:
        LeadlightError: With every such feature.
    """
    refused = kept_out(settings)
    read = {feature.name: columns_read([feature]).get("attributes", set()) & refused for feature in features}
    faults = [f"{name} reads {', '.join(sorted(found))}" for name, found in read.items() if found]
    if faults:
        hint = "remove them from features.add, or say model.use_sensitive: true."
        raise wrong_input("Features of the config read sensitive attributes:", faults, hint=hint)


def attributes(settings: Settings, table: FeatureTable) -> tuple[tuple[Attribute, ...], tuple[str, ...]]:
    """Return what the report is broken down by, and the names for which no values were known in time.

    Args:
        settings: The shop's config.
        table: The training table with its columns beside.
    """
    marked = sensitive(settings)
    found, lacking = [], []
    for name in wanted(settings):
        values = _values(name, table)
        if values is None:
            lacking.append(name)
        else:
            found.append(Attribute(name, values, is_sensitive=name in marked))
    return tuple(found), tuple(lacking)


def _values(name: str, table: FeatureTable) -> pa.ChunkedArray | None:
    if table.beside is not None and _BEFORE + name in table.beside.column_names:
        return table.beside[_BEFORE + name]
    return table.columns[name] if name in table.columns.column_names else None


def _column(name: str, kind: str) -> Feature:
    return Feature(
        name=_BEFORE + name,
        family="fit",
        kind="number" if kind == "number" else "category",
        unit="number" if kind == "number" else "category",
        concept=_BEFORE + name,
        phrase=Phrase("{n}"),
        description=f"For reports: the lead's {name.replace('_', ' ')}.",
        measure=Measure("last", "attributes", (), name),
    )


def _meant(name: str, known: set[str]) -> str:
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near else ""
