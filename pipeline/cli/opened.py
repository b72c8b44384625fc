"""Opening the config that a command was given: a path, or the name of a shipped one."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.settings import Settings


def opened(config: Path, *, data: str | None = None) -> "Settings":
    """Return the settings at *config*; ``complete_journey`` alone means the shipped one.

    The paths in a file of the shop's own start at its folder, so that a job may run from anywhere;
    those in a shipped one start where the command runs.

    Args:
        config: A path, or a shipped config's name.
        data: Where the data lie, in place of the config's ``data``.
    """
    from pipeline import shipped
    from pipeline.settings import load

    is_name = config.suffix == "" and config.parent == Path() and not config.exists()
    if is_name:
        return load(shipped.config(config.name), data=data, beside=Path())
    return load(config, data=data)
