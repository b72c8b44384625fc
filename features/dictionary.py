"""The data dictionary: what every column of a training table means, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence

from features.catalog import MEASURES, Feature, as_dict, window_words
from features.conditions import Conditions

KEYS = {
    "lead_id": "The lead asked about.",
    "as_of": "The moment of prediction (UTC): only what was known before it is in the features.",
    "trigger_id": "The row that pulled the trigger; empty on a grid.",
}
LABELS = {
    "converted": "Whether the lead converted in the label window, as known at decided_at.",
    "converted_at": "When the first conversion occurred (UTC); empty where none did.",
    "decided_at": "as_of + horizon + settle (UTC): what was known later does not count.",
    "is_ripe": "Whether the data cover the whole span from as_of to decided_at.",
}


ZERO_WITHOUT_ROWS = ("count", "sum", "distinct", "open_count", "open_sum", "decayed_linear", "decayed_half_life")
"""Measures that are 0 without rows: they are missing only where the window reaches before the data."""


def entries(features: Sequence[Feature]) -> list[dict[str, object]]:
    """Return one entry per column: keys, labels, then the features in catalog order."""
    fixed: list[dict[str, object]] = [{"name": name, "role": "key", "description": text} for name, text in KEYS.items()]
    fixed += [{"name": name, "role": "label", "description": text} for name, text in LABELS.items()]
    return [*fixed, *({"role": "feature", "axis": f.axis, "missing": missing_means(f), **as_dict(f)} for f in features)]


def markdown(features: Sequence[Feature]) -> str:
    """Return the dictionary as a Markdown document with one table."""
    lines = [
        "# Data dictionary",
        "",
        "| column | family | unit | meaning | measured | missing means |",
        "|---|---|---|---|---|---|",
    ]
    for name, text in (KEYS | LABELS).items():
        lines.append(f"| {name} | {'key' if name in KEYS else 'label'} | | {text} | | |")
    for feature in features:
        cells = (
            feature.name,
            feature.family,
            feature.unit,
            feature.description,
            _measured(feature),
            missing_means(feature),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def missing_means(feature: Feature) -> str:
    """Return what a missing value of *feature* says."""
    measure = feature.measure
    if measure is None:
        return "not given"
    if measure.kind in ("weekday", "month", "day_of_month", "lead_age", "trigger_days"):
        return "never missing"
    if measure.kind == "trigger" or measure.table == "attributes":
        return "not known before as_of"
    if measure.is_partial:
        return "never missing"
    edge = "the window reaches before the data" if measure.window else "no data before as_of"
    is_zero_without_rows = measure.kind in ZERO_WITHOUT_ROWS
    return edge if is_zero_without_rows else f"nothing to measure, or {edge}"


def _measured(feature: Feature) -> str:
    measure = feature.measure
    if measure is None:
        return ""
    parts = [MEASURES[measure.kind]]
    if measure.column:
        parts.append(f"column {measure.column}")
    if measure.table:
        parts.append(f"of {measure.table}{_spelled(measure.where)}")
    if measure.of:
        parts.append(f"`of`{_spelled(measure.of)}")
    if measure.half_life:
        parts.append(f"half-life {measure.half_life} days")
    if measure.table and measure.table != "attributes":
        parts.append(window_words(measure.window))
    return ", ".join(parts)


def _spelled(conditions: Conditions) -> str:
    tests = [f"{c.column} {c.operator} {'/'.join(str(value) for value in c.operands)}" for c in conditions]
    return f" where {' and '.join(tests)}" if tests else ""
