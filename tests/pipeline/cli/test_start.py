"""The command starts quickly: what a command needs is loaded inside it."""

import subprocess
import sys

from typer.main import get_command

import pipeline.cli  # noqa: F401 - importing it adds the commands
from pipeline.cli.app import _ORDER, app

HEAVY = (
    "mlflow",
    "lightgbm",
    "sklearn",
    "shap",
    "numba",
    "pandas",
    "duckdb",
    "numpy",
    "pyarrow",
    "matplotlib",
)


def test_help_loads_nothing_heavy(tmp_path):
    """`leadlight --help` imports no library of numbers."""
    script = (
        "import contextlib, io, sys, leadlight\n"
        "sys.argv = ['leadlight', '--help']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    leadlight.main()\n"
        "print(*sys.modules)\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "typer" in answer.stdout.split()
    assert [name for name in HEAVY if name in answer.stdout.split()] == []


def test_help_lists_the_commands(leadlight):
    """A person without arguments sees what there is, and every command has its line."""
    answer = leadlight("--help")
    assert answer.returncode == 0
    commands = get_command(app).commands
    assert set(commands) == set(_ORDER)
    for command in commands:
        assert f"  {command} " in answer.stdout


def test_a_misspelt_command_is_wrong_usage(leadlight):
    """Wrong usage has exit code 2, no traceback, and names the nearest command."""
    answer = leadlight("tarin")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert "train" in answer.stderr


def test_the_version_is_told(leadlight):
    """`leadlight --version` prints the version alone."""
    from importlib.metadata import version

    assert leadlight("--version").stdout.strip() == version("leadlight")
