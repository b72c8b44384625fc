"""What `leadlight report` prints for people: the counts, what was expected and what came, where the page lies."""

from rich.console import Console
from rich.table import Table

from models.conversion_counts import Realised
from models.wording import counted
from pipeline.row_words import day
from pipeline.stages.report import WrittenReport


def show_report(console: Console, written: WrittenReport) -> None:
    """Print the report in short, and its file."""
    report = written.report
    expected = "" if report.expected is None else f", {report.expected:,.1f} conversions expected"
    if report.chance_range is not None:
        expected += f" (chance allows {report.chance_range[0]:,}–{report.chance_range[1]:,})"
    console.print(f"{counted(report.leads, 'lead')} scored as of {day(report.as_of)}{expected}.", markup=False)
    if report.track is None:
        console.print(f"No outcome is known yet: scores must be {report.ripe_after_days} days old.", markup=False)
    else:
        console.print(_came(report.track.grades, len(report.track.as_ofs)))
        if report.track.replayed:
            console.print(
                f"{report.track.replayed} of these were scored when their outcomes were known already: a model that "
                "learned from them looks better than it is.",
                markup=False,
            )
    console.print(f"The page: {written.page}", markup=False, soft_wrap=True)


def _came(grades: list[Realised], runs: int) -> Table:
    table = Table(title=f"What was expected and what came, {counted(runs, 'run')}", title_justify="left")
    table.add_column("grade")
    for name in ("leads", "expected", "chance allows", "came"):
        table.add_column(name, justify="right")
    for one in grades:
        has_expectation = one.expected is not None
        table.add_row(
            one.name or "–",
            f"{one.leads:,}",
            f"{one.expected:,.1f}" if has_expectation else "–",
            f"{one.low:,}–{one.high:,}" if has_expectation else "–",
            f"{one.converted:,}",
        )
    return table
