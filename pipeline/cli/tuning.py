"""`leadlight tune`: settings of the model, sought over forward folds."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, typed
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr

Trials = Annotated[
    int | None,
    typer.Option("--trials", min=1, metavar="N", help="Trials of the study in all; by default model.tuning.trials."),
]
Minutes = Annotated[
    float | None,
    typer.Option("--minutes", min=0.01, metavar="M", help="Minutes of this run; by default model.tuning.minutes."),
]


@app.command()
def tune(
    config: Config = DEFAULT_CONFIG, trials: Trials = None, minutes: Minutes = None, as_json: AsJson = False
) -> None:
    """Seek better settings of the model over forward folds; stopped or killed, the next run goes on."""
    from pipeline.cli.show_tuning import show_tuning
    from pipeline.stages.tune import tune as run

    with shown_on_stderr() as progress:
        report = run(opened(config), now=datetime.now(UTC), trials=trials, minutes=minutes, progress=progress)
    is_done = report.trials >= report.wanted
    then = typed("train", config) if is_done else f"{typed('tune', config)}   (goes on), or {typed('train', config)}"
    show(report, show_tuning, as_json=as_json, then=then)
