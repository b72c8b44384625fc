"""Marketo's own words, made fit to be kept: one line, without secrets, addresses or values of leads."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.crm.promise import Row
from pipeline.crm.said import fit_to_keep, values_of


def plain_words(code: object, message: object, *, hidden: Iterable[str] = ()) -> str:
    """Return what Marketo said, with its code in front.

    Args:
        code: Its own code.
        message: Its words, from outside.
        hidden: Texts that are never shown.
    """
    return fit_to_keep(f"{code or ''} {message or ''}", hidden=hidden)


def words_of_row(message: object, row: Row, *, hidden: Iterable[str] = ()) -> str:
    """Return what Marketo said of *row*, which likes to quote the value that it refuses."""
    return fit_to_keep(str(message or ""), values=values_of([row]), hidden=hidden)
