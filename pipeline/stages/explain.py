"""`leadlight explain LEAD`: one lead's stored score, what speaks for and against it, its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from features.errors import LeadlightError, nearest, wrong_input
from features.local_time import local_iso
from features.moments import to_us
from models.model import LeadModel
from models.points import score_ends, shown
from models.reason_codes import told
from models.reasons import read_reasons
from models.wording import LONGEST_LEVEL, plain
from pipeline.card_store import KeptCard
from pipeline.decision_words import ToDo, to_do
from pipeline.labels import Labels
from pipeline.languages import Language, language
from pipeline.lead_data import LeadData, lead_data
from pipeline.lead_timeline import Happening
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.scorers import kept_scorer
from pipeline.settings import Settings
from pipeline.workspace import Workspace

_MOST_COMPARED = 200_000
"""Ids among which the nearest to a misspelt one is sought: beyond, a person waits too long."""


@dataclass(frozen=True)
class Line:
    """One line of the sum: what it says, and its whole points."""

    text: str
    points: int


@dataclass(frozen=True)
class LeadExplanation:
    """One stored score, told: ``start + lines + everything_else + limits = score``.

    Attributes:
        lead_id: The lead.
        as_of: The moment of its snapshot (ISO, on the shop's clock).
        trigger_id: The row that pulled the trigger, or None.
        score: 0–100.
        start: Where the sum begins: 50, or the base of a points card.
        score_low: The score at the low end of the probability's interval; None for a points card.
        score_high: The score at its high end.
        probability: P(convert within the horizon), with `probability_low` and `probability_high`; None where a
            points card says none.
        probability_low: See above.
        probability_high: See above.
        grade: A–D.
        temperature: hot, warm or cold.
        rank: Place within the run.
        to_do: Stage, next action, segments; None in a run that was stored before there were any.
        speaks_for: Reasons with points above zero, strongest first.
        speaks_against: Reasons with points below zero, strongest first.
        everything_else: Points of all other features, with rounding.
        limits: Points that the ends of the scale cut off.
        families: Points per family.
        doubts: What to doubt about the score, one sentence per reason code.
        timeline: What was known of the lead before as_of, newest first; None where no history is kept.
        model_version: The model that scored.
        language: Tag ("pt-PT") of the language in which reasons, doubts and timeline are said.
    """

    lead_id: str
    as_of: str
    trigger_id: str | None
    score: int
    start: int
    score_low: int | None
    score_high: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str
    temperature: str
    rank: int
    to_do: ToDo | None
    speaks_for: list[Line]
    speaks_against: list[Line]
    everything_else: int
    limits: int
    families: Mapping[str, float]
    doubts: list[str]
    timeline: list[Happening] | None
    model_version: str
    language: str


@dataclass(frozen=True)
class WithoutScore:
    """A lead that got a reason code instead of a score.

    Attributes:
        lead_id: The lead.
        as_of: The moment of its snapshot (ISO, on the shop's clock).
        trigger_id: The row that pulled the trigger, or None.
        reason_code: Why it has no score; several are joined by commas.
        doubts: The same as sentences.
        to_do: Stage, next action, segments; None in a run that was stored before there were any.
        timeline: What was known of the lead before as_of, newest first; None where no history is kept.
        model_version: The model that did not score.
        language: Tag ("pt-PT") of the language in which doubts and timeline are said.
    """

    lead_id: str
    as_of: str
    trigger_id: str | None
    reason_code: str
    doubts: list[str]
    to_do: ToDo | None
    timeline: list[Happening] | None
    model_version: str
    language: str


def explain(settings: Settings, lead_id: str, *, said_in: str = "") -> list[LeadExplanation | WithoutScore]:
    """Return the published scores of one lead, most often one, told in full.

    Args:
        settings: The shop's config.
        lead_id: The lead.
        said_in: Code of the language; by default that of the config.

    Raises:
        LeadlightError: Nothing is published, or the lead has no score in the published run.
    """
    store = ScoreStore(Workspace(settings.shop.workspace))
    run, leads = store.published(), lead_data(settings)
    rows = scored_rows(store, run, leads, lead_id)
    speaks = language(said_in or settings.shop.language)
    label = Labels(speaks, store.labels(run))
    telling = _Telling(kept_scorer(settings, run.model_version), settings, speaks, label)
    return [
        (_explanation if row["score"] is not None else _without_score)(
            row, telling, timeline=leads.latest(lead_id, as_of=row["as_of"], language=telling.language)
        )
        for row in rows.sort_by("rank").to_pylist()
    ]


def scored_rows(store: ScoreStore, run: StoredRun, leads: LeadData, lead_id: str) -> pa.Table:
    """Return the rows of *run* about the lead that a person named, by its id or by what a screen shows of it.

    Raises:
        LeadlightError: The run has no such lead; it says why, or which id is near.
    """
    rows = store.read_lead(run, lead_id)
    if len(rows):
        return rows
    why = leads.why_not_scored(lead_id)
    if why:
        raise _unasked(lead_id, why)
    scored = store.read(run)["lead_id"].unique()
    meant = meant_by(lead_id, scored.to_pylist())
    if meant is None:
        raise _unknown(lead_id, scored)
    return store.read_lead(run, meant)


@dataclass(frozen=True)
class _Telling:
    """What all rows of one lead share: who scored them, the shop, and the language."""

    model: LeadModel | KeptCard
    settings: Settings
    language: Language
    label: Labels


def _without_score(row: Mapping[str, Any], telling: _Telling, *, timeline: list[Happening] | None) -> WithoutScore:
    return WithoutScore(
        lead_id=row["lead_id"],
        as_of=local_iso(to_us(row["as_of"]), telling.settings.shop.time_zone),
        trigger_id=row["trigger_id"],
        reason_code=row["reason_code"],
        doubts=_doubts(row, telling),
        to_do=to_do(row, telling.label),
        timeline=timeline,
        model_version=row["model_version"],
        language=telling.language.tag,
    )


def _explanation(row: Mapping[str, Any], telling: _Telling, *, timeline: list[Happening] | None) -> LeadExplanation:
    model, currency = telling.model, telling.settings.shop.currency
    if isinstance(model, KeptCard):
        said, start, top = model.words, model.card.base, model.card.caps.total
        low, high = None, None
    else:
        said, start, top, (low, high) = (
            model.features,
            50,
            100,
            score_ends(row["probability_low"], row["probability_high"], model),
        )
    by_name = {feature.name: feature for feature in said}
    reasons = read_reasons(row["reasons"] or [], by_name, currency=currency, language=telling.language)
    points = shown(
        [reason.points_hundredths for reason in reasons],
        total_hundredths=row["points_total"],
        score=row["score"],
        start=start,
        top=top,
    )
    lines = [Line(reason.text, worth) for reason, worth in zip(reasons, points.lines, strict=True)]
    is_for = [reason.direction == "for" for reason in reasons]
    return LeadExplanation(
        lead_id=row["lead_id"],
        as_of=local_iso(to_us(row["as_of"]), telling.settings.shop.time_zone),
        trigger_id=row["trigger_id"],
        score=row["score"],
        start=start,
        score_low=low,
        score_high=high,
        probability=row["probability"],
        probability_low=row["probability_low"],
        probability_high=row["probability_high"],
        grade=row["grade"],
        temperature=row["temperature"],
        rank=row["rank"],
        to_do=to_do(row, telling.label),
        speaks_for=[line for line, speaks in zip(lines, is_for, strict=True) if speaks],
        speaks_against=[line for line, speaks in zip(lines, is_for, strict=True) if not speaks],
        everything_else=points.everything_else,
        limits=points.limits,
        families={name: worth / 100 for name, worth in (row["points_family"] or {}).items() if worth},
        doubts=_doubts(row, telling),
        timeline=timeline,
        model_version=row["model_version"],
        language=telling.language.tag,
    )


def _doubts(row: Mapping[str, Any], telling: _Telling) -> list[str]:
    """Return what to doubt about a score, one sentence per reason code; a card has learned nothing to doubt."""
    if isinstance(telling.model, KeptCard):
        return []
    return told(row, telling.model, currency=telling.settings.shop.currency, language=telling.language)


def _unasked(lead_id: str, why: str) -> LeadlightError:
    return wrong_input(f"The published scores have no lead '{plain(lead_id)}'. {why}")


def meant_by(shown: str, scored: list[str]) -> str | None:
    """Return the one lead whose id is shown as *shown*; None where there is no such lead, or are several.

    A screen shows ids without brackets, control characters and great length, and from there they are copied.

    Args:
        shown: What a person gave.
        scored: The ids of all leads with a score.
    """
    wanted = plain(shown)
    found = {lead_id for lead_id in scored if len(lead_id) >= len(wanted) and _is_shown_as(wanted, lead_id)}
    return found.pop() if len(found) == 1 else None


def _is_shown_as(wanted: str, lead_id: str) -> bool:
    # Most ids are shown as they are, and there may be millions.
    is_shown_whole = lead_id.isalnum() and len(lead_id) <= LONGEST_LEVEL
    return (lead_id if is_shown_whole else plain(lead_id)) == wanted


def _unknown(lead_id: str, scored: pa.Array) -> LeadlightError:
    near = nearest(lead_id, scored.slice(0, _MOST_COMPARED).to_pylist())
    fact = f"The published scores have no lead '{plain(lead_id)}'"
    fact += f"; did you mean '{plain(near)}'?" if near else "."
    return wrong_input(fact, hint="`leadlight score` lists the best leads; exports/ holds all of them.")
