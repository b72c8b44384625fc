"""Database servers of Debian's that a test session starts for itself, and throws away when it ends.

Each listens on loopback alone, lies in a folder of its own under the system's temporary one, and dies with the process
that started it, however that ends. It never touches a server of the machine's.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

USER = "leadlight"
PASSWORD = "s3cret-of-the-server"
_STARTS_WITHIN_S = 60
_TRIES = 3


@dataclass
class DatabaseServer:
    """A server that runs.

    Attributes:
        admin: The URL of a database that is always there; its user may do anything.
        process: The server.
        log: What it says.
    """

    admin: URL
    process: subprocess.Popen[bytes]
    log: Path
    _made: int = field(default=0)

    def database(self) -> str:
        """Return the URL, password included, of a new and empty database."""
        self._made += 1
        name = f"shop_{self._made}_{secrets.token_hex(3)}"
        self.run(f"CREATE DATABASE {name}")
        return self.admin.set(database=name).render_as_string(hide_password=False)

    def run(self, *statements: str, url: str = "") -> list[tuple]:
        """Run statements, each for itself, and return the rows of the last one that has any."""
        engine = create_engine(url or self.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        rows: list[tuple] = []
        with engine.connect() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
                rows = [tuple(row) for row in result] if result.returns_rows else rows
        return rows

    def without_password(self, url: str) -> str:
        """Return *url* as a config may hold it."""
        return make_url(url)._replace(password=None).render_as_string()


@contextmanager
def postgresql_server() -> Iterator[DatabaseServer]:
    """Start Debian's PostgreSQL; skip, with the reason, where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    programs = found[-1].parent
    with _folder("postgres") as (folder, as_owner):
        data, password = folder / "data", folder / "password"
        password.write_text(PASSWORD, encoding="ascii")
        _make(
            as_owner, programs / "initdb", "-D", data, "-U", USER, f"--pwfile={password}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", cwd=folder,
        )  # fmt: skip

        def command(port: int) -> list[str]:
            set_to = {
                "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder,
                "max_connections": 40, "fsync": "off", "max_wal_size": "4GB", "lock_timeout": "20s",
            }  # fmt: skip
            options = [part for name, value in set_to.items() for part in ("-c", f"{name}={value}")]
            return [str(programs / "postgres"), "-D", str(data), *options]

        address = URL.create("postgresql+pg8000", USER, PASSWORD, "127.0.0.1", database="postgres")
        with _running(folder, as_owner, command, address, stop=signal.SIGINT) as server:
            yield server


@contextmanager
def mariadb_server() -> Iterator[DatabaseServer]:
    """Start Debian's MariaDB; skip, with the reason, where it is not installed."""
    server, install = shutil.which("mariadbd", path=_PATH), shutil.which("mariadb-install-db", path=_PATH)
    if server is None or install is None:
        pytest.skip("MariaDB's server is not installed: apt-get install mariadb-server")
    with _folder("mysql") as (folder, as_owner):
        data, init = folder / "data", folder / "init.sql"
        _make(
            as_owner, install, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", "--skip-test-db",
            "--auth-root-authentication-method=normal", cwd=folder,
        )  # fmt: skip
        init.write_text(
            f"CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;\n",
            encoding="ascii",
        )
        init.chmod(0o644)

        def command(port: int) -> list[str]:
            return [
                server, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", f"--port={port}",
                "--bind-address=127.0.0.1", f"--socket={folder / 'sock'}", f"--pid-file={folder / 'pid'}",
                f"--init-file={init}",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--skip-name-resolve",
            ]  # fmt: skip

        address = URL.create("mysql+pymysql", USER, PASSWORD, "127.0.0.1", database="mysql")
        with _running(folder, as_owner, command, address, stop=signal.SIGTERM) as running:
            yield running


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"


@contextmanager
def _folder(owner: str) -> Iterator[tuple[Path, list[str]]]:
    """Give a folder of *owner*'s, and what goes before a command so that it runs as them and dies with this process.

    Neither server runs as root. Whoever is not root runs the server as themselves.
    """
    folder = Path(tempfile.mkdtemp(prefix="leadlight-db-", dir="/tmp"))
    as_owner = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        known = pwd.getpwnam(owner)
        os.chown(folder, known.pw_uid, known.pw_gid)
        as_owner += [f"--reuid={known.pw_uid}", f"--regid={known.pw_gid}", "--clear-groups"]
    try:
        yield folder, as_owner
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(as_owner: list[str], *command: object, cwd: Path) -> None:
    made = subprocess.run([*as_owner, *map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(f"{command[0]} failed:\n{made.stdout}\n{made.stderr}")


@contextmanager
def _running(
    folder: Path, as_owner: list[str], command: Callable[[int], list[str]], address: URL, *, stop: signal.Signals
) -> Iterator[DatabaseServer]:
    """Run a server on a free port; another process may take the port first, so this is tried a few times."""
    log = folder / "log"
    for _ in range(_TRIES):
        port = _free_port()
        with log.open("ab") as said:
            process = subprocess.Popen(
                [*as_owner, *command(port)], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        server = DatabaseServer(address.set(port=port), process, log)
        if _answers(server):
            break
        _end(process, stop)
    else:
        pytest.fail(f"The server does not start:\n{log.read_text(errors='replace')[-3000:]}")
    try:
        yield server
    finally:
        _end(process, stop)


def _answers(server: DatabaseServer) -> bool:
    until = time.monotonic() + _STARTS_WITHIN_S
    while server.process.poll() is None and time.monotonic() < until:
        with suppress(DBAPIError):
            server.run("SELECT 1")
            return True
        time.sleep(0.05)
    return False


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
