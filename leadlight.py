"""The door of the command `leadlight`: it looks who answers to our names before it lets anyone in.

`features`, `models` and `pipeline` are common words. A folder of that name on PYTHONPATH, or another
distribution, would be imported instead of ours, and numbers would come out that nobody asked for.
So this file stands beside the three packages, imports only the standard library, and compares
what Python would import with what lies next to it.
"""

import csv
import hashlib
import importlib.util
import sys
from base64 import urlsafe_b64encode
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGES = ("features", "models", "pipeline")
_WRONG_INPUT = 2


def main() -> None:
    """Run the command line, or refuse with exit code 2 where a foreign package holds our name."""
    refusal = refusal_of_foreign_packages(Path(__file__).resolve().parent)
    if refusal:
        sys.stderr.write(refusal + "\n")
        sys.exit(_WRONG_INPUT)
    from pipeline.cli import main as run  # ours, now that we know it

    sys.exit(run())


def refusal_of_foreign_packages(root: Path) -> str:
    """Return why the imports cannot be trusted, or an empty string where all three are ours.

    Args:
        root: The folder that holds Leadlight's own three packages.

    Returns:
        A text for a person that names every foreign path, our path and the remedy.
    """
    foreign = [
        f"  - {name}   (Python finds {found}, Leadlight's own is {root / name})"
        for name in PACKAGES
        if (found := _where_python_looks(name)) != root / name
    ]
    if foreign:
        return "\n".join(["Another package takes the place of Leadlight's own:", *foreign, "", _HINT_HIDDEN])
    changed = [f"  - {root / name}" for name in _overwritten(root)]
    if changed:
        return "\n".join(["Another package was installed over Leadlight's own:", *changed, "", _HINT_OVERWRITTEN])
    return ""


_HINT_HIDDEN = (
    "Hint: remove that folder from PYTHONPATH (or leave it, if it is the current folder), "
    "uninstall the other package, or install Leadlight into an environment of its own."
)
_HINT_OVERWRITTEN = "Hint: uninstall the other package, then reinstall leadlight, best into an environment of its own."


def _where_python_looks(name: str) -> Path | None:
    """Return the folder or file that `import name` would run, without running it."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a stand-in module without a spec, put into sys.modules by someone
        return None
    if spec is None:
        return None
    if spec.origin is None:  # a folder without __init__.py
        places = list(spec.submodule_search_locations or [])
        return Path(places[0]).resolve() if places else None
    origin = Path(spec.origin).resolve()
    return origin.parent if origin.name == "__init__.py" else origin


def _overwritten(root: Path) -> list[str]:
    """Return the packages whose first file is not the one that our wheel installed.

    A checkout has no record of files, and nothing can be installed over it.
    """
    try:
        installed = distribution("leadlight")
    except PackageNotFoundError:
        return []
    record = installed.read_text("RECORD") or ""
    hashes = {row[0]: row[1] for row in csv.reader(record.splitlines()) if len(row) > 1}
    installed_here = Path(str(installed.locate_file(""))).resolve() == root
    if not installed_here or "leadlight.py" not in hashes:
        return []
    return [name for name in PACKAGES if hashes.get(f"{name}/__init__.py") != _sha256(root / name / "__init__.py")]


def _sha256(file: Path) -> str:
    """Return the hash of *file* as a wheel's RECORD writes it."""
    if not file.is_file():
        return ""
    digest = hashlib.sha256(file.read_bytes()).digest()
    return "sha256=" + urlsafe_b64encode(digest).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
