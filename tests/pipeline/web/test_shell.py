"""What surrounds every answer: headers, names, sizes, forged forms, the log."""

import logging
import re
from pathlib import Path

import pytest

from pipeline import web
from pipeline.web.bodies import MOST_BYTES

PATHS = ("/leads", "/model", "/nowhere", "/api/v1/leads", "/api/v1/nowhere", "/static/app.css", "/leads?after=x")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_lets_a_browser_run_our_files_alone(browser, path):
    """No inline script or style, no frame, no guess of types, nothing kept by a cache that names people."""
    answer = browser.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"] or path.startswith("/static")


@pytest.mark.parametrize("path", ["/leads", "/movers", "/segments", "/reports", "/model", "/points", "/leads/{key}"])
def test_pages_hold_nothing_that_the_policy_would_stop(browser, path):
    """No page has an inline script, a style attribute, an event attribute, or a file from elsewhere."""
    page = browser.get(path.replace("{key}", browser.keys()[0])).text
    assert not re.search(r"<style|<[^>]+\s(style|on[a-z]+)=", page)
    assert not re.search(r"<script(?![^>]* src=\"/static/)", page)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", page)


def test_an_answer_to_a_fault_of_ours_says_little(browse, app_of, shared_settings, monkeypatch, caplog):
    """A bug ends in a page without details; the log has its place, and no e-mail address."""
    from pipeline.published.editions import Edition

    name = "ann"
    mail = f"{name}@shop.example"  # the log shows lines of the source, and those that follow are some

    def broken(*_):
        raise RuntimeError(f"lead {mail} is broken")

    monkeypatch.setattr(Edition, "movers", broken)
    browser = browse(app_of(shared_settings))
    with caplog.at_level(logging.INFO, "pipeline.web"):
        answers = browser.get("/movers"), browser.get("/api/v1/movers")
    assert [answer.status_code for answer in answers] == [500, 500]
    assert all("X-Frame-Options" in answer.headers for answer in answers)
    assert mail not in "".join(answer.text for answer in answers) + caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "", "127.0.0.1:80:80", "[::1"])
def test_on_loopback_only_its_own_names_are_answered(browser, name):
    """A page that gave its own name our address gets nothing."""
    answer = browser.get("/leads", headers={"Host": name})
    assert answer.status_code == 400
    assert "bdi" not in answer.text


@pytest.mark.parametrize("name", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_loopbacks_own_names_are_answered(browser, name):
    """With any port, and in any case."""
    assert browser.get("/leads", headers={"Host": name}).status_code == 200


def writing_routes():
    """Return every route that writes, as it is declared: its file, method and arguments."""
    found = []
    for folder in ("pages", "api"):
        for file in sorted((Path(web.__file__).parent / folder).glob("*.py")):
            declared = re.findall(r"@router\.(post|put|patch|delete)\((.*)\)", file.read_text("utf-8"))
            found += [(f"{folder}/{file.name}", method, said) for method, said in declared]
    return found


def test_every_route_that_writes_asks_for_this_sessions_token():
    """No page and no call that takes a POST is declared without the check."""
    routes = writing_routes()
    assert len(routes) > 8
    assert [one for one in routes if "OWN_FORM" not in one[2] and "OWN_CALL" not in one[2]] == []


FORMS = (
    "/leads",
    "/leads/export",
    "/leads/{key}/hold",
    "/leads/{key}/contacted",
    "/leads/{key}/withdraw",
    "/logout",
    "/language",
)
CALLS = ("/leads/search", "/leads/{key}/marks", "/leads/{key}/marks/1/withdraw")


def test_no_form_is_taken_without_this_sessions_token(writer):
    """A form or a call without the token, or with another session's, is refused and changes nothing."""
    key = writer.keys()[0]
    for token in ("", "0" * 64):
        for path in FORMS:
            form = {"code": "pt", "number": "1", "token": token}
            assert writer.http.post(path.format(key=key), data=form).status_code == 403, path
        for path in CALLS:
            headers = {"X-Form-Token": token}
            call = f"/api/v1{path.format(key=key)}"
            assert writer.http.post(call, json={"kind": "contacted"}, headers=headers).status_code == 403, path
    assert writer.get(f"/api/v1/leads/{key}/marks").json() == []


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_from_another_site_is_refused_even_with_the_token(writer, headers):
    """What the browser says of the sender counts besides the token."""
    key = writer.keys()[0]
    answer = writer.post(f"/leads/{key}/contacted", {"note": "x"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/leads", "/login", "/api/v1/leads/search"])
def test_long_requests_are_refused_before_they_are_read(browser, path):
    """A body beyond the limit ends in 413, whether or not it says how long it is."""
    body = b"x" * (MOST_BYTES + 1)

    def without_length():
        yield body

    assert browser.http.post(path, content=body).status_code == 413
    assert browser.http.post(path, content=without_length()).status_code == 413


def test_the_log_holds_the_page_and_nothing_that_a_person_typed(browser, caplog):
    """Neither what is searched for, nor a query, nor a wrong address gets into the log."""
    key = browser.keys()[0]
    with caplog.at_level(logging.INFO, "pipeline.web"):
        browser.post("/leads", {"text": "ann@shop.example"})
        browser.get("/leads?owner=ann@shop.example")
        browser.get("/leads/ann@shop.example")
        browser.get("/ann@shop.example")
        browser.get(f"/leads/{key}")
    assert "ann" not in caplog.text
    assert f"GET /leads/{key} 200" in caplog.text
    assert "POST /leads 200" in caplog.text
    assert "GET (no such page) 404" in caplog.text


def test_static_files_are_kept_by_their_content(browser):
    """Their addresses change with them, so a browser may keep them for ever."""
    address = re.search(r'href="(/static/app\.css\?v=[0-9a-f]+)"', browser.get("/leads").text)[1]
    assert "immutable" in browser.get(address).headers["Cache-Control"]
    assert browser.get("/static/../app.py").status_code == 404
    assert browser.get("/static/%2e%2e/app.py").status_code == 404


def test_languages_follow_the_browser_and_the_choice(browse, app_of, shared_settings):
    """Accept-Language decides, the choice overrules it, and English stands in."""
    browser = browse(app_of(shared_settings))
    for wish, said in (
        ("pt-PT,en;q=0.5", "Leads de hoje"),
        ("pl", "Dzisiejsze leady"),
        ("ro-RO", "Leadurile de astăzi"),
    ):
        page = browser.get("/leads", headers={"Accept-Language": wish}).text
        assert said in page
        assert f'<html lang="{wish[:2]}' in page
    assert ">Everyone<" in browser.get("/leads", headers={"Accept-Language": "de,*;q=0.1"}).text
    assert browser.post("/language", {"code": "pl", "next": "/reports"}).headers["location"] == "/reports"
    assert "Dzisiejsze leady" in browser.get("/leads", headers={"Accept-Language": "pt"}).text
    browser.post("/language", {"code": "xx"})
    assert "Dzisiejsze leady" in browser.get("/leads").text
