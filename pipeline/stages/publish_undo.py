"""`leadlight publish --undo RUN`: what stood before a run is restored, and what changed since is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from features.errors import GateFailedError, LeadlightError, compose, wrong_input
from pipeline.crm.giving_up import end_jobs, give_up
from pipeline.crm.ledger import batches, opening, runs
from pipeline.crm.ledger.batches import TurnedAway
from pipeline.crm.ledger.overwriting import WrittenOver, still_stands, written_over
from pipeline.crm.ledger.runs import Asked, Run, RunKind, RunState, Tally
from pipeline.crm.left_alone import SetOfLeads
from pipeline.crm.room import require_room_for
from pipeline.crm.sending import Sender
from pipeline.crm.session import Outside, Session, at_target, heard
from pipeline.crm.stops import code_of_stop, words_of_stop
from pipeline.crm.trouble import StopError
from pipeline.crm.undoing import Restoring, plan_undoing
from pipeline.exit_codes import code_of_end
from pipeline.holding import left_alone
from pipeline.progress import Progress, silent
from pipeline.settings import Settings


@dataclass(frozen=True)
class UndoReport:
    """What was taken back.

    Attributes:
        target: Its name in the config.
        run: The run that was taken back.
        by: The run that did it; None after a dry run.
        is_dry: Whether nothing was sent.
        tally: How every lead of the run is accounted for; unchanged are those of which nothing was left to take back.
        changed_since: Leads of which something had changed since, which was left alone.
        gone: Leads that have no record any more.
        written_over: Leads of the run that later runs wrote to, which are left as they are.
        written_over_by: Those runs, the newest first: once they are taken back, this one can be for these leads.
        turned_away: Restorings that the CRM turned away: lead, its code and its words, the first hundred.
        stopped: Why it stopped before the end; empty = it did not.
        exit_code: See `pipeline.stages.publish_report.TargetReport`.
    """

    target: str
    run: int
    by: int | None
    is_dry: bool
    tally: Tally
    changed_since: int
    gone: int
    written_over: int
    written_over_by: tuple[int, ...]
    turned_away: tuple[TurnedAway, ...]
    stopped: str
    exit_code: int


def undo(
    settings: Settings,
    run_id: int,
    *,
    is_dry: bool = False,
    may: Callable[[str], bool] = lambda _: False,
    outside: Outside | None = None,
    progress: Progress = silent,
) -> UndoReport:
    """Restore what stood before a run.

    Args:
        settings: The shop's config.
        run_id: The run's number.
        is_dry: Whether to show what would be restored, and send nothing.
        may: Asked, with what is about to happen, before anything is sent.
        outside: Clock, environment and patience; None = the process's own.
        progress: Told of leads looked at, and of leads answered.

    Raises:
        LeadlightError: There is no such run, its rows are gone, later runs wrote over all of it, or its target is not
            configured, leads elsewhere or has no room for what is restored.
        GateFailedError: The answer was no.
        NotFinishedError: Another run writes there, or the CRM does not answer.
    """
    run = _run(settings, run_id, outside or Outside())
    with at_target(settings, run.asked.target, outside or Outside()) as session:
        if session.target.destination != run.asked.destination:
            raise _wrote_elsewhere(run)
        require_room_for(session, run.asked.fields)
        heard(session, progress)
        undoing = _Undoing(settings, session, run, progress)
        if is_dry:
            return undoing.shown()
        return undoing.done(may)


@dataclass(frozen=True)
class _Undoing:
    """One run on its way back."""

    settings: Settings
    session: Session
    run: Run
    progress: Progress

    def shown(self) -> UndoReport:
        """Return what would be restored; the ledger is as before."""
        by, found = self._planned()
        with self.session.engine.connect() as connection:
            tally = runs.tally(connection, by.id)
        self._forget(by)
        return self._told(None, found, tally)

    def done(self, may: Callable[[str], bool]) -> UndoReport:
        """Restore; what an undoing that was cut short left is looked at anew: people may have changed it since."""
        with self.session.engine.connect() as connection:
            others = runs.unfinished(connection, self.run.asked.destination)
            has_lost_rows = runs.has_lost_rows(connection, self.run)
        left = [one for one in others if one.state == RunState.OPEN and one.asked.undoes == self.run.id]
        if left and has_lost_rows:
            return self._sent(left[-1], None)
        # What a job of yesterday may still write must be written, or never, before it is looked at.
        end_jobs(self.session, others)
        by, found = self._planned()
        if found.planned.rows and not may(_question(self.run, found)):
            self._forget(by)
            raise _not_agreed(self.run)
        heard(self.session, self.progress)  # while one person thought, others may have said whom to leave alone
        for other in others:
            if found.planned.rows or self.run.id in {other.id, other.asked.undoes}:
                give_up(self.session, other)
        with self.session.engine.begin() as connection:
            runs.set_state(connection, by.id, RunState.OPEN)
        return self._sent(by, found)

    def _planned(self) -> tuple[Run, Restoring]:
        """Return the run that takes back, as it was written down, and what was found.

        Raises:
            LeadlightError: Later runs wrote over all of it.
        """
        asked, engine, connector = self.run.asked, self.session.engine, self.session.target.connector
        back = Asked(
            destination=asked.destination,
            kind=RunKind.UNDO,
            as_of=asked.as_of,
            model_version=asked.model_version,
            filters={},
            mapping=asked.mapping,
            fields=asked.fields,
            undoes=self.run.id,
        )
        with engine.begin() as connection:
            undo_id = runs.begin(connection, back, at=self.session.outside.clock())
        tell = partial(self._tell, f"Reading {asked.target}")
        found = plan_undoing(
            engine, connector, self.run, undo_id, asked.fields, held=self._held_by_now(), progress=tell
        )
        with engine.begin() as connection:
            size = max(1, connector.batch_size(found.planned.rows))
            runs.seal(connection, undo_id, found.planned, batch_size=size)
            by, over = runs.get(connection, undo_id), written_over(connection, self.run)
        if over.leads and not found.planned.given:
            self._forget(by)
            raise _is_written_over(self.run, over)
        return by, found

    def _forget(self, by: Run) -> None:
        """Remove an undoing that sends nothing after all."""
        with self.session.engine.begin() as connection:
            runs.discard(connection, by.id)

    def _held_by_now(self) -> SetOfLeads:
        """Return the leads that are to be left alone: whoever said so meanwhile means this write as well."""
        outside = self.session.outside
        return SetOfLeads.of(left_alone(self.settings, at=outside.clock(), environment=outside.environment))

    def _sent(self, by: Run, found: Restoring | None) -> UndoReport:
        session = self.session
        with session.engine.connect() as connection:
            due = batches.count_due(connection, by)
        sender = Sender(session.engine, session.target, session.outside.now_us, session.require_alone)
        tell = partial(self._tell, f"Restoring {by.asked.target}", total=due)
        stop = sender.send(by, held=self._held_by_now(), progress=tell)
        with session.engine.begin() as connection:
            tally = runs.tally(connection, by.id)
            if not tally.pending and stop is None:
                runs.end(connection, by.id, RunState.FINISHED, at=session.outside.clock())
                if not written_over(connection, self.run).leads:
                    runs.set_state(connection, self.run.id, RunState.UNDONE)
        return self._told(by.id, found, tally, stop=stop)

    def _told(
        self, by: int | None, found: Restoring | None, tally: Tally, *, stop: StopError | None = None
    ) -> UndoReport:
        target = self.run.asked.target
        code = code_of_end(is_finished=by is None or not tally.pending, has_rejects=tally.rejected > 0)
        with self.session.engine.connect() as connection:
            turned_away = () if by is None else batches.turned_away(connection, by, most=100)
            over = written_over(connection, self.run)
        return UndoReport(
            target=target,
            run=self.run.id,
            by=by,
            is_dry=by is None,
            tally=tally,
            changed_since=0 if found is None else found.changed_since,
            gone=0 if found is None else found.gone,
            written_over=over.leads,
            written_over_by=over.by,
            turned_away=turned_away,
            stopped="" if stop is None else words_of_stop(target, stop),
            exit_code=code if stop is None else code_of_stop(stop),
        )

    def _tell(self, step: str, done: int, *, total: int = 0) -> None:
        self.progress(step, done, total)


def _run(settings: Settings, run_id: int, outside: Outside) -> Run:
    with opening.ledger(settings, outside.environment) as engine, engine.connect() as connection:
        found = runs.find(connection, run_id)
        others = [] if found is None else runs.unfinished(connection, found.asked.destination)
        has_lost_rows = found is not None and runs.has_lost_rows(connection, found)
        is_back = found is not None and found.state == RunState.UNDONE and not still_stands(connection, found)
    if found is None:
        raise _no_such_run(run_id)
    # One that is merely planned wrote nothing: it was cut short before anybody agreed, and is planned anew.
    is_on_its_way = any(one.asked.undoes == run_id and one.state == RunState.OPEN for one in others)
    if found.asked.target not in settings.crm:
        raise _no_target(found)
    if found.asked.kind == RunKind.UNDO:
        raise _is_undoing(found)
    if is_back and not is_on_its_way:
        raise _is_undone(found)
    if has_lost_rows and not is_on_its_way:
        raise _has_lost_rows(found)
    return found


def _question(run: Run, found: Restoring) -> str:
    return f"{found.planned.rows:,} leads would be restored at '{run.asked.target}' as before run {run.id}. Do it?"


def _no_such_run(run_id: int) -> LeadlightError:
    return wrong_input(f"The ledger has no run {run_id}.", hint="`leadlight publish --runs` lists them.")


def _no_target(run: Run) -> LeadlightError:
    hint = "put it back under `crm` in the config for the undoing."
    return wrong_input(f"Run {run.id} wrote to '{run.asked.target}', which the config no longer names.", hint=hint)


def _wrote_elsewhere(run: Run) -> LeadlightError:
    fact = f"Run {run.id} wrote to another place than '{run.asked.target}' names now."
    hint = "put the file, table or account of that time back under `crm` in the config for the undoing."
    return wrong_input(fact, hint=hint)


def _is_undoing(run: Run) -> LeadlightError:
    hint = "`leadlight publish` writes the published scores again."
    return wrong_input(f"Run {run.id} took another run back; it cannot be taken back itself.", hint=hint)


def _is_undone(run: Run) -> LeadlightError:
    return wrong_input(f"Run {run.id} was taken back already.", hint="`leadlight publish --runs` lists what was done.")


def _has_lost_rows(run: Run) -> LeadlightError:
    hint = "`leadlight publish --resend` writes the published scores over whatever stands there."
    return wrong_input(f"Run {run.id} cannot be taken back: its rows went after publish.keep_days.", hint=hint)


def _is_written_over(run: Run, over: WrittenOver) -> LeadlightError:
    first = f"take back {over.words} first, then run {run.id} again."
    resend = "`leadlight publish --resend` writes the published scores over whatever stands there."
    fact = f"Run {run.id} cannot be taken back now: later runs wrote over all that it wrote ({over.leads:,} leads)."
    return wrong_input(fact, hint=first if over.by else resend)


def _not_agreed(run: Run) -> GateFailedError:
    return GateFailedError(compose(f"Run {run.id} was not taken back.", hint="--yes takes it back without asking."))
