"""What the tests of connectors share."""

from collections.abc import Iterator

import pytest

from support.databases import DatabaseServer, mariadb_server, postgresql_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """Return a PostgreSQL server of this session's own."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """Return a MariaDB server of this session's own."""
    with mariadb_server() as server:
        yield server
