"""Passwords in the URLs of databases: they belong into the environment, never into a config."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

_TELLING: Final = ("pass", "pwd", "secret", "token", "key")
ENCODED: Final = (
    "write the special characters of a password percent-encoded: %40 for @, %3A for :, %2F for /, %25 for %"
)
"""How a password gets into a URL, for hints."""


def holds_password(url: str) -> bool:
    """Return whether a database's URL holds a password, before its host or among its parameters.

    Example:
        >>> holds_password("postgresql://shop:s3cret@host/crm"), holds_password("mysql://shop@host/crm?passwd=x")
        (True, True)
        >>> holds_password("postgresql://shop@host/crm?application_name=leadlight")
        False
    """
    before_host = url.partition("//")[2].rpartition("@")[0]
    names = [name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)]
    return ":" in before_host or any(part in name for name in names for part in _TELLING)


def has_loose_at(url: str) -> bool:
    """Return whether a password holds a bare @: what follows it would pass for the host, and be told as such.

    Example:
        >>> has_loose_at("postgresql://shop:p@ss@host/crm"), has_loose_at("postgresql://shop:p%40ss@host/crm")
        (True, False)
    """
    return url.partition("//")[2].partition(":")[2].count("@") > 1
