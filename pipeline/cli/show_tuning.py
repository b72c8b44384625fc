"""What `leadlight tune` prints for people: default and best round by round, the settings found, whether they count."""

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from models.plots_tuning import WORDS
from pipeline.cli.bars import bar
from pipeline.cli.options import seen_in_mlflow
from pipeline.row_words import day
from pipeline.stages.tune_report import TuneReport

_PARAMETER = {"strength": "strength_step"}
"""Where a setting is sought under another name than it is kept."""


def show_tuning(console: Console, report: TuneReport) -> None:
    """Print how the study stands and what comes of it."""
    if report.question:
        console.print(report.question, style="bold", markup=False)
    console.print(_what_was_tried(report) + "\n", markup=False)
    console.print(_rounds(report))
    console.print(_settings(report))
    console.print(_verdict(report) + "\n", markup=False)
    console.print(f"Settings: {report.found}", markup=False, soft_wrap=True)
    console.print(f"Study:    {report.study}", markup=False, soft_wrap=True)
    console.print(
        f"MLflow:   run {report.run_id} ({seen_in_mlflow(report.tracking_uri)})",
        markup=False,
        soft_wrap=True,
    )


def _what_was_tried(report: TuneReport) -> str:
    went_on = f" This run began at trial {report.begun_at}." if report.begun_at else ""
    cut = " One trial that was cut short was tried again." if report.cut_short else ""
    warm = " Trial 1 was the best of an earlier study." if report.is_warm else ""
    before = f"{report.rows:,} {report.rows_are} before the hold-out"
    seen = (
        before if report.rows_seen == report.rows else f"{report.rows_seen:,} of the {before} (all those of some leads)"
    )
    how = (
        f"{len(report.rounds)} rounds that go forward in time, of other leads"
        if report.is_forward
        else f"{len(report.rounds)} groups of other leads: too few labels had closed for rounds that go forward in time"
    )
    return (
        f"{report.trials} of {report.wanted} trials ({report.complete} judged to the end, {report.pruned} given up on "
        f"the way) over {seen}, in {how}.{went_on}{cut}{warm}"
    )


def _rounds(report: TuneReport) -> Table:
    better = "higher" if report.higher_is_better else "lower"
    table = Table(title=f"{report.objective_words}, {better} is better", title_justify="left")
    table.add_column("judged from")
    for words in (report.rows_are, "converting leads", "default", *_best_column(report)):
        table.add_column(words, justify="right")
    for number, line in enumerate(report.rounds, start=1):
        values = (line.default, line.best) if report.best_number else (line.default,)
        figures = (f"{value:.4f}" for value in values)
        table.add_row(day(line.judged_from) or f"group {number}", f"{line.rows:,}", f"{line.conversions:,}", *figures)
    table.add_section()
    means = (report.default_value, report.best_value) if report.best_number else (report.default_value,)
    table.add_row("mean", "", "", *(f"{value:.4f}" for value in means))
    return table


def _settings(report: TuneReport) -> Table:
    table = Table(title="Settings", title_justify="left")
    table.add_column("")
    for words in ("default", *_best_column(report)):
        table.add_column(words, justify="right")
    if report.importance:
        table.add_column("how much it mattered")
    shown = [asdict(one) for one in ((report.default, report.best) if report.best_number else (report.default,))]
    for name, words in WORDS.items():
        if name == "monotone" and not report.has_directions:
            continue
        cells = [words, *(_value(one[name]) for one in shown)]
        if report.importance:
            share = report.importance.get(_PARAMETER.get(name, name), 0.0)
            cells.append(f"{bar(share, width=12)} {share:.0%}")
        table.add_row(*cells)
    return table


def _best_column(report: TuneReport) -> tuple[str, ...]:
    """Return the heading of the best trial's column; none where that is the default itself."""
    return (f"best (trial {report.best_number})",) if report.best_number else ()


def _value(value: float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}"


def _verdict(report: TuneReport) -> str:
    gain = f"The best gains {report.gain:.4f} (standard error {report.error:.4f}, counted over leads)"
    if report.is_used:
        return f"{gain}: more than the {report.bar:.4f} that noise among so many trials explains. Training will use it."
    if report.best_number == 0:
        return "No trial beats the default: it stays."
    return f"{gain}: noise among so many trials explains up to {report.bar:.4f}, so the default stays."
