"""What the tests of connectors share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import DatabaseServer, mariadb_server, postgresql_server
from support.forks import Forks
from support.memory import Memory, kind_for
from support.places import NEEDS_SERVER, PLACES
from support.places_local import SERVERS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of kills, whichever process of the suite killed."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    rows = [told for report in reports for name, told in report.user_properties if name == "kills"]
    if not rows:
        return
    terminalreporter.section("killed while publishing")
    terminalreporter.write_line(
        f"{'place':<20} {'kills':>6} {'with a batch in flight':>23} {'right':>6} {'seconds':>8}"
    )
    for place, kills, in_flight, right, seconds in sorted(rows):
        terminalreporter.write_line(f"{place:<20} {kills:>6} {in_flight:>23} {right:>6} {seconds:>8}")


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


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """Return the name of each place in turn; its server runs."""
    name: str = request.param
    if (server := NEEDS_SERVER.get(name)) is not None:
        SERVERS[server] = request.getfixturevalue(server)
    return name


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Return what starts the command in processes of their own."""
    with Forks() as made:
        yield made


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """Return a CRM in memory that every target leads to."""
    made = Memory()
    monkeypatch.setattr("pipeline.crm.targets.kind_of", lambda _: kind_for(made))
    return made


@pytest.fixture(params=["file", "server"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a new ledger lies: in a file, and on a server."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return request.getfixturevalue("postgresql").database()
