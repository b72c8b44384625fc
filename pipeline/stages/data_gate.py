"""The gate before the scores of a night: the tables that they read are fresh and full, or nothing is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.catalog import Feature
from features.errors import GateFailedError, compose
from features.local_time import local_iso
from features.moments import is_past, local_date, local_midnight, to_us
from features.timeline import Coverage
from pipeline.asked_moment import asked_moment
from pipeline.champion import champion, has_champion
from pipeline.deciding import Deciding
from pipeline.lead_data import LeadData, lead_data
from pipeline.settings import Settings
from pipeline.stages.freshness import Freshness, Rules, Volume, freshness
from pipeline.stages.row_counts import row_counts
from pipeline.workspace import LEAD_TABLE, Workspace

_PEOPLE = "leads"
"""New leads may be rare, so their table has no age of its own unless the config names it; its volume counts."""


@dataclass(frozen=True)
class NewestData:
    """What a night would score.

    Attributes:
        moment: The moment of scoring, microseconds (UTC).
        tables: How each table stands that the scores, or the decisions about them, read.
    """

    moment: int
    tables: tuple[Freshness, ...]


def newest_data(settings: Settings, *, as_of: datetime | None, now: datetime) -> NewestData:
    """Return what would be scored, and how the tables stand that it is read from.

    Args:
        settings: The shop's config; tables must be ingested, and a model trained or a points card named.
        as_of: The moment that was asked for; ages count from there. None = the end of the data, and ages count from
            *now*.
        now: When the night runs (aware).

    Raises:
        LeadlightError: No model and no card, nothing ingested, or a moment in the future.
    """
    leads = lead_data(settings)
    features = _read_by_scores(settings, leads)
    ends = leads.data_until(features)
    moment = min(ends.values()) if as_of is None else asked_moment(settings, as_of, scored_at=now)
    ends = {**ends, **leads.data_until((*features, *Deciding(settings, leads).beside))}
    spans = {name: leads.coverage.get(name, Coverage(end, end)) for name, end in ends.items()}
    spans |= {_PEOPLE: leads.coverage[_PEOPLE]} if _PEOPLE in leads.coverage else {}
    at, zone, rules = to_us(now) if as_of is None else moment, settings.shop.time_zone, _rules(settings)
    with row_counts(settings) as count_of:
        tables = tuple(
            freshness(name, span, count_of(name), at=at, as_of=_whole_until(settings, moment), zone=zone, rules=rules)
            for name, span in sorted(spans.items())
        )
    return NewestData(moment, tables)


def require_fit(settings: Settings, tables: Sequence[Freshness]) -> None:
    """See that every table may be scored on.

    Raises:
        GateFailedError: Some may not; every fault is told.
    """
    faults = [line for table in tables for line in _faults(table, zone=settings.shop.time_zone)]
    if faults:
        raise _unfit(faults)


def _read_by_scores(settings: Settings, leads: LeadData) -> Sequence[Feature]:
    """Return what those read that score: the champion, or the points card while there is none."""
    if settings.points.card is not None and not has_champion(settings):
        return leads.points_card().features
    return champion(settings)[0].features


def _whole_until(settings: Settings, moment: int) -> int:
    """Return until when rows can be expected: *moment*, but of a lead table the begin of the last day that it names.

    A lead table covers all until it was loaded, whatever its newest date; that day may have just begun.
    """
    if settings.lead_table is None or settings.lead_table.date is None:
        return moment
    _, manifest = Workspace(settings.shop.workspace).lead_table()
    last = to_us(datetime.fromisoformat(manifest["report"]["tables"][LEAD_TABLE]["last_occurred"]))
    zone = settings.shop.time_zone
    begin = local_midnight(local_date(last, zone), zone)
    return begin if is_past(begin, moment) else moment


def _rules(settings: Settings) -> Rules:
    asked = settings.run
    return Rules(
        max_age_days=asked.max_age_days,
        least_volume=asked.least_volume,
        from_rows=asked.volume_from_rows,
        max_age_days_of={_PEOPLE: 0, **asked.max_age_days_of},
        least_volume_of=asked.least_volume_of,
    )


def _faults(table: Freshness, *, zone: str) -> list[str]:
    lines = []
    if table.is_stale:
        ended = local_iso(table.data_until, zone)
        lines.append(
            f"{table.table}: ends {ended}, {table.age_days:.1f} days before this run; {table.max_age_days:g} are "
            "allowed (run.max_age_days)"
        )
    if table.volume is not None and table.volume.is_thin:
        lines.append(f"{table.table}: {_few(table.volume)} (run.least_volume)")
    return lines


def _few(volume: Volume) -> str:
    newest = "on its newest day" if volume.days == 1 else f"in its newest {volume.days} days"
    return f"{volume.rows:,} rows {newest}, usually {volume.usual:,.0f}; at least {volume.least_share:.0%} are expected"


def _unfit(faults: Sequence[str]) -> GateFailedError:
    fact = "The data are not fit to be scored, so nothing was scored and nothing was published:"
    hint = (
        "see whether the export ran and is whole, then run this again; people keep the scores of before. Where the "
        "data are right as they are, allow it for that table: run.max_age_days_of, run.least_volume_of."
    )
    return GateFailedError(compose(fact, faults, hint=hint))
