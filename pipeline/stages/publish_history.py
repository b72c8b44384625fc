"""`leadlight publish --runs` and `--lead`: what was written so far, run by run, or about one lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from features.local_time import local_iso
from pipeline.crm.ledger import runs
from pipeline.crm.ledger.existing import existing
from pipeline.crm.ledger.kept_values import kept_object
from pipeline.crm.ledger.writes import writes_of
from pipeline.crm.promise import Value
from pipeline.crm.session import Outside
from pipeline.crm.targets import target_names
from pipeline.settings import Settings

GIVEN_UP: Final = "given up"
"""What became of a lead that still waited when its run was given up."""
_OVER: Final = frozenset({runs.RunState.SUPERSEDED, runs.RunState.UNDONE})


@dataclass(frozen=True)
class PastRun:
    """One run of the ledger: its number, target, kind, state, moment of the scores, and its tally."""

    run: int
    target: str
    kind: str
    state: str
    as_of: str
    model_version: str
    begun_at: str
    undoes: int | None
    tally: runs.Tally


@dataclass(frozen=True)
class PastWrite:
    """One lead in one run; moments are ISO on the shop's clock.

    Attributes:
        run: The run's number.
        target: Where it writes to.
        kind: Whether the run brought scores or took them back.
        undoes: The run that it took back.
        as_of: The moment of the scores.
        model_version: The model that scored.
        state: What became of the lead: pending, written, rejected, held, or given up with its run.
        score: The score that was sent, 0 to 100; None = emptied.
        grade: The grade that was sent.
        action: The next action that was sent.
        code: The CRM's code, where it turned the lead away.
        words: The CRM's words, where it said any.
        answered_at: When it answered; empty = not yet.
        values: Values by property, as they were frozen before anything was sent.
    """

    run: int
    target: str
    kind: str
    undoes: int | None
    as_of: str
    model_version: str
    state: str
    score: int | None
    grade: str | None
    action: str | None
    code: str
    words: str
    answered_at: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class LeadHistory:
    """What was written about one lead, newest first, target by target."""

    lead_id: str
    writes: tuple[PastWrite, ...]


def past_runs(settings: Settings, to: str, *, outside: Outside | None = None) -> list[PastRun]:
    """Return the last runs of each target, also of one that the config no longer names, newest first.

    Raises:
        LeadlightError: Neither the config nor the ledger knows a target, or none of that name.
    """
    zone = settings.shop.time_zone
    with _ledger(settings, to, outside) as (connection, names):
        if connection is None:
            return []
        found = [run for name in names for run in runs.newest(connection, name)]
        newest_first = sorted(found, key=lambda run: run.id, reverse=True)
        return [_past(connection, run, zone) for run in newest_first]


def lead_history(settings: Settings, to: str, lead_id: str, *, outside: Outside | None = None) -> LeadHistory:
    """Return what was written about the lead of that id to each target; runs long ended are forgotten."""
    zone = settings.shop.time_zone
    with _ledger(settings, to, outside) as (connection, names):
        if connection is None:
            return LeadHistory(lead_id, ())
        found = ((name, one) for name in names for one in writes_of(connection, name, lead_id))
        return LeadHistory(lead_id, tuple(_told(name, one, zone) for name, one in found))


def pending(settings: Settings, to: str, *, outside: Outside | None = None) -> int:
    """Return how many leads of runs that were cut short are still to be sent."""
    return sum(one.tally.pending for one in past_runs(settings, to, outside=outside) if one.state == runs.RunState.OPEN)


@contextmanager
def _ledger(settings: Settings, to: str, outside: Outside | None) -> Iterator[tuple[Connection | None, list[str]]]:
    """Give the ledger, None where there is none yet, and the targets that are asked for."""
    with existing(settings, (outside or Outside()).environment) as engine:
        if engine is None:
            yield None, target_names(settings, to)
            return
        with engine.connect() as connection:
            written = runs.targets(connection)
            if to in written:
                yield connection, [to]
            elif to or not (settings.crm or written):
                yield connection, target_names(settings, to)
            else:
                yield connection, list(dict.fromkeys([*settings.crm, *written]))


def _past(connection: Connection, run: runs.Run, zone: str) -> PastRun:
    return PastRun(
        run=run.id,
        target=run.asked.target,
        kind=run.asked.kind,
        state=run.state,
        as_of=local_iso(run.asked.as_of, zone),
        model_version=run.asked.model_version,
        begun_at=local_iso(run.begun_at, zone),
        undoes=run.asked.undoes,
        tally=runs.tally(connection, run.id),
    )


def _told(target: str, row: Row[Any], zone: str) -> PastWrite:
    is_given_up = row.state == "pending" and row.run_state in _OVER
    return PastWrite(
        run=row.run_id,
        target=target,
        kind=row.kind,
        undoes=row.undoes,
        as_of=local_iso(row.as_of, zone),
        model_version=row.model_version,
        state=GIVEN_UP if is_given_up else row.state,
        score=row.score,
        grade=row.grade,
        action=row.action,
        code=row.code or "",
        words=row.words or "",
        answered_at="" if row.answered_at is None else local_iso(row.answered_at, zone),
        values=kept_object(row.payload),
    )
