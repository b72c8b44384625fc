"""A model as a folder: LightGBM text and JSON, and a manifest of SHA-256. Loading it runs no code.

    bundle/model.json         features, encoder, linear part, blend, interval, reference
    bundle/trees-0.txt        the booster, where the blend uses trees
    bundle/…                  whatever the caller adds (a report, a model card)
    bundle/manifest.json      {"format": 2, "files": {name: SHA-256}}

JSON writes every float with the digits that bring the same bits back, so a loaded model gives the same scores, bit by
bit. The folder is written beside its place and renamed: it is there whole, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from features.catalog import as_dict, from_dict
from models import errors
from models.calibration import Blend
from models.encoding import Encoder, TreeColumn
from models.familiarity import Familiarity, Seen
from models.intervals import VennAbers
from models.linear import CategoryTerm, LinearPart, NumberTerm
from models.model import LeadModel

FORMAT: Final = 2
READABLE: Final = (1, FORMAT)
"""Format 1 did not say what the leads of training looked like."""
MANIFEST: Final = "manifest.json"
MODEL: Final = "model.json"


def save(model: LeadModel, folder: Path, *, extra: Mapping[str, bytes] | None = None) -> None:
    """Write *model* to *folder*, replacing a bundle that is there.

    Args:
        model: The model.
        folder: Where; its parents are made.
        extra: More files for the folder, by plain file name; the manifest covers them too.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    files = {MODEL: _as_json(_to_plain(model)), **_tree_files(model), **(extra or {})}
    files[MANIFEST] = _as_json(
        {"format": FORMAT, "files": {name: _digest(data) for name, data in sorted(files.items())}}
    )
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, data in files.items():
            (beside / name).write_bytes(data)
        beside.chmod(0o755)
        _put_in_place(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load(folder: Path) -> LeadModel:
    """Read the model in *folder* after checking every file against the manifest.

    Raises:
        LeadlightError: A file is missing, changed or not in the manifest, or the format is another.
    """
    contents = verified_files(folder)
    plain = json.loads(contents[MODEL])
    texts = tuple(contents[name].decode() for name in plain.pop("boosters"))
    return _from_plain(plain, texts)


def verified_files(folder: Path) -> dict[str, bytes]:
    """Return the contents of every file that the manifest of *folder* names, by name.

    Raises:
        LeadlightError: A file is missing, changed or not in the manifest, or the format is another.
    """
    manifest = _manifest(folder)
    listed: dict[str, str] = manifest["files"]
    there = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != MANIFEST}
    faults = [f"{name}: missing" for name in sorted(listed.keys() - there.keys())]
    faults += [f"{name}: not in the manifest" for name in sorted(there.keys() - listed.keys())]
    faults += [
        f"{name}: changed (its SHA-256 is not the manifest's)"
        for name in sorted(there.keys() & listed.keys())
        if _digest(there[name]) != listed[name]
    ]
    if faults:
        raise errors.bundle_is_damaged(folder, faults)
    return there


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as missing:
        raise errors.bundle_is_damaged(folder, [f"{MANIFEST}: missing"]) from missing
    except ValueError as garbled:
        raise errors.bundle_is_damaged(folder, [f"{MANIFEST}: not JSON"]) from garbled
    if not isinstance(manifest, dict) or manifest.get("format") not in READABLE:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise errors.bundle_is_foreign(folder, found, readable=READABLE)
    return manifest


def _put_in_place(beside: Path, folder: Path) -> None:
    """Rename *beside* to *folder*; a bundle already there steps aside first."""
    if not folder.exists():
        beside.replace(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.replace(old / folder.name)
    beside.replace(folder)
    shutil.rmtree(old)


def _to_plain(model: LeadModel) -> dict[str, Any]:
    return {
        "features": [as_dict(feature) for feature in model.features],
        "encoder": asdict(model.encoder),
        "linear": {
            "base": model.linear.base,
            "terms": [_plain_term(term) for term in model.linear.terms],
        },
        "boosters": list(_tree_files(model)),
        "blend": asdict(model.blend),
        "interval": asdict(model.interval),
        "reference": model.reference,
        "newest_probabilities": model.newest_probabilities,
        "familiarity": None if model.familiarity is None else asdict(model.familiarity),
    }


def _from_plain(plain: dict[str, Any], boosters: tuple[str, ...]) -> LeadModel:
    return LeadModel(
        features=tuple(from_dict(feature) for feature in plain["features"]),
        encoder=Encoder(tuple(TreeColumn(**_with_tuples(column)) for column in plain["encoder"]["columns"])),
        linear=LinearPart(plain["linear"]["base"], tuple(_term(term) for term in plain["linear"]["terms"])),
        boosters=boosters,
        blend=Blend(**plain["blend"]),
        interval=VennAbers(**_with_tuples(plain["interval"])),
        reference=plain["reference"],
        newest_probabilities=tuple(plain["newest_probabilities"]),
        familiarity=_familiarity(plain.get("familiarity")),
    )


def _familiarity(plain: dict[str, Any] | None) -> Familiarity | None:
    if plain is None:
        return None
    return Familiarity(**{**plain, "seen": tuple(Seen(**_with_tuples(one)) for one in plain["seen"])})


def _plain_term(term: NumberTerm | CategoryTerm) -> dict[str, Any]:
    return {"kind": "number" if isinstance(term, NumberTerm) else "category", **asdict(term)}


def _term(plain: dict[str, Any]) -> NumberTerm | CategoryTerm:
    if plain.pop("kind") == "number":
        return NumberTerm(**plain)
    return CategoryTerm(**_with_tuples(plain))


def _with_tuples(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}


def _tree_files(model: LeadModel) -> dict[str, bytes]:
    return {f"trees-{place}.txt": text.encode() for place, text in enumerate(model.boosters)}


def _as_json(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
