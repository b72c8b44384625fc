"""What `leadlight retrain` prints for people: the decision first, then what the gate asked, then the new model."""

from rich.console import Console

from pipeline.cli.show_training import show_training
from pipeline.stages.retrain import RetrainReport


def show_retraining(console: Console, report: RetrainReport) -> None:
    """Print whether the new model scores from now on, and why."""
    label = report.trained.version
    decision = f"{label} is champion from now on." if report.is_promoted else f"{label} is not promoted."
    if not report.is_promoted and report.champion:
        decision += f" Champion {report.champion} keeps scoring."
    console.print(decision, style="bold", markup=False)
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
        console.print(f"To let it score all the same: leadlight promote {label}", markup=False, soft_wrap=True)
    console.print()
    show_training(console, report.trained)
