"""Kinds of connectors: those of another package, those that are not installed, and options that are wrong."""

import json
import sys
from importlib import metadata

import pytest

from features.errors import LeadlightError
from pipeline.crm import kinds
from pipeline.crm.kinds import kind_of
from pipeline.crm.session import Outside
from pipeline.stages.publish import Wish, publish
from support.little_shop import FIELDS, LittleShop

MODULE = """
import json
from pathlib import Path

from pydantic import BaseModel

from pipeline.crm.kinds import ConnectorKind
from pipeline.crm.promise import Answer, Changes, Outcome


class Options(BaseModel, extra="forbid"):
    file: str


class Pipedrive:
    at_once = 1

    def __init__(self, options, surroundings):
        self.path = surroundings.folder / options.file

    def batch_size(self, n_rows):
        return 50

    def check(self, fields):
        return []

    def setup(self, fields):
        return []

    def send(self, rows, ticket):
        held = json.loads(self.path.read_text()) if self.path.exists() else {}
        held |= {row.key: dict(row.fields) for row in rows}
        self.path.write_text(json.dumps(held))
        return [Answer(row.key, Outcome.WRITTEN) for row in rows]

    def abandon(self, ticket):
        pass

    def finish(self):
        pass

    def read(self, keys, names):
        return {}

    def changes(self, cursor, names):
        return Changes()

    def close(self):
        pass


KIND = ConnectorKind(Options, Pipedrive)
NO_KIND = Pipedrive
"""
METADATA = "Metadata-Version: 2.1\nName: leadlight-pipedrive\nVersion: 1.0\n"


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """Return what installs a package that brings the kind `pipedrive` by the entry point given."""

    def install(value):
        site = tmp_path / "site"
        info = site / "leadlight_pipedrive-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "leadlight_pipedrive.py").write_text(MODULE, encoding="utf-8")
        (info / "METADATA").write_text(METADATA, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[leadlight.crm]\npipedrive = {value}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        return site

    yield install
    sys.modules.pop("leadlight_pipedrive", None)


def shop_with(folder, **target):
    """Return a shop with one target, and scores of a night."""
    shop = LittleShop(folder / "shop", leads=60, crm={"pipedrive": {"fields": FIELDS, **target}})
    shop.score(0)
    return shop


def refusal(shop):
    """Return why nothing was published."""
    report = publish(shop.settings, Wish(may=lambda _: True), outside=Outside({}, clock=lambda: shop.morning(0)))
    (one,) = report.failures
    assert one.exit_code == 2
    return one.message


def test_another_packages_connector_is_written_to(third_party, tmp_path):
    """An entry point in the group `leadlight.crm` is all that it takes, and its options are its own."""
    third_party("leadlight_pipedrive:KIND")
    shop = shop_with(tmp_path, connect={"file": "pipedrive.json"})
    report = publish(shop.settings, Wish(may=lambda _: True), outside=Outside({}, clock=lambda: shop.morning(0)))
    assert report.failures == ()
    held = json.loads((shop.folder / "pipedrive.json").read_text(encoding="utf-8"))
    assert len(held) == report.targets[0].tally.written > 0
    assert set(next(iter(held.values()))) == set(FIELDS)


def test_the_command_finds_it_too(third_party, tmp_path, forks):
    """A process of its own finds what is installed beside Leadlight, and the kind that is asked for by name."""
    site = third_party("leadlight_pipedrive:KIND")
    shop = LittleShop(
        tmp_path / "shop", leads=60, crm={"crm": {"kind": "pipedrive", "fields": FIELDS, "connect": {"file": "a.json"}}}
    )
    shop.score(0)
    ended = forks.start(
        ["publish", "--config", str(shop.path), "--yes"],
        {"LEADLIGHT_TEST_SITE": str(site)},
        tmp_path / "said",
        patched="support.third_party:found",
    ).ended()
    assert (ended.code, ended.err) == (0, "")
    assert (shop.folder / "a.json").is_file()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("leadlight_pipedrive:NO_KIND", "it is no ConnectorKind"),
        ("leadlight_pipedrive:MISSING", "has no attribute 'MISSING'"),
        ("leadlight_nowhere:KIND", "No module named 'leadlight_nowhere'"),
    ],
)
def test_a_package_that_brings_no_connector_is_named(third_party, tmp_path, value, why):
    """The entry point is told with what is wrong with it."""
    third_party(value)
    said = refusal(shop_with(tmp_path))
    assert f"The connector 'pipedrive' ({value}) cannot be used: " in said
    assert why in said


def test_options_of_another_package_are_named_with_their_place(third_party, tmp_path):
    """Each wrong option is told as it stands in the config."""
    third_party("leadlight_pipedrive:KIND")
    said = refusal(shop_with(tmp_path, connect={"fil": "a.json"}))
    assert "The target 'pipedrive' cannot be reached as configured:" in said
    assert "crm.pipedrive.connect.fil" in said
    assert "crm.pipedrive.connect.file" in said


@pytest.mark.parametrize(
    ("kind", "meant"), [("hubspott", "hubspot"), ("SalesForce", "salesforce"), ("sqll", "sql"), ("webhok", "webhook")]
)
def test_a_kind_that_does_not_exist_is_told_with_the_nearest(kind, meant):
    """And all that there are, and how another package adds one."""
    with pytest.raises(LeadlightError) as caught:
        kind_of(kind)
    said = str(caught.value)
    assert f"There is no kind of CRM called '{kind}' (did you mean '{meant}'?)." in said
    assert "there are file, sql, hubspot, salesforce, marketo, webhook" in said
    assert "entry point in the group leadlight.crm" in said


@pytest.mark.parametrize(
    ("kind", "module", "way"),
    [
        ("hubspot", "httpx", "pip install 'leadlight[hubspot]'"),
        ("salesforce", "httpx", "pip install 'leadlight[salesforce]'"),
        ("marketo", "httpx", "pip install 'leadlight[marketo]'"),
        ("webhook", "httpx", "pip install 'leadlight[webhook]'"),
        ("sql", "pg8000", "pip install"),
    ],
)
def test_what_is_not_installed_is_told_with_the_command_that_installs_it(monkeypatch, kind, module, way):
    """A person who lacks an extra is told which, not shown a traceback."""

    def not_there(name):
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)

    monkeypatch.setattr(kinds, "import_module", not_there)
    with pytest.raises(LeadlightError) as caught:
        kind_of(kind)
    assert f"The connector '{kind}' needs the package '{module}', which is not installed." in str(caught.value)
    assert way in str(caught.value)


def test_every_extra_that_is_named_exists():
    """The hint installs something."""
    offered = set(metadata.metadata("leadlight").get_all("Provides-Extra") or [])
    assert offered >= kinds._EXTRAS


@pytest.mark.parametrize(
    ("kind", "connect", "faults"),
    [
        ("hubspot", {"base_ur": "https://a.example", "at_once": 99}, ["connect.base_ur", "connect.at_once"]),
        ("salesforce", {"objects": ["Account"]}, ["connect.base_url", "connect.objects"]),
        ("marketo", {"base_url": "https://a.example", "token": "x"}, ["connect.token"]),
        ("webhook", {"rows_per_call": 0}, ["connect.rows_per_call"]),
        ("sql", {"table": ""}, ["connect.table"]),
    ],
)
def test_wrong_options_are_named_with_their_place(tmp_path, kind, connect, faults):
    """All of them at once, as they stand in the config."""
    said = refusal(shop_with(tmp_path, kind=kind, connect=connect))
    assert "The target 'pipedrive' cannot be reached as configured:" in said
    assert all(f"crm.pipedrive.{fault}" in said for fault in faults)
