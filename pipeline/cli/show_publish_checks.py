"""What `leadlight publish --setup`, `--verify` and `--runs` print."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.wording import counted, plain
from pipeline.cli.show_publish import show_failures
from pipeline.crm.ledger.runs import Tally
from pipeline.crm.verifying import LeadDifference
from pipeline.row_words import day
from pipeline.stages.listen import ListenReport
from pipeline.stages.publish_checks import ChecksReport, PastRun, SetUp, TargetVerified

_SHOWN = 20


def show_checks(console: Console, report: ChecksReport) -> None:
    """Print what was created, or how a sample agrees with the ledger."""
    for made in report.set_up:
        _show_set_up(console, made)
    for found in report.verified:
        _show_verified(console, found)
    show_failures(console, report.failures)


def show_heard(console: Console, report: ListenReport) -> None:
    """Print what each CRM told."""
    for one in report.heard:
        told = f"{counted(one.records, 'record')} read, {counted(one.changes, 'value')} changed"
        said = told if one.is_read else "the config names nothing to be read (crm.NAME.read)"
        console.print(f"{plain(one.target)}: {said}.", markup=False)
    show_failures(console, report.failures)


def show_runs(console: Console, report: list[PastRun]) -> None:
    """Print the last runs, newest first."""
    if not report:
        console.print("Nothing was written yet.", markup=False)
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for name in ("run", "target", "what", "state", "scores of", "begun"):
        table.add_column(name, no_wrap=True)
    table.add_column("leads", overflow="fold")
    for one in report:
        what = one.kind if one.undoes is None else f"undoes {one.undoes}"
        begun = one.begun_at[:16].replace("T", " ")
        cells = (str(one.run), plain(one.target), what, one.state, day(one.as_of), begun, _accounted(one.tally))
        table.add_row(*map(Text, cells))
    console.print(table)


def _accounted(tally: Tally) -> str:
    """Return how the leads are accounted for, parts that are none left out."""
    told = [f"{count:,} {name}" for name, count in tally.parts.items() if count]
    return f"{tally.given:,} = {' + '.join(told)}" if told else f"{tally.given:,}"


def _show_set_up(console: Console, made: SetUp) -> None:
    name = plain(made.target)
    if not made.created:
        console.print(f"{name}: nothing had to be created.", markup=False)
    for line in made.created:
        console.print(f"{name}: created {line}", markup=False, soft_wrap=True)
    for line in made.faults:
        console.print(f"{name}: still at fault: {line}", markup=False, soft_wrap=True)


def _show_verified(console: Console, found: TargetVerified) -> None:
    console.print(
        f"{plain(found.target)}: {found.agree:,} of {counted(found.read, 'lead')} hold what was written.", markup=False
    )
    for one in found.differ[:_SHOWN]:
        console.print(f"  {plain(one.lead_id)}: {_differs(one)}", markup=False, soft_wrap=True)
    if len(found.differ) > _SHOWN:
        console.print(f"  and {len(found.differ) - _SHOWN:,} more (--json lists all)", markup=False)


def _differs(one: LeadDifference) -> str:
    if one.is_missing:
        return "has no record"
    return "; ".join(
        f"{field.property} holds {plain(field.theirs or 'nothing')}, written was {plain(str(field.ours))}"
        for field in one.fields
    )
