"""What changed between two stored runs: each lead's score, from the old to the new in four steps.

    change = what_changed(settings, "ann", None, old=last_week, new=store.published())
    table = all_changes(settings, last_week, store.published())

A lead alone gets the steps it gets among all. Where the old model or the rows are gone or were changed, that is said
instead, with the total alone (`models.what_changed.WHY_NOT`).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from features.errors import LeadlightError, wrong_input
from features.two_moments import TwoMoments
from models import what_changed as why
from models.concepts_moved import Moved, Told, concepts_moved
from models.what_changed import STEPS, End, ShownSteps, shown_steps
from pipeline.change_table import CHANGES, Scorers, told
from pipeline.histories import THREADS
from pipeline.languages import ENGLISH, Language
from pipeline.progress import Progress, silent
from pipeline.replay import ReadAgain, Replay, replay_of
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.scored_twice import StoredScore, all_pairs, one_pair, stored_score
from pipeline.scorers import scorer_of
from pipeline.settings import Settings
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from models.rescoring import Scorer


@dataclass(frozen=True)
class Change:
    """What changed for one lead between two runs.

    Attributes:
        lead_id: The lead.
        trigger_id: The row that pulled the trigger, or None.
        old_score: 0–100; None where it had none.
        new_score: 0–100; None where it has none.
        old_hundredths: ``points_total`` then; None where it had none.
        new_hundredths: ``points_total`` now; None where it has none.
        steps: Hundredths by the names of `models.what_changed.STEPS`, in their order, which sum to new - old; or None.
        why_not: Why there are no steps, a code of `models.what_changed.WHY_NOT`; empty where there are.
        shown: The change in whole points: the four steps, or one line where there is the total alone, or None.
        moved: The concepts that moved most, where there are steps and two models to compare.
    """

    lead_id: str
    trigger_id: str | None
    old_score: int | None
    new_score: int | None
    old_hundredths: int | None
    new_hundredths: int | None
    steps: Mapping[str, int] | None
    why_not: str
    shown: ShownSteps | None
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True)
class Versions:
    """The labels of the models or cards that gave two runs."""

    old: str
    new: str


def what_changed(
    settings: Settings,
    lead_id: str,
    trigger_id: str | None,
    *,
    old: StoredRun,
    new: StoredRun,
    said_in: Language = ENGLISH,
) -> Change:
    """Return what changed for one lead from the *old* run to the *new* one.

    Args:
        settings: The shop's config.
        lead_id: The lead.
        trigger_id: The row that pulled the trigger; None on a grid.
        old: The older run.
        new: The newer run.
        said_in: The language of `Change.moved`.

    Raises:
        LeadlightError: Neither run has the lead, or the runs are in the wrong order.
    """
    _refuse_backwards(old, new)
    store = ScoreStore(Workspace(settings.shop.workspace))
    before, after = (stored_score(store.path(run), lead_id, trigger_id) for run in (old, new))
    if before is None and after is None:
        raise _never_scored()
    versions = Versions(old.model_version, new.model_version)
    return change_between(settings, lead_id, trigger_id, old=before, new=after, versions=versions, said_in=said_in)


def change_between(
    settings: Settings,
    lead_id: str,
    trigger_id: str | None,
    *,
    old: StoredScore | None,
    new: StoredScore | None,
    versions: Versions,
    said_in: Language = ENGLISH,
) -> Change:
    """Return what changed for one lead between two stored scores that are at hand already.

    Args:
        settings: The shop's config.
        lead_id: The lead.
        trigger_id: The row that pulled the trigger; None on a grid.
        old: Its older score; None where that run does not have it.
        new: Its newer score.
        versions: What gave them.
        said_in: The language of `Change.moved`.
    """
    replay = _replay(settings)
    scorers = _scorers(settings, versions, replay)
    kept: list[TwoMoments] = []

    def read(keys: pa.Table, by: Scorer, newer: Scorer) -> ReadAgain | None:
        again = replay.read_lead(keys, features=by.features, newer=newer.features) if replay else None
        kept.extend([again[0]] if again else [])
        return again

    row = told(one_pair(lead_id, trigger_id, old, new), scorers, read).to_pylist()[0]
    steps = None if row["why_not"] else {name: row.pop(name) for name in STEPS}
    ends = [_end(row, which, scorer) for which, scorer in (("old", scorers.old), ("new", scorers.new))]
    return Change(
        **{name: row[name] for name in CHANGES.names if name not in (*STEPS, "why_not")},
        steps=steps,
        why_not=row["why_not"] or "",
        shown=_shown(steps, ends[0], ends[1]),
        moved=_moved(settings, scorers, (old, new), kept[0], said_in) if steps and old and new and kept else (),
    )


def all_changes(settings: Settings, old: StoredRun, new: StoredRun, *, progress: Progress = silent) -> pa.Table:
    """Return what changed for every lead of either run, as `CHANGES`.

    Leads are read part by part, so memory grows with the two runs' scores alone.

    Args:
        settings: The shop's config.
        old: The older run.
        new: The newer run.
        progress: Told of every part done.

    Raises:
        LeadlightError: The runs are in the wrong order.
    """
    _refuse_backwards(old, new)
    store, replay = ScoreStore(Workspace(settings.shop.workspace)), _replay(settings)
    scorers = _scorers(settings, Versions(old.model_version, new.model_version), replay)
    pairs = all_pairs(store.path(old), store.path(new), parts=replay.parts if replay else 1)

    def of_part(part: int) -> pa.Table:
        def read(keys: pa.Table, by: Scorer, newer: Scorer) -> ReadAgain | None:
            return replay.read(part, keys, features=by.features, newer=newer.features) if replay else None

        return told(pairs[part], scorers, read)

    done: list[pa.Table] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for table in pool.map(of_part, range(len(pairs))):
            done.append(table)
            progress("splitting changes", len(done), len(pairs))
    return pa.concat_tables(done)


def _replay(settings: Settings) -> Replay | None:
    """Return how leads are read again; None where the tables are gone."""
    try:
        return replay_of(settings)
    except LeadlightError:
        return None


def _scorers(settings: Settings, versions: Versions, replay: Replay | None) -> Scorers:
    if replay is None:
        return Scorers(None, None, why.ROWS_GONE)
    old, new = (_scorer(settings, label) for label in (versions.old, versions.new))
    missing = why.MODEL_GONE if old is None else why.NEW_MODEL_GONE if new is None else ""
    return Scorers(old, new, missing)


def _scorer(settings: Settings, label: str) -> Scorer | None:
    try:
        return scorer_of(settings, label)
    except LeadlightError:
        return None


def _end(row: Mapping[str, int | None], which: str, scorer: Scorer | None) -> End | None:
    score, hundredths = row[f"{which}_score"], row[f"{which}_hundredths"]
    if score is None or hundredths is None:
        return None
    return End(score, hundredths) if scorer is None else End(score, hundredths, scorer.start, scorer.top)


def _shown(steps: Mapping[str, int] | None, old: End | None, new: End | None) -> ShownSteps | None:
    if old is None or new is None:
        return None
    return shown_steps(list(steps.values()) if steps else [new.hundredths - old.hundredths], old, new)


def _moved(
    settings: Settings, scorers: Scorers, stored: tuple[StoredScore, StoredScore], read: TwoMoments, said_in: Language
) -> tuple[Moved, ...]:
    from models.rescoring import ByModel

    # What a card says of its rules and what a model says of its features are not the same things.
    if not (isinstance(scorers.old, ByModel) and isinstance(scorers.new, ByModel)):
        return ()
    features = {one.name: one for one in (*scorers.old.features, *scorers.new.features)}
    ends = Told(stored[0].points, read.then), Told(stored[1].points, read.now)
    return concepts_moved(*ends, features, currency=settings.shop.currency, language=said_in)


def _refuse_backwards(old: StoredRun, new: StoredRun) -> None:
    if old.as_of > new.as_of:
        raise wrong_input("The older run is of a later moment than the newer one.", hint="swap the two runs.")


def _never_scored() -> LeadlightError:
    return wrong_input("Neither run has a score of this lead.", hint="`leadlight score` lists the best leads.")
