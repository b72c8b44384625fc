"""What `leadlight publish --runs` and `--lead` print."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.wording import plain
from pipeline.crm.ledger.runs import RunState
from pipeline.crm.planning import NOTHING
from pipeline.row_words import day
from pipeline.stages.publish_history import GIVEN_UP, LeadHistory, PastRun, PastWrite


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
        cells = (str(one.run), plain(one.target), what, one.state, day(one.as_of), begun, _accounted(one))
        table.add_row(*map(Text, cells))
    console.print(table)


def _accounted(one: PastRun) -> str:
    """Return how the leads are accounted for, parts that are none left out."""
    names = {} if one.state == RunState.OPEN else {"pending": GIVEN_UP}
    told = [f"{count:,} {names.get(name, name)}" for name, count in one.tally.parts.items() if count]
    return f"{one.tally.given:,} = {' + '.join(told)}" if told else f"{one.tally.given:,}"


def show_history(console: Console, report: LeadHistory) -> None:
    """Print what was written about one lead, newest first."""
    lead = plain(report.lead_id)
    if not report.writes:
        console.print(f"The ledger holds nothing that was sent about {lead}.", markup=False, soft_wrap=True)
        return
    console.print(f"What was sent about {lead}:", markup=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for name in ("run", "target", "scores of", "model"):
        table.add_column(name, no_wrap=True)
    table.add_column("score", justify="right")
    for name in ("grade", "next action"):
        table.add_column(name)
    table.add_column("answered", no_wrap=True)
    table.add_column("what came of it", overflow="fold")
    for one in report.writes:
        table.add_row(*map(Text, _cells(one)))
    console.print(table)


def _cells(one: PastWrite) -> tuple[str, ...]:
    said = ": ".join(filter(None, (one.code, one.words)))
    what = f"{one.state}, {said}" if said else one.state
    return (
        str(one.run),
        plain(one.target),
        day(one.as_of),
        plain(one.model_version),
        NOTHING if one.score is None else str(one.score),
        one.grade or NOTHING,
        plain(one.action or NOTHING),
        one.answered_at[:16].replace("T", " ") or NOTHING,
        what if one.undoes is None else f"{what} (undo of {one.undoes})",
    )
