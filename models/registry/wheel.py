"""Leadlight's own wheel, packed from what is installed: no build tool, no network, the same bytes each time.

A model carries the code that trained it. Where Leadlight was installed from a wheel, the wheel's own record says which
files there were; in a checkout the same files are taken from where they lie.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from models.registry import faults

PACKAGES = ("features", "models", "pipeline")
CONFIGS = ("configs", "pipeline/configs")
"""Where the shipped configs lie in a checkout, and where in a wheel."""
LEFT_BY_INSTALLERS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
SAME_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip file can hold."""


@cache
def packed_wheel() -> tuple[str, bytes]:
    """Return the file name and the contents of Leadlight's wheel.

    Raises:
        LeadlightError: Leadlight is not installed.
    """
    try:
        installed = distribution("leadlight")
    except PackageNotFoundError as missing:
        raise faults.not_installed() from missing
    contents = _installed_files(installed)
    notes = next(name for name in contents if name.endswith(".dist-info/METADATA")).rpartition("/")[0]
    record = f"{notes}/RECORD"
    contents[record] = _record(contents, record)
    return f"leadlight-{installed.version}-py3-none-any.whl", _zipped(contents)


def _installed_files(installed: Distribution) -> dict[str, bytes]:
    """Return what the wheel holds, by name, but for its record."""
    recorded = [PurePosixPath(file) for file in installed.files or []]
    kept = [path for path in recorded if _belongs(path)]
    found = {str(path): Path(str(installed.locate_file(path))) for path in kept}
    # An editable install records its notes and the configs, and leaves the code where it is.
    if "features/__init__.py" not in found:
        found |= _checkout_files(Path(__file__).resolve().parents[2])
    return {name: path.read_bytes() for name, path in found.items()}


def _belongs(path: PurePosixPath) -> bool:
    """Return whether a recorded file is part of the wheel, and not left by the installer or by Python."""
    is_ours = path.parts[0] in PACKAGES or path.name == "leadlight.py"
    is_note = path.parts[0].startswith("leadlight-") and path.name not in LEFT_BY_INSTALLERS
    return (is_ours or is_note) and "__pycache__" not in path.parts


def _checkout_files(root: Path) -> dict[str, Path]:
    """Return the files that a wheel built from the checkout at *root* holds."""
    found = {name: path for package in PACKAGES for name, path in _files_below(root, package, package)}
    here, there = CONFIGS
    return found | dict(_files_below(root, here, there)) | {"leadlight.py": root / "leadlight.py"}


def _files_below(root: Path, here: str, there: str) -> list[tuple[str, Path]]:
    paths = [path for path in (root / here).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return [(f"{there}/{path.relative_to(root / here).as_posix()}", path) for path in paths]


def _record(contents: Mapping[str, bytes], own_name: str) -> bytes:
    """Return the wheel's record: name, SHA-256 and size of each file, none for the record itself."""
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(contents.items())]
    return "\n".join([*lines, f"{own_name},,", ""]).encode()


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # The notes come last, as the format asks.
        for name in sorted(contents, key=lambda name: (".dist-info/" in name, name)):
            entry = zipfile.ZipInfo(name, SAME_DATE)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, contents[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
