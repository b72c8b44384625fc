"""The ledger for those who only read it: where nothing was ever written to a CRM, none is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from pipeline.crm.ledger.opening import ledger, ledger_address
from pipeline.crm.ledger.unusable import no_file
from pipeline.databases import file_of
from pipeline.settings import Settings


@contextmanager
def existing(settings: Settings, environment: Mapping[str, str] | None = None) -> Iterator[Engine | None]:
    """Give a shop's ledger, closed afterwards; None where there is none yet.

    Args:
        settings: The shop's config.
        environment: Where its URL is looked up first; None = the process's own.

    Raises:
        LeadlightError: See `pipeline.crm.ledger.opening.opened`.
        NotFinishedError: It does not answer.
    """
    file = file_of(ledger_address(settings, environment))
    if file is not None and not _exists(file):
        yield None
        return
    with ledger(settings, environment) as engine:
        yield engine


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError as error:
        raise no_file(file, error) from error
