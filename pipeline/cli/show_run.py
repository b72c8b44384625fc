"""What `leadlight run` prints for people: each step in order, and how to go on where one failed."""

from rich.console import Console

from pipeline.stages.run_report import Outcome, RunReport, StepReport

_MARKS = {
    Outcome.DONE: "done",
    Outcome.NOTHING_NEW: "nothing new",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "failed",
}
_CODES = {
    0: "All is well.",
    1: "Something was rejected, or a gate failed (exit code 1): see above.",
    2: "The input or the config is wrong (exit code 2): see above.",
    3: "Not finished (exit code 3): run it again, it goes on from where it stands.",
}


def show_run(console: Console, report: RunReport) -> None:
    """Print the steps of a night and what they come to."""
    for step in report.steps:
        _show_step(console, step)
    console.print(
        "Nothing new: this night was written before." if report.is_nothing_new else _CODES[report.exit_code],
        markup=False,
        soft_wrap=True,
    )


def _show_step(console: Console, step: StepReport) -> None:
    took = f", {step.seconds:,.1f} s" if step.outcome != Outcome.SKIPPED else ""
    console.print(f"{step.name}: {_MARKS[step.outcome]}{took}", markup=False)
    for line in step.words.splitlines():
        console.print(f"  {line}" if line else "", markup=False, soft_wrap=True)
