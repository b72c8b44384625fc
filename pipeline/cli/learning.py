"""`leadlight features` and `leadlight train`: from tables to a registered model."""

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, typed
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr


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
