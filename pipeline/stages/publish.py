"""`leadlight publish`: the published scores written to where people work, each lead accounted for.

What is to be sent is compared with what stands, frozen in the ledger, and only then sent. A run that was cut short is
taken up again with the very values it had; one whose scores are no longer the newest is given up, and what was on its
way is known to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path

from features.errors import GateFailedError, compose
from features.local_time import local_iso
from features.moments import to_us
from pipeline.crm.dead_letters import write_dead_letters
from pipeline.crm.given import Filters, check_filters
from pipeline.crm.giving_up import give_up
from pipeline.crm.ledger import batches, runs, standing
from pipeline.crm.ledger.runs import Asked, Planned, Run, RunKind, RunState, Tally
from pipeline.crm.left_alone import SetOfLeads
from pipeline.crm.losses import require_what_stands
from pipeline.crm.planning import Plan, Planner, Rules
from pipeline.crm.previews import write_preview
from pipeline.crm.room import require_room
from pipeline.crm.sending import Sender
from pipeline.crm.session import Outside, Session, at_target, heard
from pipeline.crm.stops import code_of_stop, words_of_stop
from pipeline.crm.targets import target_names
from pipeline.crm.trouble import StopError
from pipeline.exit_codes import code_of_end
from pipeline.holding import left_alone
from pipeline.holds import overridden
from pipeline.progress import Progress, silent
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.settings import Settings
from pipeline.spare_memory import give_back
from pipeline.stages.each_target import each_target
from pipeline.stages.publish_report import Movement, PublishReport, TargetReport
from pipeline.stages.publish_scores import ScoresFor
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Wish:
    """What a person, or the nightly job, asks for.

    Attributes:
        to: One target; empty = all of the config.
        filters: Which of the leads.
        is_dry: Whether to show what would be sent, and send nothing.
        resend: Whether to send all, whatever stands.
        retry_rejected: Whether to send those that were turned away again.
        may: Asked, with what is about to happen, where more leads change than the config lets pass.
    """

    to: str = ""
    filters: Filters = field(default_factory=Filters)
    is_dry: bool = False
    resend: bool = False
    retry_rejected: bool = False
    may: Callable[[str], bool] = lambda _: False


def publish(
    settings: Settings, wish: Wish, *, outside: Outside | None = None, progress: Progress = silent
) -> PublishReport:
    """Write the published scores to the targets that are asked for, one after the other.

    A target at which nothing can be done is told, and keeps the others from nothing.

    Args:
        settings: The shop's config.
        wish: What is asked for.
        outside: Clock, environment and patience; None = the process's own.
        progress: Told of leads looked at, and of leads answered.

    Raises:
        LeadlightError: Nothing was scored, no such target, or filters that no lead can pass.
    """
    names = target_names(settings, wish.to)
    store = ScoreStore(Workspace(settings.shop.workspace))
    stored = store.published()
    store.complete(stored)
    check_filters(wish.filters, store.labels(stored))

    def at_one(name: str) -> TargetReport:
        with at_target(settings, name, outside or Outside()) as session:
            return _Publication(settings, wish, session, store, stored, progress).report()

    return PublishReport(*each_target(names, at_one))


@dataclass
class _Publication:
    """One run of scores on its way to one target."""

    settings: Settings
    wish: Wish
    session: Session
    store: ScoreStore
    stored: StoredRun
    progress: Progress

    def report(self) -> TargetReport:
        """Publish and return what came of it."""
        require_room(self.session)
        heard(self.session, self.progress)
        left = None if self.wish.is_dry else self._left_over()
        if not self.wish.resend:
            require_what_stands(self.session)
        if left is not None:
            return self._sent(left, Plan(Planned(), []), is_resumed=True)
        run, made = self._frozen()
        if self.wish.is_dry:
            return self._shown(run, made)
        if made.planned.rows:
            self._ask(run, made.planned)
        with self.session.engine.begin() as connection:
            runs.set_state(connection, run.id, RunState.OPEN)
            if self.wish.resend:  # the target may have lost all that it held, also what is not sent now
                standing.doubt(connection, self.session.target.destination)
        return self._sent(run, made, is_resumed=False)

    def _asked(self) -> Asked:
        target = self.session.target
        return Asked(
            destination=target.destination,
            kind=RunKind.PUBLISH,
            as_of=self.stored.as_of,
            model_version=self.stored.model_version,
            filters=self.wish.filters.as_data,
            mapping=target.mapping,
            fields=target.fields,
        )

    def _left_over(self) -> Run | None:
        """Return the same run where it was cut short; others that were are given up, and so is it for another wish."""
        with self.session.engine.connect() as connection:
            found = runs.unfinished(connection, self.session.target.destination)
        same = [run for run in found if run.state == RunState.OPEN and run.asked == self._asked()][-1:]
        if self.wish.resend or self.wish.retry_rejected:
            same = []
        for run in found:
            if run not in same:
                give_up(self.session, run)
        return same[0] if same else None

    def _frozen(self) -> tuple[Run, Plan]:
        """Return the run as it was written down: what it sends changes no more."""
        session, target = self.session, self.session.target
        scores, filters = self._scores, self.wish.filters
        payloads, held = scores.payloads(), self._held
        with session.engine.begin() as connection:
            run_id = runs.begin(connection, self._asked(), at=session.outside.clock())
        rules = Rules(
            min_change=target.config.min_change,
            max_age_days=target.config.max_age_days,
            mapping=target.mapping,
            resend=self.wish.resend,
            retry_rejected=self.wish.retry_rejected,
        )
        planner = Planner(session.engine, target.destination, rules, held, session.outside.now_us())
        tell = partial(self._tell, f"Comparing with {target.name}", total=self.store.count(self.stored))
        made = planner.plan(run_id, scores.leads(filters), payloads.of, emptied=scores.emptied(filters), progress=tell)
        give_back()  # comparing a million leads leaves 80 MB, and sending wants its own
        size = max(1, target.connector.batch_size(made.planned.rows))
        with session.engine.begin() as connection:
            runs.seal(connection, run_id, made.planned, batch_size=size)
            return runs.get(connection, run_id), made

    def _shown(self, run: Run, made: Plan) -> TargetReport:
        """Return what would be sent, and forget it."""
        engine = self.session.engine
        try:
            with engine.connect() as connection:
                tally = runs.tally(connection, run.id)
            preview = write_preview(engine, self.store.workspace, self.session.target.name, run.id)
        finally:
            with engine.begin() as connection:
                runs.discard(connection, run.id)
        return self._told(None, made, tally, preview=preview)

    def _ask(self, run: Run, planned: Planned) -> None:
        """Ask where more leads change than the config lets pass without a word.

        Raises:
            GateFailedError: The answer is no.
        """
        share = planned.rows / max(1, planned.given)
        limit = self.session.target.config.ask_above
        if share <= limit:
            return
        if self.wish.may(_question(self.session.target.name, planned)):
            heard(self.session, self.progress)  # while one person thought, others may have said whom to leave alone
            return
        with self.session.engine.begin() as connection:
            runs.discard(connection, run.id)
        raise _too_many(self.session.target.name, planned, limit)

    def _sent(self, run: Run, made: Plan, *, is_resumed: bool) -> TargetReport:
        session = self.session
        with session.engine.connect() as connection:
            due = batches.count_due(connection, run)
        sender = Sender(session.engine, session.target, session.outside.now_us, session.require_alone)
        tell = partial(self._tell, f"Writing to {session.target.name}", total=due)
        stop = sender.send(run, held=self._held_by_now(), progress=tell)
        with session.engine.begin() as connection:
            tally = runs.tally(connection, run.id)
            if not tally.pending and stop is None:
                runs.end(connection, run.id, RunState.FINISHED, at=session.outside.clock())
        self._tidy()
        return self._told(run.id, made, tally, stop=stop, is_resumed=is_resumed)

    def _tidy(self) -> None:
        """Let rows go whose runs ended long ago."""
        outside, keep = self.session.outside, timedelta(days=self.settings.publish.keep_days)
        with self.session.engine.begin() as connection:
            runs.prune(connection, before=to_us(outside.clock() - keep))

    def _told(
        self,
        run_id: int | None,
        made: Plan,
        tally: Tally,
        *,
        preview: Path | None = None,
        stop: StopError | None = None,
        is_resumed: bool = False,
    ) -> TargetReport:
        is_dry, where = self.wish.is_dry, self.session.target.destination
        letters = None if is_dry else self._letters()
        code = code_of_end(is_finished=is_dry or not tally.pending, has_rejects=tally.rejected > 0)
        return TargetReport(
            target=where.target,
            run=run_id,
            as_of=local_iso(self.stored.as_of, self.settings.shop.time_zone),
            model_version=self.stored.model_version,
            is_dry=is_dry,
            is_resumed=is_resumed,
            tally=tally,
            movements=_movements(made.planned),
            examples=tuple(made.examples),
            dead_letters=letters,
            stopped="" if stop is None else words_of_stop(where.target, stop),
            exit_code=code if stop is None else code_of_stop(stop),
            preview=preview,
        )

    def _letters(self) -> Path | None:
        """Return the file of those that were turned away, written anew; None = nobody was."""
        session, unsendable = self.session, self._scores.unsendable()
        return write_dead_letters(
            session.engine, self.store.workspace, session.target.destination, unsendable=unsendable
        )

    @cached_property
    def _scores(self) -> ScoresFor:
        return ScoresFor(self.settings, self.session.target, self.store, self.stored)

    @cached_property
    def _held(self) -> SetOfLeads:
        """Whom to leave alone, as of the beginning."""
        outside = self.session.outside
        return SetOfLeads.of(left_alone(self.settings, at=outside.clock(), environment=outside.environment))

    def _held_by_now(self) -> SetOfLeads:
        """Return whom to leave alone, with those whom people named since the beginning."""
        outside = self.session.outside
        return self._held.and_those(overridden(self.settings, at=outside.clock(), environment=outside.environment))

    def _tell(self, step: str, done: int, *, total: int) -> None:
        self.progress(step, done, total)


def _movements(planned: Planned) -> tuple[Movement, ...]:
    """Return leads by movement of their grade, the largest groups first."""
    counted: Sequence[tuple[tuple[str, str], int]] = sorted(
        planned.movements.items(), key=lambda one: (-one[1], one[0])
    )
    return tuple(Movement(before, now, leads) for (before, now), leads in counted)


def _question(target: str, planned: Planned) -> str:
    return f"{planned.rows:,} of {planned.given:,} leads would change at '{target}'. Write them?"


def _too_many(target: str, planned: Planned, limit: float) -> GateFailedError:
    share = planned.rows / max(1, planned.given)
    fact = f"{planned.rows:,} of {planned.given:,} leads ({share:.0%}) would change at '{target}'; nothing was written."
    hint = (
        f"look at them with --dry-run; --yes writes them. Above {limit:.0%} somebody is asked "
        f"(crm.{target}.ask_above), because a broken model changes everybody at once."
    )
    return GateFailedError(compose(fact, hint=hint))
