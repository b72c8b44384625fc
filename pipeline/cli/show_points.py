"""What `leadlight points` prints for people: each rule, whom it gives points, and the scores that come out."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.contest import OURS
from models.wording import counted
from pipeline.row_words import day
from pipeline.stages.points import CardCheck, RuleCheck
from pipeline.stages.points_learn import LearnReport

_METRICS = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "log_loss": "log-loss (lower is better)",
    "ece": "calibration error (lower is better)",
}


def show_check(console: Console, report: CardCheck) -> None:
    """Print what every rule does, and the spread of the scores."""
    console.print(
        f"{report.card}: {counted(len(report.rules), 'rule')}, tried on {counted(report.leads, 'lead')} "
        f"as of {day(report.as_of)}.\n",
        markup=False,
        soft_wrap=True,
    )
    console.print(_rules(report))
    least, quarter, middle, three, most = report.scores
    console.print(
        f"\nScores run from {least} to {most} ({report.different} different ones): a quarter of the leads has "
        f"{quarter} or less, half {middle} or less, a quarter {three} or more. "
        f"The card can give {report.at_most} at most.",
        soft_wrap=True,
    )
    for rule in report.rules:
        if rule.note:
            console.print(f"Note: {rule.name}: {rule.note}.", markup=False, soft_wrap=True)


def _rules(report: CardCheck) -> Table:
    table = Table()
    for name, justify in (("rule", "left"), ("group", "left"), ("points", "right"), ("for", "left"), ("cap", "right"),
                          ("leads", "right"), ("mean points", "right")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for rule in report.rules:
        table.add_row(*_cells(rule, report.leads))
    return table


def _cells(rule: RuleCheck, leads: int) -> tuple[Text, ...]:
    cells = (
        rule.name,
        rule.group,
        f"{rule.points:+d}",
        rule.asks,
        "" if rule.cap is None else str(rule.cap),
        f"{rule.leads:,} ({rule.leads / leads:.0%})",
        f"{rule.mean:+.1f}" if rule.leads else "",
    )
    return tuple(Text(cell) for cell in cells)


def show_learned(console: Console, report: LearnReport) -> None:
    """Print the card's rules, and what they are worth beside the model."""
    console.print(
        f"{counted(len(report.rules), 'rule')} learned from {report.train_rows:,} {report.rows_are} "
        f"({report.conversions:,} converting leads). Every lead begins with {report.base} points.\n"
    )
    for name, worth in sorted(report.rules, key=lambda rule: -rule[1]):
        console.print(f"  {worth:+4d}  {name}", markup=False, soft_wrap=True)
    console.print()
    console.print(_worth(report))
    value, low, high = report.log_loss_given_up
    console.print(
        f"\nAgainst the model the card gives up {report.auc_given_up:.3f} of ROC-AUC and {value:.4f} of log-loss "
        f"({low:.4f} to {high:.4f}).",
        soft_wrap=True,
    )
    console.print(f"It is written to {report.card}; name it in the config to use it (points: {{card: …}}).",
                  markup=False, soft_wrap=True)  # fmt: skip


def _worth(report: LearnReport) -> Table:
    when = f"from {day(report.test_from)} on" if report.test_from else "of other leads"
    table = Table(title=f"Hold-out {when}, with 95 % intervals over leads", title_justify="left")
    table.add_column("")
    for name in report.metrics:
        table.add_column("the model" if name == OURS else name, justify="right")
    for metric, words in _METRICS.items():
        figures = [of_one[metric] for of_one in report.metrics.values()]
        table.add_row(words, *(f"{value:.3f}  ({low:.3f}–{high:.3f})" for value, low, high in figures))
    return table
