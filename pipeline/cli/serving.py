"""`leadlight serve`: the web app for marketers."""

from typing import Annotated

import typer

from pipeline.cli.app import app
from pipeline.cli.opened import opened
from pipeline.cli.options import DEFAULT_CONFIG, Config


@app.command()
def serve(
    config: Config = DEFAULT_CONFIG,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; others than loopback ask for a login.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8000,
    add_user: Annotated[
        str,
        typer.Option("--add-user", metavar="NAME", help="Ask for a password, add or print the user's line, and end."),
    ] = "",
) -> None:
    """Serve the web app: whom to call today, and why."""
    if add_user:
        _add(add_user)
        return
    from pipeline.web.server import run

    run(opened(config), host=host, port=port, say=lambda text: typer.echo(text, err=True))


def _add(name: str) -> None:
    """Ask for the user's password twice; write the line where users are kept, or print it."""
    import os

    from pipeline.web.new_user import add, checked_name

    checked_name(name)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    typer.echo(add(name, password, environment=os.environ))
