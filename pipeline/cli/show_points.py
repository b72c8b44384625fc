"""What `leadlight points` prints for people: each rule, whom it gives points, and the scores that come out."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.stages.points import CardCheck, RuleCheck


def show_check(console: Console, report: CardCheck) -> None:
    """Print what every rule does, and the spread of the scores."""
    console.print(
        f"{report.card}: {len(report.rules)} rules, tried on {report.leads:,} leads as of {report.as_of[:10]}.\n",
        markup=False,
        soft_wrap=True,
    )
    console.print(_rules(report))
    least, quarter, middle, three, most = report.scores
    console.print(
        f"\nScores run from {least} to {most} ({report.different} different ones): a quarter of the leads has {quarter} "
        f"or less, half {middle} or less, a quarter {three} or more. The card can give {report.at_most} at most.",
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
