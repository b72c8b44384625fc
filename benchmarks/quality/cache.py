"""What was said stays said: a run that was stopped goes on where it was.

The name of an answer holds a hash of the task's rows and of the code that answers, so a changed model or a changed
peer is asked anew.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

import models
from benchmarks.quality.rows import Floats


def remembered(folder: Path, name: str, *, key: str, ask: Callable[[], Floats]) -> Floats:
    """Return the answer stored in *folder*, or ask and store it.

    Args:
        folder: The cache.
        name: Of the file, for people.
        key: Whatever the answer hangs on.
        ask: Returns log-odds.
    """
    path = folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npy"
    if path.is_file():
        return np.load(path, allow_pickle=False)
    answer = ask()
    folder.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half.npy")
    np.save(half, answer)
    half.replace(path)
    return answer


def code_of(*modules: ModuleType) -> str:
    """Return a hash of the source text of *modules*."""
    return _hash("".join(inspect.getsource(module) for module in modules))


def code_of_models() -> str:
    """Return a hash of everything that Leadlight's own model is made of."""
    return _hash("".join(path.read_text("utf-8") for path in sorted(Path(models.__path__[0]).glob("*.py"))))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
