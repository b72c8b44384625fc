"""What a server does before the first page is asked for."""

import gc
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from pipeline.web.server import warm


@pytest.fixture(autouse=True)
def _as_before():
    """The collector looks at everything again afterwards."""
    yield
    gc.unfreeze()


def test_the_first_page_finds_open_what_it_needs(app_of, own_settings):
    """The published run is open, and what it holds already is no work for the collector of garbage."""
    app = app_of(own_settings)
    assert app.state.house.published.at_hand() is None
    warm(app)
    assert app.state.house.published.at_hand() is not None
    assert gc.get_freeze_count() > 0


def test_where_nothing_is_published_the_server_starts_all_the_same(app_of, own_settings):
    """The pages say what to do; the start says nothing of it."""
    (own_settings.shop.workspace / "scores" / "manifest.json").unlink()
    warm(app_of(own_settings))


def _serve(folder, port):
    command = [
        sys.executable,
        "-m",
        "leadlight",
        "serve",
        "--config",
        str(folder / "leadlight.yaml"),
        "--port",
        str(port),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_says_where_it_is_and_leaves_in_silence(shop_folder):
    """Ctrl+C ends it with not a word about memory, threads or signals."""
    server = _serve(shop_folder, 0)
    told = server.stderr.readline()
    address = next(word for word in told.split() if word.startswith("http://"))
    assert httpx.get(f"{address}/leads", timeout=60).status_code == 200
    server.send_signal(signal.SIGINT)
    _, errors = server.communicate(timeout=60)
    assert [line for line in errors.splitlines() if "GET /leads 200" not in line] == []


def test_a_port_that_is_taken_is_told_once(shop_folder):
    """In one message, with what to do about it, and no other program's lines before it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = _serve(shop_folder, taken.getsockname()[1])
        said, errors = server.communicate(timeout=60)
    assert (server.returncode, said) == (2, "")
    assert errors.startswith("Nothing can listen on 127.0.0.1")
    assert "--port" in errors
