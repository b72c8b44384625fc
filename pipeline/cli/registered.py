"""`leadlight models`: the models so far, and the one in use."""

from typing import TYPE_CHECKING

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, AsJson, Config
from pipeline.cli.output import show

if TYPE_CHECKING:
    from rich.console import Console

    from models.registry import ModelVersion


@app.command()
def models(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the trained models, newest first, and name the one in use."""
    from models import registry
    from pipeline.champion import place_of

    show(registry.versions(place_of(opened(config))), _show_versions, as_json=as_json)


def _show_versions(console: "Console", versions: "tuple[ModelVersion, ...]") -> None:
    from rich.table import Table

    if not versions:
        console.print("No model yet. `leadlight train` makes the first one.")
        return
    figures = list(dict.fromkeys(name for version in versions for name in version.tags))
    table = Table()
    for name in ("version", "", "trained (UTC)", *(name.replace("_", " ") for name in figures)):
        table.add_column(name)
    for version in versions:
        tags = (version.tags.get(name, "") for name in figures)
        table.add_row(version.label, ", ".join(version.aliases), f"{version.trained_at:%Y-%m-%d %H:%M}", *tags)
    console.print(table)
