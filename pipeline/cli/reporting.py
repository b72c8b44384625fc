"""`leadlight report`: the published scores as a whole, as one page to mail."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, SaidIn
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FILE", help="The HTML file to write; by default in the workspace.", show_default=False
    ),
]


@app.command()
def report(config: Config = DEFAULT_CONFIG, out: Out = None, said_in: SaidIn = None, as_json: AsJson = False) -> None:
    """Write leads and expected conversions by grade, source and segment, and what came of earlier scores, as a page."""
    from pipeline.cli.show_report import show_report
    from pipeline.stages.report import write_report as run

    with shown_on_stderr() as progress:
        written = run(opened(config), out=out, language=said_in or "", progress=progress)
    show(written, show_report, as_json=as_json)
