"""`leadlight serve`: the web app for marketers."""

from typing import Annotated

import typer

from features.errors import LeadlightError, wrong_input
from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, Config


@app.command()
def serve(
    config: Config = DEFAULT_CONFIG,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; others than loopback ask for a login.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 = any that is free.")
    ] = 8000,
    add_user: Annotated[
        str,
        typer.Option("--add-user", metavar="NAME", help="Ask for a password, add or print the user's line, and end."),
    ] = "",
) -> None:
    """Serve the web app: whom to call today, and why."""
    if add_user:
        _add(add_user)
        return
    try:
        from pipeline.web.server import run
    except ModuleNotFoundError as error:
        raise _without_extra(str(error.name)) from error

    run(opened(config), host=host, port=port, say=lambda text: typer.echo(text, err=True))


def _add(name: str) -> None:
    """Ask for the user's password twice; write the line where users are kept, or print it."""
    import os

    try:
        from pipeline.web.new_user import add, checked_name
    except ModuleNotFoundError as error:
        raise _without_extra(str(error.name)) from error

    checked_name(name)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    typer.echo(add(name, password, environment=os.environ))


def _without_extra(package: str) -> LeadlightError:
    fact = f"The web app needs packages that are not installed, such as '{package}'."
    return wrong_input(fact, hint="pip install 'leadlight[web]' brings them.")
