"""Passwords in the URLs of databases: they belong into the environment, never into a config."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

_TELLING: Final = ("pass", "pwd", "secret", "token", "key")


def holds_password(url: str) -> bool:
    """Return whether a database's URL holds a password, before its host or among its parameters.

    Example:
        >>> holds_password("postgresql://shop:s3cret@host/crm"), holds_password("mysql://shop@host/crm?passwd=x")
        (True, True)
        >>> holds_password("postgresql://shop@host/crm?application_name=leadlight")
        False
    """
    user, at, _ = url.partition("//")[2].partition("@")
    names = [name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)]
    return bool(at and ":" in user) or any(part in name for name in names for part in _TELLING)
