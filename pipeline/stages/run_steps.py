"""The steps of a night: what each does, what it needs, and what it tells.

Each is safe to do again: what was done before is found, and not done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from features import moments
from features.errors import LeadlightError, NotFinishedError, not_finished
from features.local_time import local_iso
from models.wording import counted
from pipeline.crm.session import Outside
from pipeline.exit_codes import DONE, DONE_WITH_REJECTS
from pipeline.progress import Progress, silent
from pipeline.published.manifest import StoredRun, read_manifest
from pipeline.score_store import ScoreStore
from pipeline.settings import Settings
from pipeline.stages import data_gate
from pipeline.stages.ingest import ingest
from pipeline.stages.listen import listen
from pipeline.stages.missed_nights import missed_nights
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_report import PublishReport, TargetReport
from pipeline.stages.report import write_report
from pipeline.stages.run_report import Outcome, StepReport
from pipeline.stages.score import score
from pipeline.stages.score_report import ScoreReport
from pipeline.stored_run import Unpublished
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class NightWish:
    """What is asked of a night.

    Attributes:
        as_of: The moment to score, on the shop's clock where it is naive; None = the end of the data.
        catch_up: Whether nights that were missed are scored as well.
        may: Asked before more leads change in a CRM than the config lets pass.
    """

    as_of: datetime | None = None
    catch_up: bool = False
    may: Callable[[str], bool] = lambda _: False


@dataclass
class Night:
    """One night: what it was given, and what its steps have found so far.

    Attributes:
        settings: The shop's config.
        wish: What is asked for.
        outside: Clock, environment and patience.
        progress: Told of every step.
        data: What is to be scored, once it was looked at.
        scored: What was scored, once it was.
        missed: Nights since the last on which nothing was scored.
        caught_up: Those of them that were scored now.
    """

    settings: Settings
    wish: NightWish
    outside: Outside = field(default_factory=Outside)
    progress: Progress = silent
    data: data_gate.NewestData | None = None
    scored: ScoreReport | None = None
    missed: tuple[int, ...] = ()
    caught_up: list[int] = field(default_factory=list)

    def told(self, moment: int) -> str:
        """Return a moment as ISO text of the shop's clock."""
        return local_iso(moment, self.settings.shop.time_zone)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: What people call it.
        act: Does it; what it raises as `LeadlightError` is told, and ends the step.
        needs: The steps that must stand before.
    """

    name: str
    act: Callable[[Night], StepReport]
    needs: tuple[str, ...] = ()


def hear_crms(night: Night) -> StepReport:
    """Read what people did in the CRMs, so that the next step takes it in."""
    if not any(target.read.properties for target in night.settings.crm.values()):
        return StepReport("listen", Outcome.SKIPPED, words="The config names nothing to be read under crm.")
    report = listen(night.settings, "", outside=night.outside, progress=night.progress)
    counts = {name: sum(getattr(one, name) for one in report.heard) for name in ("records", "changes")}
    lines = [f"{one.target}: {counted(one.changes, 'value')} changed." for one in report.heard if one.is_read]
    lines += [f"{one.target}: nothing was heard. {one.message}" for one in report.failures]
    outcome = Outcome.FAILED if report.failures else Outcome.DONE if counts["changes"] else Outcome.NOTHING_NEW
    return StepReport("listen", outcome, report.exit_code, words="\n".join(lines), counts=counts)


def read_sources(night: Night) -> StepReport:
    """Read what is new in the sources."""
    # Its moment comes after what was heard: nothing is known before it was heard.
    outside = night.outside
    report = ingest(night.settings, now=outside.clock(), progress=night.progress, environment=outside.environment)
    tables = report.tables.values()
    counts = {
        "rows_read": sum(table.rows_read for table in tables),
        "new": sum(table.kept for table in tables),
        "changed": sum(table.new_versions + table.retracted for table in tables),
        "rejected": sum(table.rejected_rows for table in tables),
        "leads": report.leads,
    }
    words = f"{counted(counts['new'], 'new row')}, {counts['changed']:,} changed, {counted(report.leads, 'lead')}."
    if report.has_rejects:
        words += f" {counted(counts['rejected'], 'row')} rejected: {', '.join(report.rejects)}"
    code = DONE_WITH_REJECTS if report.has_rejects else DONE
    outcome = Outcome.DONE if report.is_changed else Outcome.NOTHING_NEW
    return StepReport("ingest", outcome, code, words=words, counts=counts)


def look_at_data(night: Night) -> StepReport:
    """See that the data are fresh and full."""
    night.data = data_gate.newest_data(night.settings, as_of=night.wish.as_of, now=night.outside.clock())
    data_gate.require_fit(night.settings, night.data.tables)
    words = f"{counted(len(night.data.tables), 'table')} fit to be scored as of {night.told(night.data.moment)}."
    return StepReport("data", Outcome.DONE, words=words)


def score_leads(night: Night) -> StepReport:
    """Score the missed nights where that is wished, then this one."""
    before = _published(night.settings)
    night.missed = _missed(night, before)
    notes = _catch_up(night) if night.wish.catch_up else _left_out(night)
    report = score(night.settings, as_of=night.wish.as_of, scored_at=night.outside.clock(), progress=night.progress)
    if night.data is not None and report.as_of != night.told(night.data.moment):
        raise _changed_meanwhile()
    if report.unpublished == Unpublished.ANOTHER_SCORES:
        raise _another_scores()
    night.scored = report
    is_known = not report.is_new and not night.caught_up and _published(night.settings) == before
    counts = {"leads": report.leads, "unscored": report.unscored, "held": report.held_leads}
    said = "had been scored before" if is_known else "scored"
    words = f"{counted(report.leads, 'lead')} {said} as of {report.as_of} by version {report.model_version}.{notes}"
    return StepReport("score", Outcome.NOTHING_NEW if is_known else Outcome.DONE, words=words, counts=counts)


def write_to_crms(night: Night) -> StepReport:
    """Write the scores to every target of the config."""
    if not night.settings.crm:
        return StepReport("publish", Outcome.SKIPPED, words="The config names no target under crm.")
    if night.scored is not None and night.scored.unpublished is not None:
        words = f"Readers are shown a later moment than {night.scored.as_of}, so nothing was written."
        return StepReport("publish", Outcome.SKIPPED, words=words)
    report = publish(night.settings, Wish(may=night.wish.may), outside=night.outside, progress=night.progress)
    lines = [_target_words(one) for one in report.targets]
    lines += [f"{one.target}: nothing was done. {one.message}" for one in report.failures]
    return StepReport(
        "publish",
        _publish_outcome(report),
        report.exit_code,
        words="\n".join(lines),
        targets={one.target: one.tally for one in report.targets},
    )


def write_page(night: Night) -> StepReport:
    """Write the report's page."""
    if not night.settings.run.report:
        return StepReport("report", Outcome.SKIPPED, words="run.report is false.")
    written = write_report(night.settings, progress=night.progress)
    return StepReport("report", Outcome.DONE, words=f"The page: {written.page}")


