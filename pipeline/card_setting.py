"""What a model card says of the question and the shop, in words drawn from the config."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from features.moments import local_date
from features.timeline import Coverage
from models.contest import Contest
from models.model_card_facts import Setting
from pipeline import row_words, segmenting
from pipeline.lead_data import lead_data
from pipeline.lead_table import notes
from pipeline.settings import Settings
from pipeline.settings_question import QuestionSettings, SnapshotSettings
from pipeline.workspace import Workspace

WHO = {
    "everyone": "every lead",
    "prospects": "leads without an order so far",
    "customers": "leads with an order so far",
}


def card_setting(settings: Settings, judged: Contest) -> Setting:
    """Return what the config says around a training.

    Args:
        settings: The shop's config.
        judged: The model beside its baselines.
    """
    is_ingested = Workspace(settings.shop.workspace).current() is not None
    leads = lead_data(settings) if is_ingested else None
    is_in_order = settings.lead_table is not None and settings.lead_table.order == "rows"
    return Setting(
        shop=settings.shop.name,
        question=settings.question.name,
        asked=asked_in_words(settings),
        coverage=_covered(leads.coverage, zone=settings.shop.time_zone) if leads else (),
        kept_out=tuple(sorted(segmenting.kept_out(settings))),
        verdict=judged.verdict(),
        beats_all=not judged.lost_to and not judged.unsure_of,
        zone=settings.shop.time_zone,
        shares=settings.score.grades.shares,
        place=partial(row_words.told, settings) if is_in_order else None,
    )


def asked_in_words(settings: Settings) -> dict[str, str]:
    """Return the question point by point: name and meaning."""
    if settings.lead_table is not None:
        return notes.asked_in_words(settings.lead_table)
    asked = settings.question
    return {
        "A conversion is": _conversion(asked, currency=settings.shop.currency),
        "Asked about": WHO[asked.cohort.who] + _where(asked.cohort.where, before=", where "),
        "Asked when": _when(asked.snapshots),
        "Horizon": _horizon(asked),
    }


def _conversion(asked: QuestionSettings, *, currency: str) -> str:
    conversion = asked.conversion
    least = f" of {conversion.minimum_amount:g} {currency} or more" if conversion.minimum_amount is not None else ""
    kind = {"orders": "an order that was not cancelled", "events": "an event", "outcomes": "an outcome"}
    trigger = asked.snapshots.trigger
    same = f", of the same {trigger.match}" if trigger and trigger.match else ""
    return kind[conversion.table] + least + _where(conversion.where, before=", where ") + same


def _when(snapshots: SnapshotSettings) -> str:
    if snapshots.trigger is not None:
        return f"at every row of {snapshots.trigger.table}{_where(snapshots.trigger.where, before=' where ')}"
    unit = {"d": "day", "w": "week", "mo": "month"}
    count = snapshots.every.rstrip("dwmo")
    one = unit[snapshots.every.removeprefix(count)]
    return f"every {one}" if count == "1" else f"every {count} {one}s"


def _horizon(asked: QuestionSettings) -> str:
    trigger = asked.snapshots.trigger
    until = f"until {trigger.until} of that row" if trigger and trigger.until else f"{asked.horizon_days} days"
    settle = f"; what becomes known up to {asked.settle_days} days later still counts" if asked.settle_days else ""
    return until + settle


def _where(conditions: Mapping[str, Any], *, before: str) -> str:
    """Return conditions as words: "type is coupon_redeemed and amount is min 20"."""
    told = [f"{column} is {_meant(wanted)}" for column, wanted in conditions.items()]
    return before + " and ".join(told) if told else ""


def _meant(wanted: object) -> str:
    if isinstance(wanted, Mapping):
        return ", ".join(f"{name} {_meant(value)}" for name, value in wanted.items())
    if isinstance(wanted, list | tuple):
        return " or ".join(map(str, wanted))
    return str(wanted)


def _covered(coverage: Mapping[str, Coverage], *, zone: str) -> tuple[tuple[str, str, str], ...]:
    """Return each table with its first and its last day; a span ends before the moment at which it ends."""
    return tuple(
        (name, str(local_date(span.data_from, zone)), str(local_date(span.data_until - 1, zone)))
        for name, span in sorted(coverage.items())
    )
