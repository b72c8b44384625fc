"""What breaks off midway: an answer is not begun a second time, and half of a form is not taken for the whole."""

import asyncio

import pytest

from pipeline.web.bodies import SmallBodies
from pipeline.web.shell import BrokenOffError, Shell

SCOPE = {"type": "http", "method": "POST", "path": "/leads", "headers": [], "query_string": b"", "state": {}}
START = {"type": "http.response.start", "status": 200, "headers": []}


def sent_by(app, *received):
    """Return what *app* sends for a request whose messages are *received*."""
    coming, sent = iter(received), []

    async def receive():
        return next(coming)

    async def send(message):
        sent.append(message)

    async def answer():
        try:
            await app(dict(SCOPE), receive, send)
        except BrokenOffError:
            sent.append("the connection ends")

    asyncio.run(answer())
    return sent


def test_an_answer_that_breaks_off_ends_the_connection(caplog):
    """Where half of a file is out, no page about a fault follows it: it would look like the file's end."""
    name = "ann"
    mail = f"{name}@shop.example"  # the log shows the lines of the source

    async def export(_scope, _receive, send):
        await send({**START, "headers": []})
        await send({"type": "http.response.body", "body": b"lead,score", "more_body": True})
        raise OSError(f"the file of {mail} is gone")

    *out, last = sent_by(Shell(export))
    assert [message["type"] for message in out] == ["http.response.start", "http.response.body"]
    assert last == "the connection ends"
    assert "OSError" in caplog.text
    assert mail not in caplog.text


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_form_that_breaks_off_is_not_read(is_whole):
    """A hold whose sender went away before its end would else be one without a last day."""
    seen = []

    async def form(_scope, receive, send):
        seen.append((await receive())["body"])
        await send(dict(START))

    half = {"type": "http.request", "body": b"reason=ill", "more_body": True}
    rest = {"type": "http.request", "body": b"&until=2026-12-24", "more_body": False}
    sent = sent_by(SmallBodies(form), half, rest if is_whole else {"type": "http.disconnect"})
    assert seen == ([b"reason=ill&until=2026-12-24"] if is_whole else [])
    assert bool(sent) == is_whole
