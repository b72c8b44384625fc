"""A small shop with a model and two runs of scores, and an app on top of it; fictional people alone."""

import fcntl
import json
import os
import re
import shutil
import socket
import threading
import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
import yaml

from models import bundle, registry, training
from models.recipe import Recipe
from models.registry import training_run
from pipeline import shipped
from pipeline.champion import place_of
from pipeline.settings import Settings, load
from pipeline.stages.features import compute_training_table
from pipeline.stages.ingest import ingest
from pipeline.stages.score import score
from pipeline.synthetic.shop import generate
from pipeline.web import create_app

NOW = datetime(2025, 1, 20, 9, 30, tzinfo=UTC)
"""The present moment of every test: half a morning after the scores."""
HOST = "http://localhost"
_RUN = "c0ffee00c0ffee00"


@dataclass
class Browser:
    """A browser as far as tests need one: it keeps cookies, and knows the token of its forms."""

    http: httpx.Client

    def get(self, path, **rest):
        return self.http.get(path, **rest)

    def post(self, path, data=None, **rest):
        """Send a form with the token of this visit."""
        return self.http.post(path, data={"token": self.token, **(data or {})}, **rest)

    def call(self, path, body, **rest):
        """Send JSON with the token of this visit."""
        return self.http.post(path, json=body, headers={"X-Form-Token": self.token, **rest.pop("headers", {})}, **rest)

    @property
    def token(self):
        """What forms of this visit carry, as the log-in page or any other shows it."""
        page = self.http.get("/login")
        page = page if page.status_code == 200 else self.http.get("/leads")
        found = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
        return found[1] if found else ""

    def keys(self, path="/leads"):
        """Return the keys of the leads that a page lists."""
        return list(dict.fromkeys(re.findall(r'href="/leads/([0-9a-z]{13})"', self.get(path).text)))


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory) -> Path:
    """Return the folder of a scored shop; the workers of a parallel run share one. Nobody writes to it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "web-shop"
    with (shared / "web-shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            # MLflow and SQLAlchemy warn of each other, and of nothing that we call.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _make(folder)
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="session")
def shared_settings(shop_folder) -> Settings:
    """Return the config of the shared shop, for tests that only read."""
    return load(shop_folder / "leadlight.yaml")


@pytest.fixture
def own_settings(shop_folder, tmp_path) -> Settings:
    """Return the config of a copy of the shop, for tests that write."""
    shutil.copytree(shop_folder, tmp_path / "shop")
    return load(tmp_path / "shop" / "leadlight.yaml")


@pytest.fixture
def browse():
    """Return a function that opens a browser on an app."""
    opened = []

    def open_on(app, *, host=HOST, address="127.0.0.1", **headers) -> Browser:
        transport = _Sync(app, address)
        http = httpx.Client(transport=transport, base_url=host, headers=headers, follow_redirects=False)
        opened.append(http)
        return Browser(http)

    yield open_on
    for http in opened:
        http.close()


@pytest.fixture
def app_of():
    """Return a function that makes the app of a config, at `NOW`."""

    def make(settings, *, host="127.0.0.1", now=NOW, environment=None, **app):
        changed = settings.model_copy(update={"app": settings.app.model_copy(update=app)})
        return create_app(changed, host=host, environment=environment or {}, clock=lambda: now)

    return make


@pytest.fixture
def browser(browse, app_of, shared_settings) -> Browser:
    """Return a browser on the shared shop, on loopback, where nobody logs in."""
    return browse(app_of(shared_settings))


@pytest.fixture
def writer(browse, app_of, own_settings) -> Browser:
    """Return a browser on a shop of the test's own."""
    return browse(app_of(own_settings))


@pytest.fixture
def served():
    """Return a function that serves an app on a port of loopback until the test ends."""
    running = []

    def serve(app) -> str:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        running.append((server, thread, listening))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    for server, thread, listening in running:
        server.should_exit = True
        thread.join()
        listening.close()


class _Sync(httpx.BaseTransport):
    """Hands requests to an app without a network, and answers with what it sends.

    Args:
        app: The app.
        address: Where requests come from.
    """

    def __init__(self, app, address):
        self._inner = httpx.ASGITransport(app, client=(address, 50_000), raise_app_exceptions=True)

    def handle_request(self, request):
        import anyio

        async def ask():
            answer = await self._inner.handle_async_request(
                httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
            )
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return anyio.run(ask)


def _make(folder: Path) -> None:
    """Draw a shop, fit a small model in a moment, and score two days."""
    folder.mkdir()
    raw = yaml.safe_load(shipped.config("synthetic_shop").read_text(encoding="utf-8"))
    raw["features"] = {"windows": [7, 28], "families": ["purchase", "engagement", "funnel", "acquisition"]}
    raw["app"] = {"personal": ["display_name", "company", "owner"]}
    raw["report"] = {}
    (folder / "leadlight.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    settings = load(folder / "leadlight.yaml")
    generate(settings.data_folder, leads=1000, seed=1)
    ingest(settings, now=NOW)
    recipe = Recipe(max_trees=20, bags=1, groups=2, blocks=1)
    table = compute_training_table(settings)
    model = training.train(table, config=training.TrainingConfig(recipe=recipe)).model
    _register(settings, model)
    for day in (datetime(2025, 1, 13, tzinfo=UTC), None):
        score(settings, as_of=day, scored_at=NOW)


def _register(settings: Settings, model) -> None:
    """Register *model* as training does at its end, with the pages that it leaves."""
    place = place_of(settings)
    registry.prepare(place)
    asked = training_run.client(place)
    asked.create_registered_model(place.name)
    folder = settings.shop.workspace / "mlartifacts" / _RUN / "artifacts"
    bundle.save(model, folder / "bundle")
    (folder / "card").mkdir()
    page = "<!DOCTYPE html><html lang=en><title>Card</title><style>h1{color:teal}</style><h1>Model card</h1></html>"
    (folder / "card" / "model_card.html").write_text(page, encoding="utf-8")
    (folder / "certificate.html").write_text(page, encoding="utf-8")
    checks = [{"name": "labels ripe", "outcome": "passed", "why": "1,000 labels"}]
    (folder / "certificate.json").write_text(json.dumps({"passed": True, "checks": checks}), encoding="utf-8")
    asked.create_model_version(place.name, folder.parent.as_uri(), run_id=_RUN, tags={"roc_auc": "0.7774"})
    training_run._name(asked, place, "1", alias="")
