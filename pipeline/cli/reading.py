"""`leadlight init`, `check` and `ingest`: from a first config to tables in the workspace."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, Data, typed
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr
from pipeline.exit_codes import DONE_WITH_REJECTS

Rebuild = Annotated[bool, typer.Option("--rebuild", help="Forget earlier loads and read everything as a first one.")]
NewConfig = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")]

LeadTable = Annotated[
    bool, typer.Option("--lead-table", help="For one table of leads with a label, such as a CRM's export.")
]


@app.command()
def init(file: NewConfig = DEFAULT_CONFIG, lead_table: LeadTable = False, as_json: AsJson = False) -> None:
    """Write a commented config to start from."""
    from pipeline.stages.init import Kind
    from pipeline.stages.init import init as run

    show(
        {"config": run(file, kind=Kind.lead_table if lead_table else Kind.shop)},
        lambda console, done: console.print(
            f"{done['config']} is written. Say in it where your files lie, then run `leadlight check`.",
            markup=False,
            soft_wrap=True,
        ),
        as_json=as_json,
    )


@app.command()
def check(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: AsJson = False) -> None:
    """Read everything and write nothing: what would be kept, what rejected, and why."""
    from pipeline.cli.show_ingest import show_check
    from pipeline.stages.ingest import check as run

    with shown_on_stderr() as progress:
        report = run(opened(config, data=data), now=datetime.now(UTC), progress=progress)
    show(report, show_check, as_json=as_json, then=typed("ingest", config))
    if report.has_rejects:
        raise typer.Exit(DONE_WITH_REJECTS)


@app.command()
def ingest(
    config: Config = DEFAULT_CONFIG, data: Data = None, rebuild: Rebuild = False, as_json: AsJson = False
) -> None:
    """Read the tables into the workspace; run again, only what is new."""
    from pipeline.cli.show_ingest import show_ingest
    from pipeline.stages.ingest import ingest as run

    with shown_on_stderr() as progress:
        report = run(opened(config, data=data), now=datetime.now(UTC), rebuild=rebuild, progress=progress)
    show(report, show_ingest, as_json=as_json, then=typed("train", config))
    if report.has_rejects:
        raise typer.Exit(DONE_WITH_REJECTS)
