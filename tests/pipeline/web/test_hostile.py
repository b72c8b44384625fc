"""Text from outside in every field: it comes out harmless in pages, in CSV and in JSON."""

import csv
import io
import re
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from pipeline.published.editions import Published
from pipeline.published.run_files import RunNotes
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }} {% raw %}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "-2+3",
    "\t=1+1",
    "\r\n=1+1",
    "\uff1d1+1",
    "\u202egnp.exe\u202c",
    "a\u0000b\u0007c",
    "😀" * 40,
    "x" * 10_000,
    "ann@shop.example",
    "'; DROP TABLE marks; --",
    "../../etc/passwd",
    "%00%0a",
)


@pytest.fixture
def hostile(own_settings, browse, app_of):
    """Return a browser on a shop whose every text is hostile, one kind per lead."""
    store = ScoreStore(Workspace(own_settings.shop.workspace))
    rows = store.read(store.published()).sort_by("rank").slice(0, len(HOSTILE))
    leads = [f"{text}{place}" for place, text in enumerate(HOSTILE)]
    columns = {name: rows[name].to_pylist() for name in rows.column_names}
    columns |= {name: list(HOSTILE) for name in ("stage", "play", "action", "channel", "trigger_id")}
    columns |= {"lead_id": leads, "segments": [[text] for text in HOSTILE], "held": [[text] for text in HOSTILE]}
    pairs = zip(columns["reasons"], HOSTILE, strict=True)
    columns["reasons"] = [[{**one, "level": text} for one in reasons] for reasons, text in pairs]
    scores = pa.table([pa.array(columns[field.name], field.type) for field in rows.schema], rows.schema)
    people = pa.table({"lead_id": leads} | {name: list(HOSTILE) for name in PEOPLE})
    words = {text: {"label": text, "wording": text} for text in HOSTILE}
    now = datetime(2025, 1, 21, tzinfo=UTC)
    shutil.rmtree(own_settings.shop.workspace / "scores")
    store.publish(
        store.add(
            scores, as_of=int(now.timestamp() * 1e6), model_version=rows["model_version"][0].as_py(), scored_at=now,
            people=people, personal=PEOPLE[:5],
            notes=RunNotes({"stages": words, "plays": words, "segments": words}, {}),
        )
    )  # fmt: skip
    return browse(app_of(own_settings, personal=list(PEOPLE[:5])))


PEOPLE = ("display_name", "company", "owner", "email", "phone", "source", "campaign")


def pages_of(browser):
    """Yield every page with hostile text in it."""
    keys = browser.keys("/leads?size=200")
    assert len(keys) == len(HOSTILE)
    for path in ("/leads?size=200", "/movers", "/segments", "/reports", *(f"/leads/{key}" for key in keys)):
        yield path, browser.get(path)


def test_pages_show_it_as_text(hostile):
    """No tag, no attribute and no direction mark of it reaches a page, and nothing is computed."""
    for path, page in pages_of(hostile):
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u0000\u0007]", page.text)
        assert "x" * 500 not in page.text


def test_addresses_name_nobody(hostile):
    """No link and no form leads to an address with an e-mail address in it, filters by owner included."""
    for path, page in pages_of(hostile):
        for address in re.findall(r'(?:href|action|hx-get|hx-post|src)="([^"]*)"', page.text):
            assert "ann@shop" not in address, path
            assert "ann%40shop" not in address, path
    owner = re.search(r'<select name="owner">(.*?)</select>', hostile.get("/leads").text, re.DOTALL)[1]
    named = dict(re.findall(r'value="([^"]+)">([^<(]+) \(', owner))
    handle = next(value for value, name in named.items() if "ann@shop" in name)
    assert re.fullmatch("~[0-9a-z]{13}", handle)
    assert len(hostile.keys(f"/leads?owner={handle}")) == 1


def test_a_spreadsheet_runs_none_of_it(hostile):
    """No cell of the export begins as a formula does, with spaces and wide forms left out; every lead is there."""
    text = hostile.post("/leads/export").text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == len(HOSTILE)
    for row in rows:
        for name, cell in row.items():
            is_number = re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
            assert is_number or not re.match("[\\s\u202e]*[=+\\-@\uff1d\uff0b\uff0d\uff20]", cell), (name, cell[:40])


def test_whom_to_leave_alone_a_file_says_in_its_action(writer):
    """A file sorted by action holds nobody under 'call' who must not be called, holds of this morning included."""
    key = writer.keys()[0]
    writer.post(f"/leads/{key}/hold", {"reason": "on holiday"})
    rows = list(csv.DictReader(io.StringIO(writer.post("/leads/export").text.removeprefix("\ufeff"))))
    held = [row for row in rows if row["held"]]
    assert rows[0] in held
    assert {(row["action"], row["channel"]) for row in held} == {("leave_alone", "")}
    assert "leave_alone" not in {row["action"] for row in rows if not row["held"]}


def test_programs_get_it_whole_as_data(hostile):
    """JSON holds ids as they are, says that it is JSON, and is not guessed at."""
    answer = hostile.get("/api/v1/leads?size=200")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    ids = {lead["lead_id"] for lead in answer.json()["leads"]}
    assert {f"{text}{place}" for place, text in enumerate(HOSTILE)} == ids
    for key in hostile.keys("/leads?size=200"):
        assert hostile.get(f"/api/v1/leads/{key}").status_code == 200


def test_what_people_note_is_text_too(hostile):
    """Notes and reasons of holds come out as text, and end at the length of the field."""
    key = hostile.keys()[0]
    for text in HOSTILE:
        hostile.post(f"/leads/{key}/contacted", {"note": text})
        hostile.post(f"/leads/{key}/hold", {"reason": text, "owner": text})
        page = hostile.get(f"/leads/{key}").text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert not re.search("[\u202a-\u202e\u0000\u0007]", page)
    too_long = hostile.post(f"/leads/{key}/hold", {"reason": "x" * 501})
    assert too_long.status_code == 400


def test_personal_columns_are_shown_where_the_config_allows_them_alone(own_settings, browse, app_of):
    """Without app.personal neither page, file nor JSON names anybody, though the run holds the names."""
    edition = Published(Workspace(own_settings.shop.workspace)).open()
    names = {one.value for one in edition.choices().get("owners", ()) if one.value}
    key = browse(app_of(own_settings)).keys()[0]
    name = browse(app_of(own_settings)).get(f"/api/v1/leads/{key}").json()["name"]
    closed = browse(app_of(own_settings, personal=[]))
    for path in ("/leads", f"/leads/{key}", "/movers", f"/api/v1/leads/{key}", "/api/v1/leads"):
        text = closed.get(path).text
        assert name not in text, path
        assert not any(owner in text for owner in names)
    assert name not in closed.post("/leads/export").text
