"""Run the whole suite against the built wheel, in a folder that holds none of our code.

A checkout forgives what a wheel does not: a file that is not packaged, a config read from the top of
the repository, a test that imports its neighbour's source. So the tests, the benchmarks and the
notebooks are copied into an empty folder, and an environment of their own holds the wheel:

    build/wheel/dist   the wheel
    build/wheel/venv   Python with the wheel, and sight of the locked packages, not of the checkout
    (temporary)        the room: tests, benchmarks, notebooks, and pytest's settings

Usage: ``python tests/wheel/suite.py [arguments for pytest]``, with the environment's Python.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build" / "wheel"
COPIED = ("tests", "benchmarks", "notebooks", "pyproject.toml")


def main(arguments: list[str]) -> int:
    """Build, install, copy, run; return pytest's exit code."""
    wheel = build_wheel(BUILD / "dist")
    python = environment_with(wheel, BUILD / "venv")
    with tempfile.TemporaryDirectory(prefix="leadlight-room-") as room:
        copy_into(Path(room))
        return run_pytest(python, Path(room), arguments)


def build_wheel(folder: Path) -> Path:
    """Build the wheel into an empty *folder* and return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


def environment_with(wheel: Path, folder: Path) -> Path:
    """Create an environment that holds *wheel* and sees the locked packages; return its Python.

    The path in the .pth file is taken as it is: the .pth files inside it, the one of the editable
    install among them, are not followed.
    """
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    site = site_packages(python)
    (site / "locked_packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install, str(wheel)], check=True)
    return python


def site_packages(python: Path) -> Path:
    """Return where *python* keeps its packages."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([str(python), "-c", question], check=True, capture_output=True, text=True)
    return Path(answer.stdout.strip())


def copy_into(room: Path) -> None:
    """Copy what is to run into the empty *room*."""
    leftovers = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, room / name, ignore=leftovers)
        elif source.is_file():
            shutil.copy2(source, room / name)


def run_pytest(python: Path, room: Path, arguments: list[str]) -> int:
    """Run tests and notebooks in *room* and return pytest's exit code."""
    environment = {
        **os.environ,
        "LEADLIGHT_CHECKOUT": str(CHECKOUT),
        "LEADLIGHT_WHEEL_SITE": str(site_packages(python)),
        "PYTHONNOUSERSITE": "1",
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", "")]),
    }
    environment.pop("PYTHONPATH", None)
    # Where the caller names tests, only those run.
    chosen = [] if any("::" in word or word.endswith(".py") for word in arguments) else ["tests"]
    if chosen and any((room / "notebooks").glob("*.ipynb")):
        chosen += ["--nbmake", "notebooks"]
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *chosen, *arguments]
    return subprocess.run(command, cwd=room, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
