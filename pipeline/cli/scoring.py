"""`leadlight score` and `leadlight explain`: who to call, and why."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, SaidIn, typed
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr
from pipeline.priority import give_way

MOMENTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")
"""How a moment may be typed."""

AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=list(MOMENTS),
        metavar="MOMENT",
        help="Score as of this moment of the shop's clock, such as 2025-03-01T06:00; by default when the data end. "
        "One before what is published is stored and not published.",
    ),
]

Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        formats=list(MOMENTS),
        metavar="MOMENT",
        help="Show what moved the score since the newest stored run of that day or before.",
    ),
]


@app.command()
def score(config: Config = DEFAULT_CONFIG, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Score every lead of the cohort with the champion, or by your points card while there is none, and export them."""
    from pipeline.cli.show_scores import show_scores
    from pipeline.stages.score import score as run

    settings = opened(config)
    # Before any library makes its threads, which take over how far this one gives way.
    give_way(settings.score.priority)
    with shown_on_stderr() as progress:
        report = run(settings, as_of=as_of, scored_at=datetime.now(UTC), progress=progress)
    show(report, show_scores, as_json=as_json, then="" if report.unpublished else typed("explain LEAD", config))


@app.command()
def explain(
    lead: Annotated[str, typer.Argument(help="The lead's id.", show_default=False)],
    config: Config = DEFAULT_CONFIG,
    since: Since = None,
    said_in: SaidIn = None,
    as_json: AsJson = False,
) -> None:
    """Show one lead: its score, what speaks for and against it, its timeline; or what moved its score since a day."""
    if since is not None:
        from pipeline.cli.show_change import show_change
        from pipeline.stages.explain_change import explain_change

        told = explain_change(opened(config), lead, since=since, said_in=said_in.value if said_in else "")
        show(told, show_change, as_json=as_json)
        return
    from pipeline.cli.show_lead import show_lead
    from pipeline.stages.explain import explain as run

    show(run(opened(config), lead, said_in=said_in.value if said_in else ""), show_lead, as_json=as_json)
