"""What MLflow runs to bring a model back: the same file in every model of this version of Leadlight.

It holds nothing of the model itself. The bundle beside it holds numbers and text, its manifest the SHA-256 of each
file, this one and the wheel of Leadlight among them. Where Leadlight is not imported yet, the code that trained the
model serves it: the wheel is put first on the path, after its hash was compared.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class LeadScores(PythonModel):
    """Probability, interval and score of leads, one matrix row each."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the bundle once, when the model is loaded."""
        bundle = Path(context.artifacts["bundle"])
        if not {"features", "models"} & sys.modules.keys():
            sys.path.insert(0, str(_checked_wheel(bundle)))
        from models.registry import served

        self._model = served.read(bundle)
        self._answer = served.answer

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return probability, low, high and score of each row of *model_input*."""
        del context, params
        return self._answer(self._model, model_input)


def _checked_wheel(bundle: Path) -> Path:
    """Return the wheel in *bundle*, once it is known to be the one that was put there."""
    listed = json.loads((bundle / "manifest.json").read_bytes())["files"]
    wheel = next(bundle / name for name in listed if name.endswith(".whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != listed[wheel.name]:
        raise ImportError(f"{wheel} is not the file that the manifest names; nothing of it was run.")
    return wheel


set_model(LeadScores())
