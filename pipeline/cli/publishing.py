"""`leadlight publish`: scores written to where people work, looked at first, checked afterwards, and taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from features.errors import wrong_input
from pipeline.cli.app import app
from pipeline.cli.asked import asker
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, Yes
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr
from pipeline.cli.stopped import told_when_stopped

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.stages.publish import Wish

_LARGEST: Final = 2**63 - 1
"""What a database and a table count up to."""
_LEFT_BY_READING: Final = "What was read is kept: run the same command again, and it goes on from there."

To = Annotated[
    str | None,
    typer.Option("--to", metavar="TARGET", help="One target of the config; by default all.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")]
Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="Only the best N leads; by default all.", show_default=False),
]
Segment = Annotated[
    str | None, typer.Option("--segment", metavar="NAME", help="Only leads of this segment.", show_default=False)
]
OnlyGrade = Annotated[
    list[str] | None,
    typer.Option("--only-grade", metavar="GRADE", help="Only leads of this grade; may be given several times."),
]
RetryRejected = Annotated[
    bool, typer.Option("--retry-rejected", help="Also send leads that the CRM turned away before.")
]
Resend = Annotated[bool, typer.Option("--resend", help="Send all, whatever stands there.")]
Setup = Annotated[bool, typer.Option("--setup", help="Create the properties that are missing in the CRM.")]
Verify = Annotated[bool, typer.Option("--verify", help="Read a sample back and compare it with the ledger.")]
Sample = Annotated[
    int | None,
    typer.Option("--sample", metavar="N", min=1, help="Leads that --verify reads; by default 200.", show_default=False),
]
Read = Annotated[bool, typer.Option("--read", help="Read what people did in the CRM: overrides, outcomes, owners.")]
Runs = Annotated[bool, typer.Option("--runs", help="List the last runs.")]
Lead = Annotated[
    str | None,
    typer.Option(
        "--lead", metavar="ID", help="Show what was sent about one lead, and the answers.", show_default=False
    ),
]
Undo = Annotated[
    int | None,
    typer.Option("--undo", metavar="RUN", min=1, help="Restore what stood before that run.", show_default=False),
]


@app.command()
def publish(
    *,
    config: Config = DEFAULT_CONFIG,
    to: To = None,
    dry_run: DryRun = False,
    limit: Limit = None,
    segment: Segment = None,
    only_grade: OnlyGrade = None,
    retry_rejected: RetryRejected = False,
    resend: Resend = False,
    setup: Setup = False,
    verify: Verify = False,
    sample: Sample = None,
    read: Read = False,
    runs: Runs = False,
    lead: Lead = None,
    undo: Undo = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write scores, grades, reasons and next actions to your CRMs: only what changed, each lead accounted for."""
    _require_said({"--to": to, "--segment": segment, "--lead": lead})
    instead = {
        "--setup": setup, "--verify": verify, "--read": read, "--runs": runs, "--lead": lead is not None,
        "--undo": undo is not None,
    }  # fmt: skip
    _only_one(
        [name for name, is_given in instead.items() if is_given],
        {
            "--limit": limit is not None, "--segment": segment is not None, "--only-grade": bool(only_grade),
            "--retry-rejected": retry_rejected, "--resend": resend, "--dry-run": dry_run, "--to": to is not None,
            "--sample": sample is not None,
        },
    )  # fmt: skip
    _require_countable({"--limit": limit, "--sample": sample, "--undo": undo})
    settings, to = opened(config), to or ""
    if runs:
        _list_runs(settings, to, as_json=as_json)
    elif lead is not None:
        _show_lead(settings, to, lead, as_json=as_json)
    elif read:
        _listen(settings, to, as_json=as_json)
    elif setup or verify:
        _check(settings, to, sample=(sample or 200) if verify else 0, as_json=as_json)
    elif undo is not None:
        _undo(settings, undo, is_dry=dry_run, yes=yes, as_json=as_json)
    else:
        from pipeline.crm.given import Filters
        from pipeline.stages.publish import Wish

        grades = sorted({grade.strip().upper() for grade in only_grade or ()})
        filters = Filters(limit or 0, segment or "", tuple(grades))
        wish = Wish(to, filters, is_dry=dry_run, resend=resend, retry_rejected=retry_rejected)
        _publish(settings, wish, yes=yes, as_json=as_json)


