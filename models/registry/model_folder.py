"""The model as MLflow hands it over: a folder with a loader, a bundle, a signature and a list of requirements.

MLmodel, requirements.txt, conda.yaml …      what MLflow writes
loader.py                                    what it runs (models-from-code); nothing is pickled
artifacts/bundle/                            `models.bundle`, with the loader and the wheel under its manifest
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models import bundle
from models.registry import served
from models.registry.wheel import packed_wheel

if TYPE_CHECKING:
    from mlflow.models import Model, ModelSignature

    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.model import LeadModel

LOADER: Final = "loader.py"
NEEDED: Final = ("lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "scipy")
"""What reading and asking the model needs; the versions it was made with are pinned."""


def write_bundle(model: LeadModel, folder: Path, *, notes: dict[str, bytes]) -> None:
    """Write *model* to *folder* with all it needs to travel; the manifest covers every file.

    Args:
        model: The model.
        folder: Where.
        notes: More files, by name: the report of the training.
    """
    wheel_name, wheel = packed_wheel()
    loader = Path(__file__).with_name(LOADER).read_bytes()
    bundle.save(model, folder, extra={LOADER: loader, wheel_name: wheel, **notes})


def save_model_folder(
    folder: Path, *, bundle_folder: Path, features: tuple[Feature, ...], leads: FeatureTable, described: Model
) -> None:
    """Write the folder that `mlflow.pyfunc.load_model` and ``mlflow models serve`` read.

    Args:
        folder: Where; it must not exist.
        bundle_folder: The bundle that `write_bundle` wrote, named ``bundle``.
        features: The model's features.
        leads: Leads whose typical values make the input example.
        described: MLflow's description of the model, with its ids.
    """
    import mlflow.pyfunc

    wheel_name, _ = packed_wheel()
    mlflow.pyfunc.save_model(
        path=folder,
        mlflow_model=described,
        python_model=bundle_folder / LOADER,
        artifacts={"bundle": str(bundle_folder)},
        signature=signature(features),
        input_example=served.frame(typical_lead(leads, features), features),
        # Relative to the model's folder, which is where MLflow runs pip.
        pip_requirements=[f"artifacts/bundle/{wheel_name}", *(f"{name}=={version(name)}" for name in NEEDED)],
    )


def signature(features: tuple[Feature, ...]) -> ModelSignature:
    """Return what goes in and comes out: every feature optional, numbers as ``double``, categories as ``string``."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    names = {"number": "double", "category": "string"}
    inputs = [ColSpec(names[feature.kind], feature.name, required=False) for feature in features]
    outputs = [ColSpec(kind, name) for name, kind in served.OUTPUTS.items()]
    return ModelSignature(Schema(inputs), Schema(outputs))


def typical_lead(leads: FeatureTable, features: tuple[Feature, ...]) -> FeatureTable:
    """Return one row that is nobody's: each feature's median, or its most frequent level."""
    from features.matrix import FeatureTable

    columns = {feature.name: _typical(feature, leads.columns[feature.name]) for feature in features}
    keys = pa.table({field.name: pa.nulls(1, field.type) for field in leads.keys.schema})
    return FeatureTable(keys=keys, columns=pa.table(columns), features=features)


def _typical(feature: Feature, column: pa.ChunkedArray) -> pa.Array:
    if feature.kind == "number":
        values = np.asarray(column.to_numpy(), dtype=np.float64)
        known = values[~np.isnan(values)]
        return pa.array([float(np.median(known)) if len(known) else float("nan")])
    counts = pc.value_counts(column.cast(pa.string()).drop_null())
    most: Any = counts[int(np.argmax(counts.field("counts").to_numpy()))]["values"].as_py() if len(counts) else None
    return pa.array([most], pa.string()).dictionary_encode()
