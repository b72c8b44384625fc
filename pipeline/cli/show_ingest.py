"""What `leadlight ingest` and `leadlight check` print for people: rows, reasons, times, what to look at."""

from rich.console import Console
from rich.table import Table

from models.wording import counted
from pipeline.stages.ingest_report import IngestReport, TableReport


def show_check(console: Console, report: IngestReport) -> None:
    """Print what an ingest would do."""
    _show_findings(console, report)
    console.print("Nothing was written. `leadlight ingest` reads the tables into the workspace.")


def show_ingest(console: Console, report: IngestReport) -> None:
    """Print what was read, kept and rejected."""
    _show_findings(console, report)
    if not report.is_changed:
        console.print("Nothing is new: the workspace stays as it was.")
    for path in report.rejects:
        console.print(f"Rejected rows: {path}", markup=False, soft_wrap=True)


def _show_findings(console: Console, report: IngestReport) -> None:
    console.print(_tables(report))
    for name, table in report.tables.items():
        for reason, count in table.rejected.items():
            console.print(f"  {name}: {count:,} rejected: {reason}", markup=False)
    shares = ", ".join(f"{share:.0%} have {name}" for name, share in report.share_with.items())
    console.print(counted(report.leads, "lead") + (f"; {shares}." if shares else "."))
    for line in _remarks(report):
        console.print(f"Note: {line}", markup=False)


def _tables(report: IngestReport) -> Table:
    table = Table(title="Tables", title_justify="left")
    table.add_column("table")
    for name in ("read", "new", "as before", "changed", "repeated", "rejected"):
        table.add_column(name, justify="right")
    table.add_column("from")
    table.add_column("to")
    for name, one in report.tables.items():
        changed = one.new_versions + one.retracted
        counts = (one.rows_read, one.kept, one.unchanged, changed, one.repeats, one.rejected_rows)
        table.add_row(name, *(f"{count:,}" for count in counts), one.first_occurred[:10], one.last_occurred[:10])
    return table


def _remarks(report: IngestReport) -> list[str]:
    """Return what a person should look at, one line each."""
    lines = list(report.notes)
    if report.left_out:
        names = ", ".join(report.left_out)
        lines.append(f"not used, as nothing says when their values were known (or say `static: true`): {names}")
    if report.shared_visitors:
        lines.append(f"{report.shared_visitors:,} visitors are linked to too many leads; their rows are nobody's")
    if report.unlinked_rows:
        lines.append(f"{report.unlinked_rows:,} rows belong to visitors that no lead is linked to")
    return lines + [line for name, table in report.tables.items() for line in _about_times(name, table)]


def _about_times(name: str, table: TableReport) -> list[str]:
    lines = []
    if table.waiting:
        lines.append(f"{name}: {table.waiting:,} rows lie after this load; a later one lets them in")
    if table.moved_times:
        lines.append(f"{name}: {table.moved_times:,} local times did not exist (clocks went forward) and were moved")
    if table.ambiguous_times:
        lines.append(f"{name}: {table.ambiguous_times:,} local times happened twice; the later instant was taken")
    return lines
