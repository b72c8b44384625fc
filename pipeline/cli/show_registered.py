"""What `leadlight models`, `promote` and `rollback` print for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.registry import ModelVersion, Promotion
from pipeline.row_words import day
from pipeline.stages.registered import ModelsReport, PromoteReport, RollbackReport

#: The figures that tell versions apart; the fingerprint is shown as far as eyes compare.
_FIGURES = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "log_loss": "log-loss",
    "conversions": "conversions",
    "data_fingerprint": "data",
}
_FINGERPRINT_SHOWN = 8


def show_models(console: Console, report: ModelsReport) -> None:
    """Print every version with its figures on its own hold-out, then the history of champions."""
    if not report.versions:
        console.print("No model yet. `leadlight train` makes the first one.")
        return
    console.print(_versions(report.versions))
    if report.history:
        console.print(_history(report.history))


def show_promotion(console: Console, report: PromoteReport) -> None:
    """Print who scores from now on, in place of whom."""
    if not report.is_new:
        console.print(f"Version {report.champion} is the champion already; nothing changed.", markup=False)
        return
    instead = f", in place of {report.before}" if report.before else ""
    console.print(f"Version {report.champion} is the champion now{instead}.", markup=False)
    console.print("The published scores stay as they are until the next `leadlight score`.", markup=False)


def show_rollback(console: Console, report: RollbackReport) -> None:
    """Print who scores again, and which scores are shown."""
    console.print(f"Version {report.champion} is the champion again, in place of {report.rolled_back}.", markup=False)
    if report.is_published:
        console.print(
            f"Its scores as of {day(report.as_of)} are published again, as they were stored: {report.leads:,} leads."
        )
        return
    console.print(
        "It never stored any scores, so the published ones are still those from before this rollback.", markup=False
    )


def _versions(versions: tuple[ModelVersion, ...]) -> Table:
    figures = [name for name in _FIGURES if any(name in version.tags for version in versions)]
    table = Table(title="Versions, each judged on its own hold-out", title_justify="left")
    for name in ("version", "", "trained (UTC)"):
        table.add_column(name)
    for name in figures:
        table.add_column(_FIGURES[name], justify="right")
    for version in versions:
        cells = [version.label, ", ".join(version.aliases), f"{version.trained_at:%Y-%m-%d %H:%M}"]
        table.add_row(*(Text(cell) for cell in cells + [_figure(version, name) for name in figures]))
    return table


def _figure(version: ModelVersion, name: str) -> str:
    value = version.tags.get(name, "")
    return value[:_FINGERPRINT_SHOWN] if name == "data_fingerprint" else value


def _history(history: tuple[Promotion, ...]) -> Table:
    table = Table(title="Champions", title_justify="left")
    for name in ("version", "from (UTC)", "until", "why"):
        table.add_column(name, overflow="fold")
    for place, reign in enumerate(history):
        since = f"{reign.since:%Y-%m-%d %H:%M}" if reign.since else "not known"
        until = f"{reign.until:%Y-%m-%d %H:%M}" if reign.until else ("not known" if place else "now")
        table.add_row(*(Text(cell) for cell in (reign.version, since, until, reign.why)))
    return table
