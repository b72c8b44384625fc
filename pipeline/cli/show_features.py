"""What `leadlight features` prints for people: how many rows, of when, and where they lie."""

from rich.console import Console

from pipeline.row_words import day
from pipeline.stages.features import FeaturesReport


def show_features(console: Console, report: FeaturesReport) -> None:
    """Print how many snapshots or leads there are, of when, and where they lie."""
    share = report.conversions / report.snapshots
    first, last = day(report.first_as_of), day(report.last_as_of)
    span = f", {first} to {last}" if first else ""
    console.print(f"{_rows(report)}{span}; {report.conversions:,} converted ({share:.1%}).")
    console.print(f"{report.features} features each.")
    console.print(f"Table:           {report.table}", markup=False, soft_wrap=True)
    console.print(f"Data dictionary: {report.data_dictionary}", markup=False, soft_wrap=True)


def _rows(report: FeaturesReport) -> str:
    if report.rows_are == "leads":
        return f"{report.snapshots:,} leads with a closed label"
    return f"{report.snapshots:,} ripe {report.rows_are} of {report.leads:,} leads"