def _publish(settings: "Settings", wish: "Wish", *, yes: bool, as_json: bool) -> None:
    from pipeline.cli.show_publish import show_published
    from pipeline.stages.publish import publish as run

    left = partial(_left_by_writing, settings, wish.to, is_dry=wish.is_dry)
    with told_when_stopped(left), shown_on_stderr() as progress:
        report = run(settings, replace(wish, may=asker(progress, yes=yes)), progress=progress)
    show(report, show_published, as_json=as_json)
    _exit(report.exit_code)


def _undo(settings: "Settings", run_id: int, *, is_dry: bool, yes: bool, as_json: bool) -> None:
    from pipeline.cli.show_publish import show_undone
    from pipeline.stages.publish_undo import undo as run

    with told_when_stopped(partial(_left_by_writing, settings, "", is_dry=is_dry)), shown_on_stderr() as progress:
        report = run(settings, run_id, is_dry=is_dry, may=asker(progress, yes=yes), progress=progress)
    show(report, show_undone, as_json=as_json)
    _exit(report.exit_code)


def _listen(settings: "Settings", to: str, *, as_json: bool) -> None:
    from pipeline.cli.show_publish_checks import show_heard
    from pipeline.stages.listen import listen

    with told_when_stopped(lambda: _LEFT_BY_READING), shown_on_stderr() as progress:
        report = listen(settings, to, progress=progress)
    show(report, show_heard, as_json=as_json)
    _exit(report.exit_code)


def _check(settings: "Settings", to: str, *, sample: int, as_json: bool) -> None:
    """Set up, or read *sample* records back where it is not 0."""
    from pipeline.cli.show_publish_checks import show_checks
    from pipeline.stages.publish_checks import set_up, verify

    report = verify(settings, to, sample=sample) if sample else set_up(settings, to)
    show(report, show_checks, as_json=as_json)
    _exit(report.exit_code)


def _list_runs(settings: "Settings", to: str, *, as_json: bool) -> None:
    from pipeline.cli.show_publish_history import show_runs
    from pipeline.stages.publish_history import past_runs

    show(past_runs(settings, to), show_runs, as_json=as_json)


def _show_lead(settings: "Settings", to: str, lead_id: str, *, as_json: bool) -> None:
    from pipeline.cli.show_publish_history import show_history
    from pipeline.stages.publish_history import lead_history

    show(lead_history(settings, to, lead_id), show_history, as_json=as_json)


def _left_by_writing(settings: "Settings", to: str, *, is_dry: bool) -> str:
    """Return what is pending, as the ledger knows."""
    from pipeline.stages.publish_history import pending

    if is_dry:
        return "Nothing was written."
    leads = pending(settings, to)
    return f"What is pending is kept ({leads:,}): run the same command again." if leads else "Nothing is pending."


def _exit(code: int) -> None:
    if code:
        raise typer.Exit(code)


def _require_said(names: Mapping[str, str | None]) -> None:
    """Refuse names that are empty, as of a shell's variable that was never set: without the option all are meant."""
    empty = [option for option, name in names.items() if name is not None and not name.strip()]
    if empty:
        raise wrong_input(
            f"{' and '.join(empty)}: no name was given.", hint="leave the option out where all are meant."
        )


def _require_countable(numbers: Mapping[str, int | None]) -> None:
    """Refuse numbers of leads or runs that no machine counts up to."""
    beyond = [name for name, number in numbers.items() if number is not None and abs(number) > _LARGEST]
    if beyond:
        raise wrong_input(f"{' and '.join(beyond)}: the number is too large.", hint="see `leadlight publish --help`.")


def _only_one(instead: Sequence[str], beside: Mapping[str, bool]) -> None:
    """Refuse options that ask for two things at once, or that mean nothing beside another.

    Args:
        instead: Options that were given and do something else than to publish.
        beside: Whether each option was given that says more about what is done.
    """
    does = instead[0] if instead else ""
    goes_with = {"--dry-run": {"", "--undo"}, "--sample": {"--verify"}, "--to": {"", *instead} - {"--undo"}}
    lost = [name for name, is_given in beside.items() if is_given and does not in goes_with.get(name, {""})]
    if len(instead) > 1 or lost:
        what = " and ".join([*instead, *lost])
        fact = f"{what} cannot go together." if instead else f"{what} goes with --verify alone."
        raise wrong_input(fact, hint="run one after the other.")
