"""Requests held against HubSpot's published descriptions, which are OpenAPI 3."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Final

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from fakes.serving import Request
from support.descriptions import FOLDER, close, short

HOST: Final = "https://api.hubapi.com"
_OF_PATHS: Final = {
    "/crm/v3/objects/": "hubspot-contacts-v3.json",
    "/crm/v3/properties/": "hubspot-properties-v3.json",
}
"""The description of the paths that begin so."""


class NotDescribedError(AssertionError):
    """A request that HubSpot's descriptions do not know in this form."""


def is_here() -> bool:
    """Return whether the published descriptions are here."""
    return all((FOLDER / name).is_file() for name in _OF_PATHS.values())


def hold_against_description(requests: Iterable[Request]) -> None:
    """Look at each of *requests*.

    Raises:
        NotDescribedError: One of them is not as described.
    """
    for request in requests:
        name = next((name for start, name in _OF_PATHS.items() if request.path.startswith(start)), None)
        if name is None:
            raise NotDescribedError(f"{request.path} is not described")
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        asked = MockRequest(
            HOST, request.method.lower(), request.path, args=request.query, headers=headers,
            data=request.body or None, content_type=headers.get("Content-Type", ""),
        )  # fmt: skip
        try:
            _described(name).validate_request(asked)
        except OpenAPIError as error:
            raise NotDescribedError(f"{request.method} {request.path}: {short(error)}") from error


@cache
def _described(name: str) -> OpenAPI:
    """Return a published description, with what is mended in it.

    It says that a search is sorted by texts. HubSpot's guide to searches, and HubSpot itself, want an object with a
    property and a direction: a text is let pass and orders nothing. And openapi-core cannot tell whether a call
    carries a token of OAuth; that of a private app is a bearer token like any other.
    """
    spec = json.loads((FOLDER / name).read_text("utf-8"))
    search = spec["components"]["schemas"].get("PublicObjectSearchRequest")
    if search is not None:
        members = {"propertyName": {"type": "string"}, "direction": {"enum": ["ASCENDING", "DESCENDING"]}}
        assert search["properties"]["sorts"]["items"]["type"] == "string"
        sort = {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}
        search["properties"]["sorts"]["items"] = sort
    spec["components"]["securitySchemes"] = {
        name: {"type": "http", "scheme": "bearer"} for name in spec["components"]["securitySchemes"]
    }
    close(spec["components"]["schemas"])
    return OpenAPI.from_dict(spec)
