"""What a person should know of a table of leads: what its time allows, and what was made of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.wording import counted, plain
from pipeline.lead_table.intake import Incoming
from pipeline.lead_table.rows import EARLY, NEITHER, Judged
from pipeline.settings_lead_table import AUTO, LeadTableSettings

TIMELESS = (
    "Split at random over leads (stratified by outcome): the table says nothing of time, so this is not what the "
    "future will bring."
)
NONE_LATER = (
    "Split at random over leads (stratified by outcome): no label closed before a later lead came in, so this is not "
    "what the future will bring."
)
AT_ONCE = (
    "Each label counts as decided on the lead's own date. If it took longer, the model learned from labels that were "
    "still open when its test began: say lead_table.horizon_days."
)
_MOST_NAMES = 40


def on_time(asked: LeadTableSettings, *, is_forward: bool) -> str:
    """Return what must be said beside every figure of a model that was judged on this table; empty = nothing.

    Args:
        asked: The config of the table.
        is_forward: Whether it was judged on later leads: dates that are all equal allow no such split.
    """
    if asked.date is None and not asked.order:
        return TIMELESS
    if not is_forward:
        return NONE_LATER
    return AT_ONCE if asked.date is not None and not asked.horizon_days else ""


def asked_in_words(asked: LeadTableSettings) -> dict[str, str]:
    """Return the question that the table answers, point by point: name and meaning."""
    column, date = asked.label.column, asked.date_column
    times = asked.converted_at_column
    positive = ", ".join(str(outcome) for outcome in asked.label.positive)
    order = "row after row is later" if asked.order else "at once, when the table was read: it says nothing of time"
    return {
        "A conversion is": f"a time in '{times.column}'" if times else f"'{column}' is one of {positive}",
        "Asked about": "every lead of the table",
        "Asked when": f"when it came in ('{date.column}')" if date else order,
        "Horizon": f"{asked.horizon_days} days" if asked.horizon_days else "none: whenever it happened",
    }


def of_table(asked: LeadTableSettings, incoming: Incoming, *, labelled: int, converted: int) -> Iterator[str]:
    """Yield what a person should look at, one line each.

    Args:
        asked: The config of the table.
        incoming: How it was read.
        labelled: Leads with an outcome.
        converted: Leads that converted.
    """
    if asked.date is None and not asked.order:
        yield "the table tells no time: models will be judged on leads at random; name a date, or say `order: rows`"
    if asked.attributes == AUTO:
        yield f"taken as attributes: {_named(incoming.attributes)}"
        if incoming.left_out:
            yield f"not taken: {'; '.join(f'{plain(name)} ({why})' for name, why in incoming.left_out.items())}"
    if asked.label.column and not labelled:
        yield f"no lead has a label yet: '{plain(asked.label.column)}' is empty throughout"
    elif not converted or (asked.label.column and converted == labelled):
        yield f"all outcomes are the same ({'all' if converted else 'none'} converted): nothing can be learned yet"


def remedy(reason: str, judged: Judged) -> str:
    """Return what can be done about a fault of rows, in brackets; empty where nothing is known."""
    if NEITHER in reason:
        shown = ", ".join(plain(outcome) for outcome in judged.strange)
        return f" (such as {shown}: list them under label.positive, label.negative or label.open)"
    remedies = {
        "is not a time": "say how it is written: {column: NAME, format: '%d/%m/%Y'}",
        "later than the load": "check shop.time_zone, or the format's order of day and month",
        "is not a number": "say `decimal: ','` if numbers are written 1.234,50, or `type: text`",
        "malformed": "check delimiter, encoding and the quotes around texts",
        EARLY: "a lead that had converted before cannot be predicted: leave it out",
    }
    return next((f" ({text})" for sign, text in remedies.items() if sign in reason), "")


def _named(attributes: Mapping[str, str]) -> str:
    """Return the attributes by kind; of very many, the first."""
    kinds = {
        "word": [name for name, kind in attributes.items() if kind == "text"],
        "number": [name for name, kind in attributes.items() if kind != "text"],
    }
    parts = []
    for kind, names in kinds.items():
        shown = [plain(name) for name in names[:_MOST_NAMES]]
        more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
        parts += [f"{counted(len(names), kind)}: {', '.join(shown)}{more}"] if names else []
    return "; ".join(parts)
