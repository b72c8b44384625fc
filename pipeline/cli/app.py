"""The list of commands, and what happens to whatever they raise."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipeline.cli.exits import ExitCodes
from pipeline.cli.logs import log_to_stderr

#: As a person comes to need them.
_ORDER = (
    "demo", "init", "check", "ingest", "features", "tune", "train", "backtest", "score", "explain", "publish", "run",
    "serve", "report", "retrain", "models", "promote", "rollback", "points",
)  # fmt: skip


class _InOrderOfUse(TyperGroup):
    """The commands, listed as a person comes to need them; new ones at the end."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer hides the type
        """Return the names of all commands."""
        names = super().list_commands(ctx)
        return [*(name for name in _ORDER if name in names), *(name for name in names if name not in _ORDER)]


app = typer.Typer(
    cls=_InOrderOfUse,
    name="leadlight",
    help="Which leads will convert, how sure that is, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes half a second to draw a frame around the help
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def main() -> int:
    """Run the command line and return the exit code (see `pipeline.exit_codes`)."""
    with ExitCodes() as exits:
        app()
    return exits.code


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("leadlight"))
        raise typer.Exit


@app.callback()
def _before_every_command(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step to stderr.")] = False,
    version: Annotated[  # noqa: ARG001 - shown by its callback
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Set up what all commands share."""
    log_to_stderr(verbose=verbose)
