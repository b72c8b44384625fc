"""Descriptions that vendors publish of their interfaces: where they lie, and what all of them need."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

_CHECKOUT = Path(os.environ.get("LEADLIGHT_CHECKOUT", Path(__file__).parents[4]))
FOLDER = Path(os.environ.get("LEADLIGHT_SHARED_DATA", _CHECKOUT.parent / "shared" / "data")).parent / "specs"
_MOST_SIGNS = 300


def close(schemas: Mapping[str, dict[str, Any]], *, but: Collection[str] = ()) -> None:
    """Let no member pass that *schemas* do not know: a misspelt one would be passed over in silence."""
    for name, schema in schemas.items():
        if "properties" in schema and name not in but:
            schema.setdefault("additionalProperties", False)


def short(error: BaseException) -> str:
    """Return what a validation found, without the body that it was found in."""
    found = [str(getattr(one, "message", one)) for one in getattr(error.__cause__, "schema_errors", ())]
    return "; ".join(found or [str(error)])[:_MOST_SIGNS]
