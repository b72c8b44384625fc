"""The options that several commands share, worded once."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The shop's config: a YAML file, or the name of a shipped one (complete_journey, ...).",
    ),
]
Data = Annotated[
    str | None,
    typer.Option("--data", metavar="FOLDER", help="Where the data lie, in place of the config's `data`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes; for programs.")]

DEFAULT_CONFIG = Path("leadlight.yaml")


class Code(StrEnum):
    """The languages in which people are told."""

    en = "en"
    pt = "pt"
    pt_br = "pt-BR"
    pl = "pl"
    ro = "ro"


SaidIn = Annotated[
    Code | None, typer.Option("--language", help="Language of the answer; by default shop.language of the config.")
]


def seen_in_mlflow(uri: str) -> str:
    """Return how to look at what MLflow keeps at *uri*: the page of a server, or the command that opens a database."""
    if uri.startswith(("http://", "https://")):
        return uri
    return f"mlflow ui --backend-store-uri {shlex.quote(uri)}"


def typed(command: str, config: Path) -> str:
    """Return what to type to run *command* with the same config."""
    return f"leadlight {command}" + ("" if config == DEFAULT_CONFIG else f" --config {shlex.quote(str(config))}")
