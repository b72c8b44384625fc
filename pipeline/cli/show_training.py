"""What `leadlight train` prints for people: the hold-out table, the gains picture, what comes next."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from models.baselines import NAMES
from pipeline.cli.bars import bar
from pipeline.cli.options import seen_in_mlflow
from pipeline.row_words import day
from pipeline.stages.train_report import GAINS_AT, TrainReport

#: What a person compares first, with its direction; the rest is in MLflow and in --json.
_SHOWN = {
    "average_precision": "average\nprecision ↑",
    "roc_auc": "ROC-AUC ↑",
    "log_loss": "log-loss ↓",
    "ece": "calibration\nerror ↓",
    "lift_at_10": "lift of the\nbest 10 % ↑",
}
_BAR = 40


def show_training(console: Console, report: TrainReport) -> None:
    """Print how the model did on what it never saw, and where it lies."""
    console.print(f"{_how_split(report)} {report.verdict}", style="bold", markup=False, soft_wrap=True)
    if report.question:
        console.print(f"\n{report.question}", markup=False)
    console.print(_what_was_judged(report) + "\n", markup=False)
    console.print(figures_by_model(report.metrics, title="Hold-out, with 95 % intervals over leads"))
    _show_gains(console, report.gains)
    _, linear, trees = report.blend
    console.print(f"The model that ships: {linear:.2f} × linear + {trees:.2f} × {report.trees} trees, refitted on all.")
    for note in report.notes:
        console.print(f"Note: {note}", markup=False)
    console.print(f"{report.certificate}.", markup=False)
    console.print(f"Version {report.version} is registered; {report.who_scores}.\n", markup=False)
    for name, place in (
        ("Model card:", report.card),
        ("Certificate:", str(report.certificate_page)),
        ("Pictures:", report.plots),
        ("MLflow:", seen_in_mlflow(report.tracking_uri)),
    ):
        if place:  # a server keeps card and pictures to itself
            console.print(f"{name:<13}{place}", markup=False, soft_wrap=True)


def _how_split(report: TrainReport) -> str:
    if report.test_from:
        return f"Split forward in time, judged from {day(report.test_from)} on."
    return "Split at random over leads (stratified by outcome)."


def _what_was_judged(report: TrainReport) -> str:
    others = "other leads" if report.rows_are == "leads" else f"{report.rows_are} of other leads"
    of_what = f"from {day(report.test_from)} on" if report.test_from else others
    caveat = f"\n{report.caveat}" if report.caveat else ""
    return (
        f"Learned from {report.train_rows:,} {report.rows_are} ({report.train_conversions:,} converting leads), "
        f"judged on {report.test_rows:,} {of_what} "
        f"({report.test_conversions:,} converting leads; {report.base_rate:.1%} of the {report.rows_are} "
        f"converted).{caveat}"
    )


def figures_by_model(metrics: Mapping[str, Mapping[str, tuple[float, float, float]]], *, title: str) -> Table:
    """Return a table of the model and its baselines, one row each."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for words in _SHOWN.values():
        table.add_column(words, justify="right", no_wrap=True)
    for place, (model, figures) in enumerate(metrics.items()):
        cells = [_with_interval(figures[name]) for name in _SHOWN]
        table.add_row(NAMES.get(model, model), *cells, style="bold" if place == 0 else None)
    return table


def _with_interval(figure: tuple[float, float, float]) -> str:
    value, low, high = figure
    return f"{value:.3f} ({_short(low)}–{_short(high)})"


def _short(bound: float) -> str:
    return f"{bound:.2f}".removeprefix("0")


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