STEPS: Final = (
    # What comes back from a CRM is taken in by `ingest`; where it cannot be heard, the night goes on without it.
    Step("listen", hear_crms),
    Step("ingest", read_sources),
    Step("data", look_at_data, needs=("ingest",)),
    Step("score", score_leads, needs=("data",)),
    Step("publish", write_to_crms, needs=("score",)),
    Step("report", write_page, needs=("score",)),
)
"""In order."""


def _published(settings: Settings) -> StoredRun | None:
    store = ScoreStore(Workspace(settings.shop.workspace))
    manifest = read_manifest(store.manifest_file)
    return None if manifest is None else manifest.run


def _missed(night: Night, before: StoredRun | None) -> tuple[int, ...]:
    """Return the nights between what readers are shown and what is scored now; none before the first run."""
    # What is shown counts, not what is stored: a run that was killed before it was shown is taken up again.
    if before is None or night.data is None:
        return ()
    return missed_nights(before.as_of, night.data.moment, zone=night.settings.shop.time_zone)


def _left_out(night: Night) -> str:
    if not night.missed:
        return ""
    return f" {counted(len(night.missed), 'night')} before it {_were(night.missed)} missed; --catch-up scores them."


def _catch_up(night: Night) -> str:
    """Score the missed nights in order, each shown before the next, and return what is to be said of them."""
    nights = night.missed[-night.settings.run.catch_up_nights :]
    lines: list[str] = []
    for moment in nights:
        try:
            score(
                night.settings, as_of=moments.from_us(moment), scored_at=night.outside.clock(), progress=night.progress
            )
        except NotFinishedError:
            raise
        except LeadlightError as error:
            # A night on which nobody waited has no scores, and keeps no other night from its own.
            lines.append(f" {night.told(moment)} has none: {str(error).splitlines()[0]}")
        else:
            night.caught_up.append(moment)
    if night.caught_up:
        lines.insert(0, f" {counted(len(night.caught_up), 'missed night')} caught up.")
    if older := len(night.missed) - len(nights):
        lines.append(
            f" {counted(older, 'older night')} {'stays' if older == 1 else 'stay'} missed (run.catch_up_nights)."
        )
    return "".join(lines)


def _were(nights: tuple[int, ...]) -> str:
    return "was" if len(nights) == 1 else "were"


def _publish_outcome(report: PublishReport) -> Outcome:
    if report.failures or report.exit_code not in {DONE, DONE_WITH_REJECTS}:
        return Outcome.FAILED
    is_written = any(one.tally.written or one.tally.rejected for one in report.targets)
    return Outcome.DONE if is_written else Outcome.NOTHING_NEW


def _target_words(one: TargetReport) -> str:
    """Return how every lead is accounted for at a target."""
    parts = " + ".join(f"{count:,} {name}" for name, count in one.tally.parts.items())
    words = f"{one.target}: {parts} = {counted(one.tally.given, 'lead')}."
    if one.dead_letters is not None:
        words += f" Turned away: {one.dead_letters}"
    return f"{words}\n{one.stopped}" if one.stopped else words


def _changed_meanwhile() -> NotFinishedError:
    return not_finished(
        "Other data were read in while the leads were scored; nothing was published.",
        hint="run this again: it looks at the data anew.",
    )


def _another_scores() -> NotFinishedError:
    return not_finished(
        "Another version became champion while the leads were scored; nothing was published.",
        hint="run this again: that version scores then.",
    )


def timed(report: StepReport, seconds: float) -> StepReport:
    """Return *report* with how long it took."""
    return replace(report, seconds=round(seconds, 3))
