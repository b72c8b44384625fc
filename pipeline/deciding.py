"""From scored leads to decided ones: each lead's situation, who it is, and the shop's rules brought together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from features import situation
from features.catalog import Feature
from features.errors import wrong_input
from features.matrix import FeatureTable
from features.people import PEOPLE
from features.situation import Naming
from models.decisions import Decisions, as_data, decide
from models.each_lead import first_of_each_lead
from models.holds import HELD_IN_CRM, OVERRIDDEN
from models.scoring import ScoringRun, with_ranks
from pipeline.holds import held_by_people, held_in_crms
from pipeline.lead_data import LeadData
from pipeline.playbooks import decisions_of, faults
from pipeline.progress import Progress, silent
from pipeline.published.list_columns import LAST_TOUCH
from pipeline.settings import Settings

_REACHED_BY: Final = {"has_email": "email", "has_phone": "phone"}


@dataclass(frozen=True)
class Decided:
    """A run's scores with what is to be done.

    Attributes:
        scores: Stored scores with every column of `models.decision_columns.DECISION_COLUMNS`.
        people: Who the leads are, for showing: ``lead_id``, the columns of `features.people.PEOPLE`, ``source`` and
            ``campaign`` of the latest visit; one row per lead of the run, null what is not known.
        words: What people read of stages, plays and segments (`models.decisions.as_data`).
    """

    scores: pa.Table
    people: pa.Table
    words: Mapping[str, Any]


class Deciding:
    """The rules of a config, over the leads that they are asked of.

    Args:
        settings: The shop's config.
        leads: Its leads.

    Raises:
        LeadlightError: Rules ask for attributes that the leads do not have.
    """

    def __init__(self, settings: Settings, leads: LeadData) -> None:
        if settings.attribute_kinds is None and (wrong := faults(settings.decisions, leads.attributes)):
            raise wrong_input("Rules under decisions in the config ask for what these leads do not have:", wrong)
        self._settings, self._leads = settings, leads

    @cached_property
    def decisions(self) -> Decisions:
        """The rules."""
        return decisions_of(self._settings.decisions)

    @cached_property
    def beside(self) -> tuple[Feature, ...]:
        """The columns that scoring must be given beside the model's features: see `LeadData.waiting`."""
        named = self.decisions.named
        facts = situation.situation(
            self._leads.available,
            naming_of(self._settings),
            event_types=self._leads.event_types,
            wanted=self.decisions.facts | set(LAST_TOUCH),
        )
        asked = [name for name in named if name.startswith(situation.ATTRIBUTE)]
        return (*facts, *situation.attributes(asked, self._leads.attributes))

    def decided(self, scores: pa.Table, situations: Sequence[pa.Table], *, as_of: int, scored_at: datetime) -> Decided:
        """Return ranked *scores* with what is to be done about each lead.

        Args:
            scores: Stored scores with ranks.
            situations: What `situation_of` returned of every part.
            as_of: The moment of scoring, microseconds (UTC).
            scored_at: When this run happens (aware): marks that people made until then count.
        """
        told = with_people(
            pa.concat_tables(situations).unify_dictionaries(),
            self._leads.people(as_of=as_of),
            held={
                OVERRIDDEN: held_by_people(self._settings, at=scored_at),
                HELD_IN_CRM: held_in_crms(self._settings),
            },
        )
        facts = told.take(pc.index_in(scores["lead_id"], value_set=told["lead_id"].combine_chunks()))
        return Decided(scores=decide(self.decisions, scores, facts), people=_shown(told), words=as_data(self.decisions))


def scored_and_decided(
    settings: Settings,
    leads: LeadData,
    features: Sequence[Feature],
    score: Callable[[FeatureTable], pa.Table],
    *,
    run: ScoringRun,
    moment: int,
    ranked_by: str = "log_odds",
    progress: Progress = silent,
) -> Decided:
    """Return the scores of everyone who waits for an answer, ranked, with what is to be done about each.

    Args:
        settings: The shop's config.
        leads: Its leads.
        features: The columns that *score* reads.
        score: Gives the stored scores of a part of the leads.
        run: What all rows share.
        moment: The moment of scoring, microseconds (UTC).
        ranked_by: The column of stored scores by which leads are ranked.
        progress: Told of every part done.

    Raises:
        LeadlightError: Nobody waits for an answer, or rules ask for attributes that the leads do not have.
    """
    deciding = Deciding(settings, leads)
    parts = leads.waiting(
        features,
        lambda asked: (score(asked), situation_of(asked)),
        as_of=moment,
        beside=deciding.beside,
        progress=progress,
    )
    scores = with_ranks(pa.concat_tables([scored for scored, _ in parts]), by=ranked_by)
    if not len(scores):
        raise leads.nobody_waits(moment)
    if run.scored_at is None:
        raise ValueError("a run of scores has a moment at which it happens")
    return deciding.decided(scores, [told for _, told in parts], as_of=moment, scored_at=run.scored_at)


def situation_of(asked: FeatureTable) -> pa.Table:
    """Return the situation of each lead of *asked*, once: ``lead_id`` and what lies beside its features."""
    lead_id = asked.keys["lead_id"].cast(pa.string())
    table = pa.table({"lead_id": lead_id})
    if asked.beside is not None:
        for name in asked.beside.column_names:
            table = table.append_column(name, asked.beside[name])
    first = first_of_each_lead(lead_id)
    return table if len(first) == len(table) else table.take(pa.array(first))


def with_people(told: pa.Table, people: pa.Table | None, *, held: Mapping[str, pa.Array]) -> pa.Table:
    """Return each lead's situation with who it is, and with what is known of it through that."""
    for name, lead_ids in held.items():
        told = told.append_column(name, pc.is_in(told["lead_id"], value_set=lead_ids))
    if people is None:
        return told
    places = pc.index_in(told["lead_id"], value_set=people["lead_id"].combine_chunks())
    told = told.append_column(situation.column_of("is_registered"), pc.is_valid(places))
    for name in (column for column in PEOPLE if column in people.column_names):
        told = told.append_column(name, people[name].combine_chunks().take(places))
    for fact, column in _REACHED_BY.items():
        if column in people.column_names:
            is_there = pc.not_equal(pc.utf8_trim_whitespace(told[column]), "")
            told = told.append_column(situation.column_of(fact), pc.fill_null(is_there, False))
    return told


def _shown(told: pa.Table) -> pa.Table:
    """Return who the leads are, with the same columns for every shop."""
    columns = {"lead_id": told["lead_id"]}
    for name in (*PEOPLE, *LAST_TOUCH):
        column = situation.column_of(name) if name in LAST_TOUCH else name
        there = told[column] if column in told.column_names else pa.nulls(len(told), pa.string())
        columns[name] = there.cast(pa.string())
    return pa.table(columns)


def naming_of(settings: Settings) -> Naming:
    """Return how the shop calls what opens and closes, and its events."""
    suppress = settings.decisions.suppress
    return Naming(
        event_types={ours: tuple(names) for ours, names in settings.features.event_types.items()},
        unsubscribes=tuple(suppress.unsubscribe),
        subscribes=tuple(suppress.subscribe),
        deal_opens=tuple(suppress.deal_opens),
        deal_closes=tuple(suppress.deal_closes),
    )
