"""`leadlight init`: a commented config to start from."""

from enum import Enum
from importlib.resources import files
from pathlib import Path

from features.errors import LeadlightError, wrong_input


class Kind(Enum):
    """Kinds of data, and the file with the config to start from."""

    shop = "starting_config.yaml"
    lead_table = "starting_lead_table.yaml"


def init(path: Path, *, kind: Kind = Kind.shop) -> Path:
    """Write the starting config to *path* and return it.

    Args:
        path: The file to write; its folder is made where it is missing.
        kind: For what kind of data.

    Raises:
        LeadlightError: There is such a file already; it is left alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starting_config(kind))
    except FileExistsError as error:
        raise _exists(path) from error
    return path


def starting_config(kind: Kind = Kind.shop) -> str:
    """Return the text of the starting config for data of a *kind*."""
    return (files("pipeline") / kind.value).read_text(encoding="utf-8")


def _exists(path: Path) -> LeadlightError:
    return wrong_input(
        f"'{path}' is there already and was left alone.", hint="give another name: `leadlight init FILE`."
    )
