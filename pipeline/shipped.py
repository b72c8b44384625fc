"""Where the shipped configurations lie: beside the code in a wheel, at the top of a checkout."""

from pathlib import Path

from features.errors import LeadlightError, wrong_input


def configs_folder() -> Path:
    """Return the folder of the shipped configurations."""
    in_wheel = Path(__file__).parent / "configs"
    return in_wheel if in_wheel.is_dir() else Path(__file__).parents[1] / "configs"


def config_names() -> tuple[str, ...]:
    """Return the names of the shipped configurations, sorted, without their ending."""
    return tuple(sorted(file.stem for file in configs_folder().glob("*.yaml")))


def config(name: str) -> Path:
    """Return the path of the shipped configuration *name*, such as ``complete_journey``.

    Raises:
        LeadlightError: No configuration of that name is shipped.
    """
    path = configs_folder() / f"{name}.yaml"
    if not path.is_file():
        raise _unknown_config(name)
    return path


def _unknown_config(name: str) -> LeadlightError:
    return wrong_input(
        f"No configuration {name!r} is shipped. There are:",
        config_names(),
        hint="give the path of your own file, or write one with `leadlight init`.",
    )
