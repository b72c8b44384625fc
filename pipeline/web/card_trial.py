"""The points card tried on one lead, as it was known when the published scores were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from features.moment_type import MOMENT
from models.points_card_scoring import score_by_card
from models.scoring import ScoringRun
from pipeline.card_store import KeptCard
from pipeline.lead_data import lead_data
from pipeline.published.editions import Edition
from pipeline.replay import replay_of
from pipeline.settings import Settings
from pipeline.web.faults import RefusedError
from pipeline.web.lead import rows_of
from pipeline.web.visit import Visit
from pipeline.web.waterfall import Step, steps_of
from pipeline.web.words import Scorer


@dataclass(frozen=True)
class Trial:
    """What the card gives one lead.

    Attributes:
        lead_id: The lead.
        score: The card's score.
        grade: The card's grade.
        steps: The sum, rule by rule.
        top: Where the card's scale ends.
        scored: The score that is published for the lead; None where it has none.
    """

    lead_id: str
    score: int
    grade: str
    steps: list[Step]
    top: int
    scored: int | None


def trial(visit: Visit, edition: Edition, key: str) -> Trial:
    """Return what the config's card gives a lead.

    Raises:
        RefusedError: There is no such lead, or its rows are gone.
        LeadlightError: The config names no card, or one with faults.
    """
    settings, row = visit.house.settings, rows_of(edition, key)[0]
    given, scorer = _given(settings, row)
    steps = steps_of(given, scorer, currency=settings.shop.currency, language=visit.said)
    return Trial(row["lead_id"], given["score"], given["grade"], steps, scorer.top, row["score"])


def _given(settings: Settings, row: Mapping[str, Any]) -> tuple[Mapping[str, Any], Scorer]:
    """Return the row that the card would store, and how it is put into words."""
    bound = lead_data(settings).points_card()
    moment = pa.array([row["as_of"]], MOMENT)
    keys = pa.table(
        {
            "lead_id": [row["lead_id"]],
            "trigger_id": pa.array([row["trigger_id"]], pa.string()),
            "old_as_of": moment,
            "new_as_of": moment,
        }
    )
    found = replay_of(settings).read_lead(keys, features=bound.features, newer=bound.features)
    if found is None or not len(found[1]):
        raise RefusedError(404, "rows_gone", "The data of this lead are gone, so the card cannot be tried on it.")
    given = score_by_card(bound, found[0].now, run=ScoringRun(bound.card.label)).to_pylist()[0]
    return given, Scorer(KeptCard(bound.card, bound.words))
