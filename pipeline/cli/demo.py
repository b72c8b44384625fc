"""`leadlight demo`: the main job on data that anyone can have."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.options import AsJson
from pipeline.cli.output import as_json_text, console_on_stdout
from pipeline.cli.progress import shown_on_stderr


class Shop(StrEnum):
    """The shops of the demo."""

    grocery = "grocery"
    synthetic = "synthetic"


@app.command()
def demo(
    shop: Annotated[
        Shop,
        typer.Option("--shop", help="grocery: real baskets and campaigns. synthetic: a shop whose truth is known."),
    ] = Shop.grocery,
    folder: Annotated[Path, typer.Option("--folder", help="Where the demo keeps its files.")] = Path("demo"),
    leads: Annotated[
        int, typer.Option("--leads", min=1000, max=1_000_000, help="Leads of the synthetic shop.")
    ] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the synthetic shop.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run the main job: files to tables, features, a model, and ranked leads with reasons.

    Run again, it trains once more and keeps scoring with the first model; remove its folder to start anew.
    """
    from pipeline.cli.show_demo import show_step
    from pipeline.stages.demo import demo as run

    console, reports = console_on_stdout(), []
    with shown_on_stderr() as progress:
        place = folder / shop.value
        for step in run(shop.value, folder=place, now=datetime.now(UTC), leads=leads, seed=seed, progress=progress):
            reports.append(step)
            if not as_json:
                show_step(console, step)
    if as_json:
        typer.echo(as_json_text({type(step).__name__: step for step in reports}))
