"""`leadlight features`, `train` and `retrain`: from tables to a registered model."""

from datetime import UTC, datetime

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, typed
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr
from pipeline.exit_codes import DONE_WITH_REJECTS


@app.command()
def features(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Write snapshots, labels and features as Parquet, with a data dictionary."""
    from pipeline.cli.show_features import show_features
    from pipeline.stages.features import build

    with shown_on_stderr() as progress:
        report = build(opened(config), progress=progress)
    show(report, show_features, as_json=as_json, then=typed("train", config))


@app.command()
def train(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Train a model, judge it on the newest snapshots, and register it in MLflow."""
    from pipeline.cli.show_training import show_training
    from pipeline.stages.train import train as run

    with shown_on_stderr() as progress:
        report = run(opened(config), progress=progress)
    show(report, show_training, as_json=as_json, then=typed("score", config))


@app.command()
def retrain(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Train a challenger; it becomes champion if it is better, its probabilities hold, and the baselines lose.

    Where a points card scores, for want of a champion, what passes is proposed: `leadlight promote` lets it score.
    The exit code is 1 where the model did not pass.
    """
    from pipeline.cli.show_retraining import show_retraining
    from pipeline.stages.retrain import retrain as run

    with shown_on_stderr() as progress:
        report = run(opened(config), now=datetime.now(UTC), progress=progress)
    then = typed("score", config) if report.is_promoted else ""
    if report.is_proposed:
        then = typed(f"promote {report.trained.version}", config)
    show(report, show_retraining, as_json=as_json, then=then)
    if not (report.is_promoted or report.is_proposed):
        raise typer.Exit(DONE_WITH_REJECTS)
