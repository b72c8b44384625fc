"""What `leadlight train` prints for people: the hold-out table, the gains picture, what comes next."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from pipeline.cli.bars import bar
from pipeline.stages.train import GAINS_AT, TrainReport

#: What a person compares first; the rest is in MLflow and in --json.
_SHOWN = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "log_loss": "log-loss (lower is better)",
    "brier": "Brier score (lower is better)",
    "ece": "calibration error (lower is better)",
    "precision_at_10": "precision in the best 10 %",
    "lift_at_10": "lift of the best 10 %",
}
_NAMES = {"leadlight": "Leadlight", "logistic": "logistic regression", "lightgbm": "LightGBM as it comes"}
_BAR = 40


def show_training(console: Console, report: TrainReport) -> None:
    """Print how the model did on what it never saw, and where it lies."""
    if report.question:
        console.print(report.question, style="bold", markup=False)
    console.print(_what_was_judged(report) + "\n")
    console.print(_hold_out(report.metrics))
    _show_gains(console, report.gains)
    _, linear, trees = report.blend
    console.print(f"The model that ships: {linear:.2f} × linear + {trees:.2f} × {report.trees} trees, refitted on all.")
    for note in report.notes:
        console.print(f"Note: {note}", markup=False)
    console.print(f"{report.certificate}.", markup=False)
    use = "it scores from now on" if report.is_champion else "another version keeps scoring"
    console.print(f"Version {report.version} is registered; {use}.\n")
    console.print(f"Certificate: {report.certificate_page}", markup=False, soft_wrap=True)
    console.print(f"Pictures:    {report.plots}", markup=False, soft_wrap=True)
    console.print(f"MLflow:      mlflow ui --backend-store-uri {report.tracking_uri}", markup=False, soft_wrap=True)


def _what_was_judged(report: TrainReport) -> str:
    of_what = f"from {report.test_from[:10]} on" if report.test_from else "of other leads"
    return (
        f"Learned from {report.train_rows:,} snapshots ({report.train_conversions:,} converting leads), "
        f"judged on {report.test_rows:,} {of_what} "
        f"({report.test_conversions:,} converting leads; {report.base_rate:.1%} of the snapshots converted)."
    )


def _hold_out(metrics: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> Table:
    table = Table(title="Hold-out, with 95 % intervals over leads", title_justify="left")
    table.add_column("")
    for model in metrics:
        table.add_column(_NAMES.get(model, model), justify="right")
    for name, words in _SHOWN.items():
        figures = [of_model[name] for of_model in metrics.values()]
        table.add_row(words, *(f"{value:.3f}  ({low:.3f}–{high:.3f})" for value, low, high in figures))
    return table


def _show_gains(console: Console, gains: tuple[float, ...]) -> None:
    """Draw how many of the conversions are among the best of the list; the line is chance."""
    console.print("\nOf all conversions, so many are among the best ... of the list (│ by chance):")
    for share, reached in zip(GAINS_AT, gains, strict=True):
        if _is_drawn(round(100 * share)):
            drawn = bar(reached, width=_BAR, mark=share)
            console.print(f"  {share:5.0%}  {drawn}  {reached:.0%}", markup=False)
    console.print()


def _is_drawn(percent: int) -> bool:
    """Draw finely where lists are cut, and coarsely beyond."""
    return 0 < percent <= 30 or percent in (40, 60, 80)
