"""One lead's page: its score as a sum, in words; its history; what people said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.errors import LeadlightError
from features.moments import from_us
from models.model import LeadModel
from models.points import score_ends
from models.reason_codes import told
from pipeline.lead_data import lead_data
from pipeline.lead_timeline import Happening
from pipeline.marks import Mark
from pipeline.published.editions import Edition
from pipeline.published.keys import key_of
from pipeline.published.rows import HistoryPoint, ListRow
from pipeline.web import faults
from pipeline.web.harmless import plain
from pipeline.web.listing import Standing, standing
from pipeline.web.visit import Visit
from pipeline.web.waterfall import Step, steps_of
from pipeline.web.words import Scorer


@dataclass(frozen=True)
class Score:
    """One stored score of the lead; a lead with several open triggers has several.

    Attributes:
        row: The stored row, by column.
        steps: The sum: from the start, by every reason, to the score; empty where there is no score.
        top: Where the scale ends.
        low, high: The score at the ends of the probability's interval; None where there is none.
        doubts: What to doubt, a sentence each.
        families: Points by family, strongest first.
        is_card: Whether a points card scored.
    """

    row: Mapping[str, Any]
    steps: list[Step]
    top: int
    low: int | None
    high: int | None
    doubts: list[str]
    families: list[tuple[str, float]]
    is_card: bool


@dataclass(frozen=True)
class LeadPage:
    """Everything that is shown of one lead at once.

    Attributes:
        key: How addresses name it.
        lead_id: Its id.
        name: What people call it.
        people: Personal columns that the config allows, by name, where they are known.
        source, campaign: Where it last came from; None = not known.
        scores: Its scores, best rank first; at least one.
        held: Why it must be left alone, as of now.
        standing: What people said, as it stands now.
        marks: Everything that people said, newest first.
        history: Its scores over time, oldest first.
    """

    key: str
    lead_id: str
    name: str
    people: Mapping[str, str]
    source: str | None
    campaign: str | None
    scores: list[Score]
    held: tuple[str, ...]
    standing: Standing
    marks: list[Mark]
    history: list[HistoryPoint]


def lead_page(visit: Visit, edition: Edition, key: str) -> LeadPage:
    """Return the page of the lead that *key* names.

    Raises:
        RefusedError: There is no such lead among the published scores.
    """
    of_list = listed_of(edition, key)
    rows, listed = edition.whole(of_list), of_list[0]
    scorer = visit.house.words.of(edition.run.model_version)
    first = rows[0]
    marks = visit.house.marks.of_lead(first["lead_id"])
    stands = standing(marks, visit.now)
    allowed = visit.house.settings.app.personal
    people: dict[str, str] = {name: plain(getattr(listed, name)) for name in allowed if getattr(listed, name)}
    return LeadPage(
        key=key,
        lead_id=first["lead_id"],
        name=people.get("display_name") or plain(first["lead_id"]),
        people=people,
        source=listed.source,
        campaign=listed.campaign,
        scores=[_score(row, scorer, visit) for row in rows],
        held=stands.held(first.get("held") or ()),
        standing=stands,
        marks=marks,
        history=edition.history(number_of(key)),
    )


def rows_of(edition: Edition, key: str) -> list[Mapping[str, Any]]:
    """Return the stored rows of a lead, best rank first.

    Raises:
        RefusedError: No lead has this key.
    """
    return list(edition.whole(listed_of(edition, key)))


def listed_of(edition: Edition, key: str) -> list[ListRow]:
    """Return the rows of the list about a lead, best rank first: they tell who it is, and are read quickly.

    Raises:
        RefusedError: No lead has this key.
    """
    rows = edition.listed(number_of(key))
    if not rows:
        raise faults.no_such_lead()
    return rows


def lead_id_of(edition: Edition, key: str) -> str:
    """Return the id of the lead that *key* names.

    Raises:
        RefusedError: No lead has this key.
    """
    return listed_of(edition, key)[0].lead_id


def number_of(key: str) -> int:
    """Return the number that a lead's key spells.

    Raises:
        RefusedError: It spells none, so no lead has it.
    """
    try:
        return key_of(key)
    except LeadlightError as error:
        raise faults.no_such_lead() from error


def timeline_of(visit: Visit, edition: Edition, key: str) -> list[Happening] | None:
    """Return what was known of a lead when it was scored, newest first; None where no history is kept.

    Raises:
        RefusedError: There is no such lead among the published scores.
    """
    row = listed_of(edition, key)[0]
    moment = row.as_of or from_us(edition.stored.as_of)
    return lead_data(visit.house.settings).latest(row.lead_id, as_of=moment, language=visit.said)


def local(visit: Visit, moment: datetime) -> datetime:
    """Return *moment* on the shop's clock."""
    return moment.astimezone(ZoneInfo(visit.house.settings.shop.time_zone))


def _score(row: Mapping[str, Any], scorer: Scorer, visit: Visit) -> Score:
    model = scorer.by if isinstance(scorer.by, LeadModel) else None
    low, high = _ends(row, model)
    currency = visit.house.settings.shop.currency
    families = {name: points / 100 for name, points in (row.get("points_family") or {}).items() if points}
    return Score(
        row=row,
        steps=steps_of(row, scorer, currency=currency, language=visit.said) if row["score"] is not None else [],
        top=scorer.top,
        low=low,
        high=high,
        doubts=told(row, model, currency=currency, language=visit.said) if model else [],
        families=sorted(families.items(), key=lambda one: -abs(one[1])),
        is_card=model is None,
    )


def _ends(row: Mapping[str, Any], model: LeadModel | None) -> tuple[int | None, int | None]:
    """Return the score at the ends of the probability's interval."""
    if model is None or row["probability_low"] is None or row["probability_high"] is None:
        return None, None
    return score_ends(row["probability_low"], row["probability_high"], model)
