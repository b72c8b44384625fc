"""The door of the command refuses strangers that carry the names of our packages."""

import hashlib
import subprocess
import sys
from base64 import urlsafe_b64encode

import pytest

import leadlight as door

NAMES = ["features", "models", "pipeline"]


def foreign_package(folder, name):
    """Write a package *name* into *folder* that does something else."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("raise SystemExit('a stranger ran')\n")
    return folder / name


def assert_refused(answer, *paths):
    """Check the whole shape of a refusal: code, both paths, the remedy, no traceback."""
    assert answer.returncode == 2, answer.stderr
    assert answer.stdout == ""
    assert "a stranger ran" not in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "\n\nHint: " in answer.stderr
    for path in paths:
        assert str(path) in answer.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_on_pythonpath_is_refused(leadlight, tmp_path, name):
    """A package of our name on PYTHONPATH is named, beside ours, and its code does not run."""
    stranger = foreign_package(tmp_path / "elsewhere", name)
    answer = leadlight("--help", PYTHONPATH=str(stranger.parent))
    own = subprocess.run(
        [sys.executable, "-c", f"import {name}; print({name}.__path__[0])"],
        check=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert_refused(answer, stranger, own.stdout.strip())


def test_a_single_file_on_pythonpath_is_refused(leadlight, tmp_path):
    """A module file of our name hides us as well as a folder does."""
    (tmp_path / "elsewhere").mkdir()
    stranger = tmp_path / "elsewhere" / "models.py"
    stranger.write_text("raise SystemExit('a stranger ran')\n")
    assert_refused(leadlight("--help", PYTHONPATH=str(stranger.parent)), stranger)


def test_all_strangers_are_named_at_once(leadlight, tmp_path):
    """One message names every package that is hidden."""
    strangers = [foreign_package(tmp_path / "elsewhere", name) for name in NAMES]
    assert_refused(leadlight("--help", PYTHONPATH=str(tmp_path / "elsewhere")), *strangers)


def test_the_current_folder_is_refused_where_python_looks_there(tmp_path):
    """`python -m leadlight` looks into the current folder first, and says so."""
    stranger = foreign_package(tmp_path, "features")
    answer = subprocess.run(
        [sys.executable, "-m", "leadlight", "--help"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert_refused(answer, stranger)


def test_the_current_folder_is_harmless_to_the_command(leadlight, tmp_path):
    """The installed command does not look into the current folder, so a folder there is no trouble."""
    foreign_package(tmp_path, "features")
    assert leadlight("--help").returncode == 0


def test_a_folder_without_code_is_harmless(leadlight, tmp_path):
    """A folder of data named `features` on PYTHONPATH gives way to our package."""
    (tmp_path / "elsewhere" / "features").mkdir(parents=True)
    assert leadlight("--help", PYTHONPATH=str(tmp_path / "elsewhere")).returncode == 0


def installed(folder, monkeypatch, *, contents):
    """Pretend that a wheel installed our packages into *folder*; return what its record says."""
    lines = ["leadlight.py,sha256=x,1"]
    for name in NAMES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_bytes(contents)
        digest = urlsafe_b64encode(hashlib.sha256(contents).digest()).rstrip(b"=").decode()
        lines.append(f"{name}/__init__.py,sha256={digest},{len(contents)}")
    notes = folder / "leadlight-9.9.9.dist-info"
    notes.mkdir()
    (notes / "METADATA").write_text("Metadata-Version: 2.1\nName: leadlight\nVersion: 9.9.9\n")
    (notes / "RECORD").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(folder))
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_an_install_as_the_wheel_left_it_is_let_in(tmp_path, monkeypatch):
    """Packages that match the wheel's record raise no objection."""
    installed(tmp_path, monkeypatch, contents=b"'''ours'''\n")
    assert door.refusal_of_foreign_packages(tmp_path) == ""


def test_an_install_overwritten_by_another_distribution_is_refused(tmp_path, monkeypatch):
    """A package whose first file changed after our install is named, with the remedy."""
    installed(tmp_path, monkeypatch, contents=b"'''ours'''\n")
    (tmp_path / "models" / "__init__.py").write_text("'''theirs'''\n")
    assert door.refusal_of_foreign_packages(tmp_path) == (
        "Another package was installed over Leadlight's own:\n"
        f"  - {tmp_path / 'models'}\n"
        "\n"
        "Hint: uninstall the other package, then reinstall leadlight, "
        "best into an environment of its own."
    )
