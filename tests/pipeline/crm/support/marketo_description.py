"""Requests held against Marketo's published description.

It is Swagger 2.0, which openapi-core no longer reads. So it is turned into OpenAPI 3.0, form for form, and openapi-core
validates against that. What openapi-core lets pass is looked at here: parameters that the description does not name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from fakes.serving import Request
from support.descriptions import FOLDER, close, short

HOST = "http://marketo.example"
_FORM = "application/x-www-form-urlencoded"
_OF_A_SCHEMA = ("type", "format", "items", "enum")


class NotDescribedError(AssertionError):
    """A request that Marketo's description does not know in this form."""


def is_here() -> bool:
    """Return whether the published description is here."""
    return (FOLDER / "marketo-mapi.json").is_file()


def hold_against_description(requests: Iterable[Request]) -> set[str]:
    """Return which operations *requests* asked for.

    Raises:
        NotDescribedError: One of them is not as described.
    """
    return {_operation_of(request) for request in requests}


def _operation_of(request: Request) -> str:
    name = "marketo-identity.json" if request.path.startswith("/identity/") else "marketo-mapi.json"
    api, described = _described(name)
    method, query, body = request.method, dict(request.query), request.body
    headers = {key.lower(): value for key, value in request.headers.items()}
    content_type = headers.get("content-type", "application/json")
    if query.pop("_method", None) == "GET":  # a question too long for an address, as the vendor's guide says
        if (method, content_type) != ("POST", _FORM):
            raise NotDescribedError(f"{method} with {content_type} in place of a GET")
        method, query, body, content_type = "GET", dict(parse_qsl(body.decode())), b"", "application/json"
    asked = MockRequest(HOST, method, request.path, args=query, headers=headers, data=body, content_type=content_type)
    try:
        api.validate_request(asked)
    except OpenAPIError as error:
        raise NotDescribedError(f"{method} {request.path}: {short(error)}") from error
    path = _path_of(request.path, described["paths"])
    operation = described["paths"][path][method.lower()]
    named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
    if unknown := set(query) - named:
        raise NotDescribedError(f"{path} knows no {unknown}")
    return str(operation["operationId"])


def _path_of(path: str, paths: Mapping[str, Any]) -> str:
    if path in paths:
        return path
    parts = path.removesuffix(".json").split("/")
    for known in paths:
        pattern = known.removesuffix(".json").split("/")
        if len(pattern) == len(parts) and all(
            ours == theirs or theirs.startswith("{") for ours, theirs in zip(parts, pattern, strict=True)
        ):
            return known
    raise NotDescribedError(f"{path} is not described")


@cache
def _described(name: str) -> tuple[OpenAPI, dict[str, Any]]:
    described = as_openapi_3(json.loads((FOLDER / name).read_text()))
    return OpenAPI.from_dict(described), described


def as_openapi_3(swagger: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description in Swagger 2.0 as OpenAPI 3.0, as far as requests go."""
    paths = {
        path: {method: _operation(operation) for method, operation in methods.items()}
        for path, methods in swagger["paths"].items()
    }
    described = {
        "openapi": "3.0.3",
        "info": {"title": swagger["info"]["title"], "version": swagger["info"]["version"]},
        "servers": [{"url": HOST}],
        "paths": paths,
        "components": {"schemas": swagger["definitions"]},
    }
    close(swagger["definitions"], but=("Lead",))  # which has each field that an instance has
    moved: dict[str, Any] = json.loads(json.dumps(described).replace("#/definitions/", "#/components/schemas/"))
    return moved


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    given = operation.get("parameters", [])
    found: dict[str, Any] = {
        "operationId": operation["operationId"],
        "parameters": [_parameter(one) for one in given if one["in"] in {"query", "path", "header"}],
        "responses": {"200": {"description": "OK"}},
    }
    bodies = [one for one in given if one["in"] == "body"]
    forms = [one for one in given if one["in"] == "formData"]
    if bodies:
        found["requestBody"] = _body("application/json", bodies[0]["schema"], required=bodies[0]["required"])
    if forms:
        schema = {
            "type": "object",
            "required": [one["name"] for one in forms if one["required"]],
            "properties": {one["name"]: _schema(one) for one in forms},
        }
        found["requestBody"] = _body(operation["consumes"][0], schema, required=True)
    return found


def _body(content_type: str, schema: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    return {"required": required, "content": {content_type: {"schema": schema}}}


def _parameter(one: Mapping[str, Any]) -> dict[str, Any]:
    parameter = {"name": one["name"], "in": one["in"], "required": one.get("required", False), "schema": _schema(one)}
    if one.get("type") == "array":
        parameter |= {"style": "form", "explode": one.get("collectionFormat") == "multi"}
    return parameter


def _schema(one: Mapping[str, Any]) -> dict[str, Any]:
    if one.get("type") == "file":
        return {"type": "string", "format": "binary"}
    return {name: one[name] for name in _OF_A_SCHEMA if name in one}
