"""A bundle is exactly what was written, or it is refused."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import LeadlightError
from features.matrix import FeatureTable
from models import bundle
from models.familiarity import Familiarity, Seen
from models.model import LeadModel


def test_a_loaded_model_equals_the_saved_one(lead_model: LeadModel, tmp_path: Path) -> None:
    """Every field comes back equal, floats to the last bit."""
    bundle.save(lead_model, tmp_path / "model")
    assert bundle.load(tmp_path / "model") == lead_model


def test_a_model_without_trees_has_no_tree_file(make_model: Callable[..., LeadModel], tmp_path: Path) -> None:
    """Where the blend gives the trees no weight, there is nothing to store."""
    model = make_model(w_trees=0.0)
    bundle.save(model, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["manifest.json", "model.json"]
    assert bundle.load(tmp_path / "model") == model


def test_boosters_come_back_in_their_order(lead_model: LeadModel, tmp_path: Path) -> None:
    """Sums of floats depend on their order, so the tenth booster stays behind the third."""
    model = replace(lead_model, boosters=tuple(f"tree {place}" for place in range(12)))
    bundle.save(model, tmp_path / "model")
    assert bundle.load(tmp_path / "model").boosters == model.boosters


def test_all_damage_is_listed_at_once(lead_model: LeadModel, tmp_path: Path) -> None:
    """A changed, a missing and a foreign file are named together, and nothing is loaded."""
    folder = tmp_path / "model"
    bundle.save(lead_model, folder, extra={"card.md": b"# Card"})
    (folder / "card.md").write_text("# Forged")
    (folder / "trees-0.txt").unlink()
    (folder / "loader.py").write_text("print('hello')")
    with pytest.raises(LeadlightError) as caught:
        bundle.load(folder)
    assert str(caught.value).splitlines()[1:4] == [
        "  - trees-0.txt: missing",
        "  - loader.py: not in the manifest",
        "  - card.md: changed (its SHA-256 is not the manifest's)",
    ]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [(None, "missing"), (b"{", "not JSON"), (b'{"format": 99}', "format 99"), (b"[]", "format None")],
)
def test_a_bad_manifest_is_refused(lead_model: LeadModel, tmp_path: Path, manifest: bytes | None, said: str) -> None:
    """Without a manifest that this version reads, nothing is loaded."""
    folder = tmp_path / "model"
    bundle.save(lead_model, folder)
    (folder / "manifest.json").unlink()
    if manifest is not None:
        (folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(LeadlightError, match=said):
        bundle.load(folder)


def test_saving_again_replaces_the_whole_folder(lead_model: LeadModel, tmp_path: Path) -> None:
    """No file of the old bundle stays behind, and nothing is left beside it."""
    bundle.save(lead_model, tmp_path / "model", extra={"old.txt": b"old"})
    bundle.save(lead_model, tmp_path / "model")
    assert not (tmp_path / "model" / "old.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failed_save_leaves_the_old_bundle(lead_model: LeadModel, tmp_path: Path) -> None:
    """A file that cannot be written leaves the old bundle whole and no trace of the new one."""
    folder = tmp_path / "model"
    bundle.save(lead_model, folder)
    with pytest.raises(FileNotFoundError):
        bundle.save(lead_model, folder, extra={"no/such/folder.txt": b""})
    assert bundle.load(folder) == lead_model
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_training_held_comes_back_equal(lead_model: LeadModel, tmp_path: Path) -> None:
    """Ranges, levels, threshold and the rest are read as they were written."""
    seen = (
        Seen("orders_count_30d", 0.1, 0.3, 1.0, (), watches_levels=False, watches_gaps=True),
        Seen("plan", 0.0, 0.0, 1.0, ("basic", "pró"), watches_levels=True, watches_gaps=False),
    )
    model = replace(lead_model, familiarity=Familiarity(seen, 0.5, longest_silence=None, blank_leads=7))
    bundle.save(model, tmp_path / "model")
    assert bundle.load(tmp_path / "model") == model


def test_a_bundle_of_the_first_format_still_loads(lead_model: LeadModel, tmp_path: Path) -> None:
    """Format 1 did not say what training held: such a model scores as ever, and doubts no lead."""
    folder = tmp_path / "model"
    bundle.save(lead_model, folder)
    plain = json.loads((folder / "model.json").read_text())
    del plain["familiarity"]
    (folder / "model.json").write_text(json.dumps(plain))
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.json", "trees-0.txt")}
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "files": files}))
    assert bundle.load(folder) == lead_model


def test_scores_survive_the_round_trip(
    lead_model: LeadModel, some_leads: Callable[[int, int], FeatureTable], tmp_path: Path
) -> None:
    """Loaded, the model gives every lead the bits it gave before."""
    bundle.save(lead_model, tmp_path / "model")
    leads = some_leads(300, 5)
    assert bundle.load(tmp_path / "model").margins(leads).tolist() == lead_model.margins(leads).tolist()
