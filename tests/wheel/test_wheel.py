"""What a person gets who installs the wheel and has no checkout."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel


@pytest.mark.parametrize("name", ["features", "models", "pipeline", "leadlight"])
def test_packages_are_imported_from_the_wheel(name, wheel_site):
    """Every package of ours is the installed one."""
    assert Path(import_module(name).__file__).is_relative_to(wheel_site)


def test_a_new_process_imports_from_the_wheel_too(wheel_site, tmp_path):
    """A process that the tests start, a notebook's kernel say, sees the same code."""
    script = "import features as f, models as m, pipeline as p; print(f.__file__, m.__file__, p.__file__)"
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert all(Path(path).is_relative_to(wheel_site) for path in answer.stdout.split())


def test_shipped_configs_lie_inside_the_wheel(wheel_site):
    """The shipped configurations are found without a checkout."""
    from pipeline import shipped

    assert shipped.configs_folder() == wheel_site / "pipeline" / "configs"
    assert {"cdnow", "complete_journey", "synthetic_shop"} <= set(shipped.config_names())


def test_the_wheel_holds_only_what_is_ours():
    """Nothing but the three packages, the door and the wheel's own notes is installed."""
    top = {file.parts[0] for file in distribution("leadlight").files}
    strangers = {name for name in top if not name.endswith(".dist-info")}
    # `..` leads to the command in the environment's bin folder.
    assert strangers <= {"..", "__pycache__", "features", "leadlight.py", "models", "pipeline"}


@pytest.mark.parametrize("name", ["features", "models", "pipeline"])
def test_type_checkers_are_told_that_the_packages_are_typed(name, wheel_site):
    """Each package carries its py.typed marker."""
    assert (wheel_site / name / "py.typed").is_file()
