"""What HubSpot says when it says no: its words and its code, without secrets, addresses or values of leads.

HubSpot puts the reason that counts into the message, as JSON within a text::

    Property values were not valid: [{"message":"X was not one of the allowed options …","error":"INVALID_OPTION",…}]

Every member of an error may be missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from models.wording import one_line
from pipeline.crm.said import LONGEST, WHOLE, fit_to_keep

_OF_ALL: Final = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
_OF_ALL_IN_WORDS: Final = ("non-unique", "artial upsert")
_PASSING: Final = ("RATE_LIMIT", "TIMEOUT", "TIMED_OUT", "INTERNAL", "SERVER", "UNAVAILABLE", "LOCK", "CONFLICT")


@dataclass(frozen=True)
class Said:
    """An error of HubSpot's.

    Attributes:
        words: Why, on one line that may be long and hold values (`short`, `without`).
        code: The most telling of its codes.
        scopes: What the app would need to be granted.
    """

    words: str
    code: str
    scopes: tuple[str, ...] = ()

    @property
    def is_about_all(self) -> bool:
        """Whether no row is at fault: a property is not there, or cannot be what Leadlight needs."""
        return self.code in _OF_ALL or any(sign in self.words for sign in _OF_ALL_IN_WORDS)

    @property
    def passes(self) -> bool:
        """Whether the same row may be taken later.

        CONFLICT is among these: a call that seemed lost may still be creating the very record.
        """
        return any(sign in self.code for sign in _PASSING)


def said(error: Mapping[str, Any]) -> Said:
    """Return what an error says, of a whole call or of one row."""
    message = _text(error.get("message"))
    head, inner = _opened(message)
    details = inner or [one for one in _list(error.get("errors")) if isinstance(one, dict)]
    lines = [_detail(one) for one in details]
    codes = [_text(one.get("error") or one.get("code")) for one in details]
    code = next((one for one in codes if one), "") or _text(error.get("category") or error.get("errorType"))
    words = " ".join(part for part in (head, "; ".join(line for line in lines if line)) if part)
    scopes = [scope for one in details for scope in _scopes(one.get("context"))]
    return Said(fit_to_keep(words, longest=WHOLE), one_line(code, longest=100), tuple(scopes))


def short(words: str) -> str:
    """Return *words* as long as people read."""
    return one_line(words, longest=LONGEST)


def without(words: str, values: Iterable[str]) -> str:
    """Return *words*, short, without *values*: HubSpot likes to repeat the value that it does not like."""
    return fit_to_keep(words, values=values, shortest=1)


def _opened(message: str) -> tuple[str, list[dict[str, Any]]]:
    """Return a message and the JSON at its end, apart."""
    head, bracket, tail = message.partition("[{")
    if not bracket:
        return message, []
    try:
        inner = json.loads(bracket + tail)
    except (ValueError, RecursionError):
        return message, []
    return head.rstrip(), [one for one in inner if isinstance(one, dict)]


def _detail(one: Mapping[str, Any]) -> str:
    name, message = _text(one.get("name")), _text(one.get("message"))
    return f"{name}: {message}" if name and message else message


def _scopes(context: object) -> list[str]:
    if not isinstance(context, dict):
        return []
    return [_text(scope) for name, named in context.items() if "cope" in name for scope in _list(named)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
