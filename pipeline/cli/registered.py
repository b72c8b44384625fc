"""`leadlight models`, `promote` and `rollback`: which model is in use, and changing that."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, typed
from pipeline.cli.output import show
from pipeline.exit_codes import DONE_WITH_REJECTS

Version = Annotated[
    str,
    typer.Argument(
        metavar="[VERSION]", help="Its label, number or alias; by default the challenger.", show_default=False
    ),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for those who read the history later.")]


@app.command()
def models(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the trained models, newest first, and who was champion when, and why."""
    from pipeline.cli.show_registered import show_models
    from pipeline.stages.registered import models as run

    show(run(opened(config)), show_models, as_json=as_json)


@app.command()
def promote(version: Version = "", config: Config = DEFAULT_CONFIG, why: Why = "", as_json: AsJson = False) -> None:
    """Make a version the champion: it scores from the next `leadlight score` on. Nothing is published yet."""
    from pipeline.cli.show_registered import show_promotion
    from pipeline.stages.registered import promote as run

    report = run(opened(config), version, why=why, at=datetime.now(UTC))
    show(report, show_promotion, as_json=as_json, then=typed("score", config))


@app.command()
def rollback(config: Config = DEFAULT_CONFIG, why: Why = "", as_json: AsJson = False) -> None:
    """Go back to the champion before: it scores again, and the newest scores it stored are published again.

    Run again, it goes back one further. The exit code is 1 where that champion never stored scores: the published
    ones are then still those of the version rolled back from.
    """
    from pipeline.cli.show_registered import show_rollback
    from pipeline.stages.registered import rollback as run

    report = run(opened(config), why=why, at=datetime.now(UTC))
    show(report, show_rollback, as_json=as_json, then="" if report.is_published else typed("score", config))
    if not report.is_published:
        raise typer.Exit(DONE_WITH_REJECTS)
