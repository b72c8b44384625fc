"""What `leadlight backtest` prints for people: the verdict, fold by fold, all together, and the optimism."""

from rich.console import Console
from rich.table import Table

from models.contest import OURS
from models.reliability import LEAST_ROWS_OF_CELL
from models.wording import counted
from pipeline.cli.show_training import figures_by_model
from pipeline.row_words import day
from pipeline.stages.backtest import BacktestReport, FoldLine

_METRICS = {"roc_auc": "ROC-AUC", "average_precision": "average precision", "log_loss": "log-loss"}


def show_backtest(console: Console, report: BacktestReport) -> None:
    """Print how the recipe did at each moment of the past."""
    console.print(report.verdict, style="bold", markup=False, soft_wrap=True)
    if report.question:
        console.print(f"\n{report.question}", markup=False)
    console.print(_how_judged(report) + "\n", markup=False)
    console.print(_by_fold(report))
    console.print(figures_by_model(report.overall.metrics, title="All folds, with 95 % intervals over leads"))
    console.print(_calibration(report))
    if report.random_split:
        console.print(_optimism(report))
    for note in report.notes:
        console.print(f"Note: {note}", markup=False)
    console.print()
    for name, path in (("Pictures", report.pictures[0].parent), ("All figures", report.report)):
        console.print(f"{name}: {path}", markup=False, soft_wrap=True)


def _how_judged(report: BacktestReport) -> str:
    n = len(report.folds)
    folds, groups = counted(n, "fold"), f"{counted(n, 'group')} of leads {'was' if n == 1 else 'were'} judged"
    if report.caveat and not report.is_forward:
        return f"{report.caveat} {groups}, each by a model of the others."
    if report.is_forward:
        how = f"{folds} forward in time; each model had learned only from labels that closed before its fold began."
        return f"{how}\n{report.caveat}" if report.caveat else how
    return f"No label closed before a later question: {groups}, each by a model of the others."


def _by_fold(report: BacktestReport) -> Table:
    table = Table(title="Fold by fold", title_justify="left")
    for words in (
        "judged from", "conversions\nlearned from", _heading(report.rows_are), "con-\nverted", "prom-\nised",
        "average\nprecision ↑", "ROC-\nAUC ↑", "log-\nloss ↓", "best\nbaseline", "lift of the\nbest 10 % ↑",
    ):  # fmt: skip
        table.add_column(words, justify="right", no_wrap=True)
    for number, fold in enumerate(report.folds, start=1):
        table.add_row(day(fold.test_from) or f"group {number}", *_cells(fold))
    return table


def _heading(rows_are: str) -> str:
    return "snap-\nshots" if rows_are == "snapshots" else rows_are


def _cells(fold: FoldLine) -> list[str]:
    ours = fold.metrics[OURS]
    rivals = [figures["log_loss"][0] for name, figures in fold.metrics.items() if name != OURS]
    doubt = "" if fold.calibration_holds else " !"
    return [
        f"{fold.train_conversions:,}",
        f"{fold.test_rows:,}",
        f"{fold.observed:,}",
        f"{fold.expected:,.0f}{doubt}",
        f"{ours['average_precision'][0]:.3f}",
        f"{ours['roc_auc'][0]:.3f}",
        f"{ours['log_loss'][0]:.4f}",
        f"{min(rivals):.4f}" if rivals else "",
        _lift(fold.lift),
    ]


def _lift(lift: tuple[float, float, float]) -> str:
    worst, expected, best = lift
    if f"{worst:.1f}" == f"{best:.1f}":
        return f"{expected:.1f}"
    return f"{expected:.1f} ({worst:.1f} to {best:.1f}: ties)"


def _calibration(report: BacktestReport) -> str:
    doubtful = sum(not fold.calibration_holds for fold in report.folds)
    text = (
        f"Promised {report.overall.expected:,.0f} conversions, observed {report.overall.observed:,}. "
        f"In {len(report.folds) - doubtful} of {counted(len(report.folds), 'fold')} the probabilities hold"
        + (" (!: off by more than chance explains)." if doubtful else ".")
    )
    if report.cells:
        share = report.covered_cells / report.cells
        text += (
            f"\nIntervals: in {report.covered_cells} of {report.cells} cells ({share:.0%}; a tenth of a fold, "
            f"{LEAST_ROWS_OF_CELL} {report.rows_are} or more) the conversions lie where the intervals say."
        )
    return text


def _optimism(report: BacktestReport) -> str:
    ours, random = report.overall.metrics[OURS], report.random_split
    parts = [
        f"{name} {random[metric][0]:.3f} ({random[metric][0] - ours[metric][0]:+.3f})"
        for metric, name in _METRICS.items()
    ]
    return (
        "Optimism: a split of rows at random, which mixes past and future, would have shown " + ", ".join(parts) + "."
    )
