"""The page docs/settings.md, written from the settings themselves: `make docs`.

What a setting means stands once, beside its type and default in `pipeline.settings`. This page
repeats it for readers, so it cannot fall behind.
"""

import sys
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.crm.kinds import KINDS_OF_THE_HOUSE, kind_of
from pipeline.settings import Settings

_HEAD = """# Settings

One YAML file per shop. `leadlight init` writes one to start from; a key that is not listed here is
refused, with the nearest one that is. `NAME` stands for a name of your own, `[]` for a list.
Relative paths start at the folder of the file.

"""
_TABLE = "| setting | default | meaning |\n|---|---|---|\n"


def page() -> str:
    """Return the whole page as Markdown."""
    return _HEAD + _table(Settings) + "".join(map(_connecting, KINDS_OF_THE_HOUSE))


def _connecting(kind: str) -> str:
    """Return how a target of one kind is reached; no secret stands there, only names of the environment's."""
    return f"\n## `crm.NAME.connect` of the kind `{kind}`\n\n" + _table(kind_of(kind).options, "crm.NAME.connect.")


def _table(model: type[BaseModel], place: str = "") -> str:
    return _TABLE + "".join(f"| `{name}` | {default} | {text} |\n" for name, default, text in rows(model, place))


def rows(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield name, default and meaning of every setting below *model*, in the order of the file."""
    for name, field in model.model_fields.items():
        here = f"{place}{field.alias or name}"
        inner, suffix = _section_in(field.annotation)
        if inner is None or field.description:
            yield here, _default(field), _meaning(field)
        if inner is not None:
            yield from rows(inner, f"{here}{suffix}.")


def _meaning(field: FieldInfo) -> str:
    """Return what the setting means, with its choices where they are few."""
    choices = [str(word) for part in _parts(field.annotation) for word in _words(part) if word != ""]
    said = (field.description or "").replace("|", "\\|")
    return f"{said} One of {', '.join(f'`{word}`' for word in choices)}." if len(choices) > 1 else said


def _default(field: FieldInfo) -> str:
    """Return the default as YAML would spell it; settings without one are required."""
    return "required" if field.is_required() else _spelled(field.get_default(call_default_factory=True))


def _spelled(value: Any) -> str:  # noqa: ANN401
    """Return *value* as YAML would spell it; a section's is that of its settings."""
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return f"`[{', '.join(map(_inner, value))}]`"
    if isinstance(value, dict):
        return f"`{{{', '.join(f'{key}: {inner}' for key, inner in value.items())}}}`"
    return f"`{value}`"


def _inner(value: Any) -> str:  # noqa: ANN401
    """Return one value of a list; of a section what it says itself."""
    if not isinstance(value, BaseModel):
        return str(value)
    return f"{{{', '.join(f'{name}: {getattr(value, name)}' for name in sorted(value.model_fields_set))}}}"


def _section_in(annotation: Any, suffix: str = "") -> tuple[type[BaseModel] | None, str]:  # noqa: ANN401
    """Return the section inside *annotation*, and how a place in it is spelled."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, suffix
    origin = get_origin(annotation)
    step = ".NAME" if origin is dict else "[]" if origin is list else ""
    for part in get_args(annotation):
        found = _section_in(part, suffix + step)
        if found[0] is not None:
            return found
    return None, suffix


def _parts(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Return the members of a union, or the annotation alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _words(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401
    return get_args(annotation) if get_origin(annotation) is Literal else ()


if __name__ == "__main__":
    sys.stdout.write(page())
