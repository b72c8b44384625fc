"""What an object of the org is like: its fields, as its describe tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.crm.connectors.salesforce.api import GARBLED, Api
from pipeline.crm.trouble import RetryError

Description = Mapping[str, Any]


@dataclass(frozen=True)
class ObjectDescription:
    """One object.

    Attributes:
        name: ``Lead`` or ``Contact``.
        is_updateable: Whether the integration user may change its records.
        is_createable: Whether it may create some.
        fields: What Salesforce says of each field that the integration user may see, by name.
    """

    name: str
    is_updateable: bool
    is_createable: bool
    fields: Mapping[str, Description]

    def other_spelling(self, name: str) -> str:
        """Return the field that is called *name* in other capital or small letters; empty = there is none."""
        return next((one for one in self.fields if one.lower() == name.lower() and one != name), "")


def described(api: Api, name: str) -> ObjectDescription:
    """Return what an object is like.

    Raises:
        RetryError: The answer is none.
    """
    found = api.mapping("GET", f"/sobjects/{name}/describe")
    fields = found.get("fields")
    if not isinstance(fields, list) or not all(isinstance(one, dict) and "name" in one for one in fields):
        raise RetryError(GARBLED)
    return ObjectDescription(
        name=name,
        is_updateable=found.get("updateable") is not False,
        is_createable=found.get("createable") is not False,
        fields={str(one["name"]): one for one in fields},
    )
