"""`leadlight backtest`: how good the recipe would have been, moment by moment."""

from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr

Folds = Annotated[
    int | None,
    typer.Option("--folds", min=1, metavar="N", help="Only the newest N folds; by default as many as the data hold."),
]
NoOptimism = Annotated[
    bool, typer.Option("--no-optimism", help="Do not fit the model that a split of rows at random would judge.")
]


@app.command()
def backtest(
    config: Config = DEFAULT_CONFIG, folds: Folds = None, no_optimism: NoOptimism = False, as_json: AsJson = False
) -> None:
    """Judge the recipe at every moment of the past that the data hold, beside plain baselines."""
    from pipeline.cli.show_backtest import show_backtest
    from pipeline.stages.backtest import backtest as run

    with shown_on_stderr() as progress:
        report = run(opened(config), folds=folds, with_random_split=not no_optimism, progress=progress)
    show(report, show_backtest, as_json=as_json)
