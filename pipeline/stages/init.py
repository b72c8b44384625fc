"""`leadlight init`: a commented config to start from."""

from importlib.resources import files
from pathlib import Path

from features.errors import LeadlightError, wrong_input


def init(path: Path) -> Path:
    """Write the starting config to *path* and return it.

    Args:
        path: The file to write; its folder is made where it is missing.

    Raises:
        LeadlightError: There is such a file already; it is left alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starting_config())
    except FileExistsError as error:
        raise _exists(path) from error
    return path


def starting_config() -> str:
    """Return the text of the starting config."""
    return (files("pipeline") / "starting_config.yaml").read_text(encoding="utf-8")


def _exists(path: Path) -> LeadlightError:
    return wrong_input(
        f"'{path}' is there already and was left alone.", hint="give another name: `leadlight init FILE`."
    )
