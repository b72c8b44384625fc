"""What `leadlight publish` prints: per target how every lead is accounted for, and what moves where."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.wording import counted, plain
from pipeline.crm.ledger.overwriting import WrittenOver
from pipeline.crm.ledger.runs import Tally
from pipeline.crm.planning import NOTHING, Difference
from pipeline.row_words import day
from pipeline.stages.each_target import TargetFailure
from pipeline.stages.publish_report import Movement, PublishReport, TargetReport
from pipeline.stages.publish_undo import UndoReport

_SHOWN = 10


def show_published(console: Console, report: PublishReport) -> None:
    """Print each target: its counts, its movements, and why it stopped if it did."""
    for number, one in enumerate(report.targets):
        if number:
            console.print()
        _show_target(console, one)
    show_failures(console, report.failures, is_first=not report.targets)


def show_failures(console: Console, failures: tuple[TargetFailure, ...], *, is_first: bool) -> None:
    """Print the targets at which nothing was done, and why; *is_first* where nothing stands above."""
    for number, one in enumerate(failures):
        if number or not is_first:
            console.print()
        console.print(f"{plain(one.target)}: nothing was done.", markup=False)
        console.print(one.message, markup=False, soft_wrap=True)


def show_undone(console: Console, report: UndoReport) -> None:
    """Print what was taken back and what was left alone."""
    would = "would be" if report.is_dry else "is not yet wholly" if report.stopped else "was"
    console.print(f"{plain(report.target)}: run {report.run} {would} taken back.", markup=False)
    console.print(_restored(report), markup=False)
    if report.written_over:
        over = counted(report.written_over, "lead")
        console.print(f"A later run wrote over {over} of it; that was left alone.", markup=False)
    if report.written_over_by:
        first = WrittenOver(report.written_over, report.written_over_by).words
        again = f"For these, take back {first} first, then run {report.run} again."
        console.print(again, markup=False, soft_wrap=True)
    if report.changed_since:
        console.print(f"{counted(report.changed_since, 'lead')} changed since; that was left alone.", markup=False)
    for one in report.turned_away:
        console.print(f"  {plain(one.lead_id)} was turned away: {one.code} {plain(one.words)}", markup=False)
    if report.gone:
        console.print(f"{counted(report.gone, 'lead')} have no record there any more.", markup=False)
    _show_stop(console, report.stopped)


def _show_target(console: Console, report: TargetReport) -> None:
    would = "what would be written" if report.is_dry else f"run {report.run}"
    again = ", taken up where it was cut short" if report.is_resumed else ""
    said = f"scores as of {day(report.as_of)} by version {report.model_version}"
    console.print(f"{plain(report.target)}: {would}{again}; {said}.", markup=False, soft_wrap=True)
    console.print(_accounted(report.tally, is_dry=report.is_dry), markup=False)
    if report.movements and (report.is_dry or report.tally.written):
        console.print("\nGrades:" if report.is_dry else "\nGrades of the leads that were sent:", markup=False)
        console.print(_movements(report.movements))
    if report.is_dry and report.examples:
        console.print("\nThe best of them:", markup=False)
        console.print(_examples(report.examples))
    if report.preview is not None:
        console.print(f"All of them: {report.preview}", markup=False, soft_wrap=True)
    if report.dead_letters is not None:
        console.print(f"Turned away, with the CRM's words: {report.dead_letters}", markup=False, soft_wrap=True)
        console.print("They are sent again with --retry-rejected, or once you change what goes where.", markup=False)
    _show_stop(console, report.stopped)


def _show_stop(console: Console, stopped: str) -> None:
    if stopped:
        console.print(stopped, markup=False, soft_wrap=True)


def _accounted(tally: Tally, *, is_dry: bool) -> str:
    """Return how every lead is accounted for: the parts add up to the leads given."""
    names = {"pending": "to be sent"} if is_dry else {}
    parts = {name: count for name, count in tally.parts.items() if not (is_dry and name == "written")}
    told = " + ".join(f"{count:,} {names.get(name, name)}" for name, count in parts.items())
    return f"{told} = {counted(tally.given, 'lead')}"


def _restored(report: UndoReport) -> str:
    """Return how every lead of a run that is taken back is accounted for, parts that are none left out."""
    names = {"written": "restored", "unchanged": "left as they are", "pending": "to be restored"}
    told = [f"{count:,} {names.get(name, name)}" for name, count in report.tally.parts.items() if count]
    if told:
        return f"{' + '.join(told)} = {counted(report.tally.given, 'lead')}"
    return "It had written nothing."


def _movements(movements: tuple[Movement, ...]) -> Table:
    table = Table()
    table.add_column("before")
    table.add_column("now")
    table.add_column("leads", justify="right")
    for one in movements:
        table.add_row(Text(one.before), Text(one.now), f"{one.leads:,}")
    return table


def _examples(examples: tuple[Difference, ...]) -> Table:
    table = Table()
    for name in ("lead", "score", "grade", "action"):
        table.add_column(name, justify="right" if name == "score" else "left")
    table.add_column("what is written", ratio=1)
    for one in examples[:_SHOWN]:
        written = "\n".join(f"{name}: {'' if value is None else value}" for name, value in one.payload.items())
        cells = (
            plain(one.lead_id),
            _moved(one.score_before, one.score),
            _moved(one.grade_before, one.grade),
            _moved(one.action_before, one.action),
            written,
        )
        table.add_row(*map(Text, cells))
    return table


def _moved(before: object, now: object) -> str:
    said = NOTHING if now is None else str(now)
    return said if before == now else f"{NOTHING if before is None else before} → {said}"
