"""`leadlight run`: the nightly job."""

from typing import Annotated, Final

import typer

from pipeline.cli.app import app
from pipeline.cli.asked import asker
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, Yes
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr
from pipeline.cli.scoring import AsOf
from pipeline.cli.stopped import told_when_stopped
from pipeline.priority import give_way

_LEFT: Final = "What was finished is kept: run the same command again, and it goes on from there."

CatchUp = Annotated[
    bool, typer.Option("--catch-up", help="Also score the nights that were missed; the newest alone is written.")
]


@app.command()
def run(
    *,
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    catch_up: CatchUp = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Read, score, write to your CRMs and report in one go: the nightly job, safe to run again at any point."""
    from pipeline.cli.show_run import show_run
    from pipeline.crm.session import Outside
    from pipeline.stages.run import run as run_night
    from pipeline.stages.run_steps import NightWish

    settings = opened(config)
    # Before any library makes its threads, which take over how far this one gives way.
    give_way(settings.score.priority)
    with told_when_stopped(lambda: _LEFT), shown_on_stderr() as progress:
        wish = NightWish(as_of, catch_up, asker(progress, yes=yes))
        report = run_night(settings, wish, outside=Outside(), progress=progress)
    show(report, show_run, as_json=as_json)
    if report.exit_code:
        raise typer.Exit(report.exit_code)
