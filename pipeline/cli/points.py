"""`leadlight points …`: a points card of the shop's own, tried, learned, and scored with."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config, typed
from pipeline.cli.output import show
from pipeline.cli.progress import shown_on_stderr
from pipeline.cli.scoring import AsOf

DEFAULT_CARD = Path("points.yaml")
NewCard = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")]
points = typer.Typer(
    name="points",
    help="A points card of your own: written by hand or learned, tried on your data, scored with.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(points)


@points.command()
def init(file: NewCard = DEFAULT_CARD, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Write a commented points card to start from."""
    from pipeline.stages.points import init as run

    settings = opened(config) if config.exists() or config != DEFAULT_CONFIG else None
    show(
        {"card": run(file, settings=settings)},
        lambda console, done: console.print(
            f"{done['card']} is written. Name it in the config (points: {{card: {_beside(config, done['card'])}}}), "
            "put your own values into the rules, and try it.",
            markup=False,
            soft_wrap=True,
        ),
        as_json=as_json,
        then=typed("points check", config),
    )


def _beside(config: Path, card: Path) -> str:
    """Return the path of *card* as the config names it: relative to its own folder."""
    return os.path.relpath(card, config.parent)


@points.command()
def check(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Try the card on the ingested tables: which rules give points, to how many leads, what scores come out."""
    from pipeline.cli.show_points import show_check
    from pipeline.stages.points import check as run

    with shown_on_stderr() as progress:
        report = run(opened(config), progress=progress)
    show(report, show_check, as_json=as_json, then=typed("points score", config))


@points.command()
def score(config: Config = DEFAULT_CONFIG, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Score every lead of the cohort by the card, and export the scores; no history is needed."""
    from pipeline.cli.show_scores import show_scores
    from pipeline.stages.points_score import score_by_points as run

    with shown_on_stderr() as progress:
        report = run(opened(config), as_of=as_of, scored_at=datetime.now(UTC), progress=progress)
    show(report, show_scores, as_json=as_json, then="" if report.unpublished else typed("explain LEAD", config))


@points.command()
def learn(
    config: Config = DEFAULT_CONFIG,
    rules: Annotated[int, typer.Option("--rules", min=1, max=200, help="Rules at most.")] = 25,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")] = DEFAULT_CARD,
    force: Annotated[bool, typer.Option("--force", help="Replace a card that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn a card from the data, say what it gives up against the model, and write it."""
    from pipeline.cli.show_points import show_learned
    from pipeline.stages.points_learn import learn as run

    with shown_on_stderr() as progress:
        report = run(opened(config), out=out, most_rules=rules, replace=force, progress=progress)
    show(report, show_learned, as_json=as_json, then=typed("points check", config))
