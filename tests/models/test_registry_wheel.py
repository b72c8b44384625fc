"""The wheel that a model carries: what the build would make, packed without a build tool."""

import io
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from features.errors import LeadlightError
from models.registry import wheel
from models.registry.wheel import packed_wheel


def names_in(archive):
    """Return the names of a wheel's files, but for the installer's and the builder's notes."""
    return {name for name in zipfile.ZipFile(archive).namelist() if ".dist-info/" not in name}


def test_the_same_bytes_each_time():
    """Two models of one version carry the same wheel."""
    name, first = packed_wheel()
    packed_wheel.cache_clear()
    assert packed_wheel() == (name, first)
    assert name == f"leadlight-{distribution('leadlight').version}-py3-none-any.whl"


def test_python_can_import_from_it_as_it_is(tmp_path):
    """It needs no unpacking, and holds the door and the configs too."""
    name, contents = packed_wheel()
    (tmp_path / name).write_bytes(contents)
    script = f"import sys; sys.path.insert(0, {str(tmp_path / name)!r}); import models.registry as r; print(r.__file__)"
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert answer.stdout.strip().startswith(str(tmp_path / name))
    held = names_in(io.BytesIO(contents))
    assert {"leadlight.py", "models/registry/loader.py", "features/py.typed"} <= held
    assert any(file.startswith("pipeline/configs/") for file in held)
    assert not [file for file in held if "__pycache__" in file or file.endswith(".pyc")]


def test_it_holds_what_the_build_puts_into_a_wheel(checkout, tmp_path):
    """File by file, hatchling would pack the same."""
    if not (checkout / "pyproject.toml").is_file():
        pytest.skip("there is no checkout beside the wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    assert names_in(io.BytesIO(packed_wheel()[1])) == names_in(next(tmp_path.glob("*.whl")))


@pytest.mark.slow
def test_pip_installs_it(tmp_path):
    """Its record and its notes are those of a wheel."""
    name, contents = packed_wheel()
    (tmp_path / name).write_bytes(contents)
    install = ["install", "--no-deps", "--no-index", "--no-compile", "--target", str(tmp_path / "site")]
    tool = Path(distribution("pip").locate_file(""))
    done = subprocess.run(
        [sys.executable, "-m", "pip", *install, str(tmp_path / name)],
        env={"PYTHONPATH": str(tool), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "HOME": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "models" / "registry" / "loader.py").is_file()
    assert list((tmp_path / "site").glob("leadlight-*.dist-info/RECORD"))


def test_code_that_is_not_installed_says_so(monkeypatch):
    """Without an installed distribution there is nothing that could travel."""

    def missing(name):
        raise wheel.PackageNotFoundError(name)

    packed_wheel.cache_clear()
    monkeypatch.setattr(wheel, "distribution", missing)
    with pytest.raises(LeadlightError, match="is not installed here"):
        packed_wheel()
