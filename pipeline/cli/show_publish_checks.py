"""What `leadlight publish --setup`, `--verify` and `--read` print."""

from rich.console import Console

from models.wording import counted, plain
from pipeline.cli.show_publish import show_failures
from pipeline.crm.verifying import LeadDifference
from pipeline.stages.listen import ListenReport
from pipeline.stages.publish_checks import ChecksReport, SetUp, TargetVerified

_SHOWN = 20


def show_checks(console: Console, report: ChecksReport) -> None:
    """Print what was created, or how a sample agrees with the ledger."""
    for made in report.set_up:
        _show_set_up(console, made)
    for found in report.verified:
        _show_verified(console, found)
    show_failures(console, report.failures, is_first=not (report.set_up or report.verified))


def show_heard(console: Console, report: ListenReport) -> None:
    """Print what each CRM told."""
    for one in report.heard:
        told = f"{counted(one.records, 'record')} read, {counted(one.changes, 'value')} changed"
        said = told if one.is_read else f"the config names nothing to be read (crm.{one.target}.read)"
        console.print(f"{plain(one.target)}: {said}.", markup=False)
    show_failures(console, report.failures, is_first=not report.heard)


def _show_set_up(console: Console, made: SetUp) -> None:
    name = plain(made.target)
    if not made.created:
        console.print(f"{name}: nothing had to be created.", markup=False)
    for line in made.created:
        console.print(f"{name}: created {line}", markup=False, soft_wrap=True)
    for line in made.faults:
        console.print(f"{name}: still at fault: {line}", markup=False, soft_wrap=True)


def _show_verified(console: Console, found: TargetVerified) -> None:
    if not found.read:
        console.print(f"{plain(found.target)}: nothing is known to stand there yet.", markup=False)
        return
    console.print(
        f"{plain(found.target)}: {found.agree:,} of {counted(found.read, 'lead')} hold what was written.", markup=False
    )
    for one in found.differ[:_SHOWN]:
        console.print(f"  {plain(one.lead_id)}: {_differs(one)}", markup=False, soft_wrap=True)
    if len(found.differ) > _SHOWN:
        console.print(f"  and {len(found.differ) - _SHOWN:,} more (--json lists all)", markup=False)
    if found.differ:
        console.print(f"`leadlight publish --to {plain(found.target)} --resend` writes all of them anew.", markup=False)


def _differs(one: LeadDifference) -> str:
    if one.is_missing:
        return "has no record"
    return "; ".join(
        f"{field.property} holds {plain(field.theirs or 'nothing')}, written was {plain(str(field.ours))}"
        for field in one.fields
    )
