"""What `leadlight features` prints for people."""

from rich.console import Console

from pipeline.stages.features import FeaturesReport


def show_features(console: Console, report: FeaturesReport) -> None:
    """Print how many snapshots there are, of when, and where they lie."""
    share = report.conversions / report.snapshots
    first, last = (text.partition("T")[0] for text in (report.first_as_of, report.last_as_of))
    span = f", {first} to {last}" if first else ""
    console.print(
        f"{report.snapshots:,} ripe snapshots of {report.leads:,} leads{span}; "
        f"{report.conversions:,} converted ({share:.1%})."
    )
    console.print(f"{report.features} features each.")
    console.print(f"Table:           {report.table}", soft_wrap=True)
    console.print(f"Data dictionary: {report.data_dictionary}", soft_wrap=True)
