"""The ledger for those who only read it: where nothing was ever written to a CRM, none is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Engine

from pipeline.crm.ledger.opening import ledger, ledger_address
from pipeline.databases import file_of
from pipeline.settings import Settings


@contextmanager
def existing(settings: Settings, environment: Mapping[str, str] | None = None) -> Iterator[Engine | None]:
    """Give a shop's ledger, closed afterwards; None where there is none yet.

    Args:
        settings: The shop's config.
        environment: Where its URL is looked up first; None = the process's own.

    Raises:
        NotFinishedError: It does not answer.
    """
    file = file_of(ledger_address(settings, environment))
    if file is not None and not file.exists():
        yield None
        return
    with ledger(settings, environment) as engine:
        yield engine
