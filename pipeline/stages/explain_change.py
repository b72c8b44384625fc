"""`leadlight explain LEAD --since DATE`: what moved one lead's score, in words and in whole points that add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from features import moments
from features.errors import LeadlightError, wrong_input
from features.local_time import instant, local_iso
from models.points_card import LABEL
from models.what_changed import STEPS, WHY_NOT, WORDS
from pipeline.changes import Change, what_changed
from pipeline.languages import Language, language
from pipeline.lead_data import lead_data
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.settings import Settings
from pipeline.stages.explain import Line, scored_rows
from pipeline.workspace import Workspace

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MOST_LISTED = 10
"""Stored runs that an error names."""


@dataclass(frozen=True)
class ChangeTold:
    """What moved one score, told: ``old_score + steps + limits = new_score``.

    Attributes:
        lead_id: The lead.
        trigger_id: The row that pulled the trigger, or None.
        since: The moment of the older run (ISO, on the shop's clock).
        as_of: The moment of the newer run.
        old_model: What scored then.
        new_model: What scores now.
        old_score: 0–100; None where it had none.
        new_score: 0–100; None where it has none.
        steps: What moved it, in order, in whole points; one line for all where nothing more can be said; or none.
        limits: Points that the ends of the scale cut off now, less those that they cut off then.
        hundredths: The exact points of the four steps by name; None where they cannot be told apart.
        why_not: Why they cannot, in a sentence; else empty.
        moved: What moved most, whichever step it was of: points, and what was said then and is said now.
        language: In which it is told, as HTML spells it.
    """

    lead_id: str
    trigger_id: str | None
    since: str
    as_of: str
    old_model: str
    new_model: str
    old_score: int | None
    new_score: int | None
    steps: list[Line]
    limits: int
    hundredths: dict[str, int] | None
    why_not: str
    moved: list[Line]
    language: str


def explain_change(settings: Settings, lead_id: str, *, since: datetime, said_in: str = "") -> list[ChangeTold]:
    """Return what moved the published scores of one lead, most often one, since an older run.

    Args:
        settings: The shop's config.
        lead_id: The lead, or what a screen shows of its id.
        since: Compare with the newest run of this moment or before; without a zone on the shop's clock, and a date
            includes that day.
        said_in: Code of a language; empty = that of the shop.

    Raises:
        LeadlightError: Nothing is published, no older run is stored, or neither run has the lead.
    """
    store = ScoreStore(Workspace(settings.shop.workspace))
    new = store.published()
    old = run_before(store, new, since, zone=settings.shop.time_zone)
    rows = store.read_lead(old, lead_id).select(["lead_id", "trigger_id"])
    if not len(rows):
        rows = scored_rows(store, new, lead_data(settings), lead_id).select(["lead_id", "trigger_id"])
    lead_id = rows["lead_id"][0].as_py()
    triggers = {*rows["trigger_id"].to_pylist(), *store.read_lead(new, lead_id)["trigger_id"].to_pylist()}
    ordered = sorted(triggers, key=lambda one: one or "")
    said = language(said_in or settings.shop.language)
    changes = [what_changed(settings, lead_id, trigger, old=old, new=new, said_in=said) for trigger in ordered]
    return [told_change(change, old, new, settings.shop.time_zone, said) for change in changes]


def run_before(store: ScoreStore, new: StoredRun, since: datetime, *, zone: str) -> StoredRun:
    """Return the newest run at *since* or before; of one moment the one scored last, a model's before a card's."""
    moment = instant(since, zone)
    if moments.is_day(moment, zone):
        moment = int(moments.end_of_day(np.asarray([moment]), zone)[0]) - 1
    there = [run for run in store.runs() if run.as_of <= new.as_of and run != new]
    before = [run for run in there if run.as_of <= moment]
    if not before:
        raise _no_run(since, [local_iso(run.as_of, zone) for run in there[-_MOST_LISTED:]])
    of_moment = [run for run in before if run.as_of == before[-1].as_of]
    return max(of_moment, key=lambda run: (not run.model_version.startswith(LABEL), store.scored_at(run) or _LONG_AGO))


def told_change(change: Change, old: StoredRun, new: StoredRun, zone: str, said: Language) -> ChangeTold:
    """Return *change* in words, on the clock of *zone*."""
    shown = change.shown
    words = [said.gettext(WORDS[name]) for name in STEPS] if change.steps else [said.gettext("in all")]
    return ChangeTold(
        lead_id=change.lead_id,
        trigger_id=change.trigger_id,
        since=local_iso(old.as_of, zone),
        as_of=local_iso(new.as_of, zone),
        old_model=old.model_version,
        new_model=new.model_version,
        old_score=change.old_score,
        new_score=change.new_score,
        steps=[Line(text, points) for text, points in zip(words, shown.lines, strict=True)] if shown else [],
        limits=shown.limits if shown else 0,
        hundredths=dict(change.steps) if change.steps else None,
        why_not=said.gettext(WHY_NOT.get(change.why_not, "")),
        moved=[Line(_then_and_now(one.then, one.now, said), round(one.hundredths / 100)) for one in change.moved],
        language=said.tag,
    )


def _then_and_now(then: str, now: str, said: Language) -> str:
    if not now:
        return said.gettext("{then} (the model no longer asks)").replace("{then}", then)
    if then in ("", now):
        return now
    return said.gettext("{now} (before: {then})").replace("{now}", now).replace("{then}", then)


def _no_run(since: datetime, there: list[str]) -> LeadlightError:
    fact = f"No older scores are stored of {since:%Y-%m-%d} or before."
    fact += " There are scores of:" if there else ""
    hint = "`leadlight score --as-of DATE` scores an earlier moment, and what is published stays."
    return wrong_input(fact, there, hint=hint)
