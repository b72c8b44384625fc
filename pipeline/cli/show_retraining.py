"""What `leadlight retrain` prints for people: the decision first, then what the gate asked, then the new model."""

from rich.console import Console

from pipeline.cli.show_training import show_training
from pipeline.stages.retrain import RetrainReport


def show_retraining(console: Console, report: RetrainReport) -> None:
    """Print whether the new model scores from now on, or should, and why."""
    console.print(_decision(report), style="bold", markup=False)
    for check in report.checks:
        console.print(f"  {'✓' if check.passed else '✗'} {check.text}", markup=False, soft_wrap=True)
    if report.champion_was_refitted:
        console.print(
            f"Champion {report.champion} had learned from this window; it was set against the new model as its recipe "
            "makes it without.",
            markup=False,
            soft_wrap=True,
        )
    if not report.is_promoted:
        console.print(_how_to_promote(report), markup=False, soft_wrap=True)
    console.print()
    show_training(console, report.trained)


def _decision(report: RetrainReport) -> str:
    label = report.trained.version
    if report.is_promoted:
        return f"{label} is champion from now on."
    if report.is_proposed:
        return f"Proposed: let {label} score in place of the points card '{report.card}'."
    if report.card:
        return f"{label} is not proposed. The points card '{report.card}' keeps scoring."
    return f"{label} is not promoted." + (f" Champion {report.champion} keeps scoring." if report.champion else "")


def _how_to_promote(report: RetrainReport) -> str:
    command = f"leadlight promote {report.trained.version}"
    if report.is_proposed:
        return f"The card was chosen by a person, so a person decides; it keeps scoring until then: {command}"
    return f"To let it score all the same: {command}"
