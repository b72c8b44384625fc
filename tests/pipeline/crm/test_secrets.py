"""Secrets are said nowhere: not on the screen, in logs, files or the ledger, and by no object that is printed."""

import logging
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import make_url

from fakes.serving import Reply
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Patience
from pipeline.crm.session import Outside, at_target
from pipeline.stages.publish import publish
from pipeline.stages.publish_checks import set_up, verify
from support.desk import YES, Desk
from support.places import SERVED, WITH_SECRETS

LEADS = 40
BRIEF = 0.3
"""Seconds after which trouble counts as lasting."""


@pytest.fixture
def desk(place, tmp_path):
    """Return a shop beside a place, with scores of a night."""
    with Desk(tmp_path, place, leads=LEADS) as made:
        made.score(0)
        yield made


def told_by(desk, forks, environment):
    """Return all that the command says of publishing, setting up and reading back, with every step logged."""
    said = []
    for number, asked in enumerate((["--setup"], ["--yes"], ["--verify"])):
        ended = forks.run(
            ["--verbose", "publish", "--config", str(desk.shop.path), *asked], environment, desk.folder / f"{number}"
        )
        said += [ended.out, ended.err]
    return "\n".join(said)


def held_by(folder):
    """Return what all files below a folder hold, and what they are called."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert any(path.name == "ledger.db" for path in files)
    return b"\n".join([*(path.read_bytes() for path in files), *(str(path).encode() for path in files)])


def assert_secret(secrets, said, folder):
    """Assert that none of *secrets* was said or kept."""
    kept = held_by(folder)
    for secret in secrets:
        assert len(secret) > len("t0ken-")
        assert secret not in said
        assert secret.encode() not in kept


@pytest.mark.parametrize("place", WITH_SECRETS, indirect=True)
def test_a_command_that_succeeds_tells_no_secret(desk, forks):
    """Every step is logged, and no token, secret or password is among what is logged, printed or kept."""
    said = told_by(desk, forks, desk.place.environment)
    assert "written" in said
    assert desk.place.state()
    assert_secret(desk.place.secrets(), said, desk.folder / "shop")


@pytest.mark.parametrize("place", WITH_SECRETS, indirect=True)
def test_credentials_that_are_refused_are_not_repeated(desk, forks):
    """Whoever types a wrong secret is told which variable it was read from, and not what it holds."""
    other = desk.place.with_other_secrets()
    desk.shop.configure(desk.place.crm(give_up_after_s=BRIEF))
    said = told_by(desk, forks, other)
    assert desk.place.state() == {}
    assert "Traceback" not in said
    assert_secret([*desk.place.secrets(), *other.values(), "-of-somebody-else"], said, desk.folder / "shop")


@pytest.mark.parametrize("place", WITH_SECRETS, indirect=True)
def test_a_place_that_is_not_there_gives_no_secret_away(desk, forks):
    """What a library says of a connection that fails is told without what it was opened with."""
    crm = desk.place.crm(give_up_after_s=BRIEF)
    crm[desk.place.name]["connect"] = desk.place.unreachable()
    desk.shop.configure(crm)
    said = told_by(desk, forks, {**desk.place.environment, **desk.place.nowhere})
    assert "Traceback" not in said
    assert desk.place.state() == {}
    assert_secret(desk.place.secrets(), said, desk.folder / "shop")


@pytest.mark.parametrize("place", SERVED, indirect=True)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 429, 500])
def test_an_answer_that_repeats_the_request_is_not_repeated(desk, status, caplog):
    """A proxy or a receiver may show the headers that it got in whatever it answers."""
    caplog.set_level(logging.DEBUG)
    desk.publish()
    desk.place.fake.answer = repeating(status)
    desk.score(1)
    patience = Patience(most_s=0.05, first_s=0.001, longest_s=0.002, breaker_after=1_000)
    hasty = Outside(desk.place.environment, patience, desk.outside.clock)
    told = [
        publish(desk.shop.settings, YES, outside=hasty),
        set_up(desk.shop.settings, "", outside=hasty),
        verify(desk.shop.settings, "", sample=5, outside=hasty),
    ]
    said = "\n".join([*map(repr, told), caplog.text, *(record.getMessage() for record in caplog.records)])
    assert status == HTTPStatus.OK or any(one.failures for one in told)
    assert_secret(desk.place.secrets(), said, desk.folder / "shop")


def repeating(status):
    """Return what answers each call with that status, and with what lets the caller in, in every place for words."""

    def answer(request):
        asked = {**request.query, **dict(parse_qsl(request.body.decode()))}
        telling = [value for name, value in request.headers.items() if name.lower() == "authorization"]
        telling += [value for name, value in asked.items() if name == "client_secret"]
        words = " ".join([*telling, *telling[-1:]])
        body = {
            "status": "error", "message": words, "category": words, "error": words, "error_description": words,
            "errors": [{"message": words, "code": words, "errorCode": words}], "success": False, "requestId": words,
        }  # fmt: skip
        return Reply(status, body)

    return answer


@pytest.mark.parametrize("place", WITH_SECRETS, indirect=True)
def test_nothing_that_is_printed_shows_a_secret(desk, caplog):
    """Settings, surroundings, the connector and its parts, the session: each as a debugger or a log would show it."""
    caplog.set_level(logging.DEBUG)
    environment = desk.place.environment
    around = Surroundings(desk.place.name, desk.place.key, desk.folder, desk.folder, environment)
    with at_target(desk.shop.settings, desk.place.name, desk.outside) as session:
        connector = session.target.connector
        connector.read(desk.ids[:3], [field.name for field in session.target.fields])
        things = [around, desk.shop.settings, session.target, session.engine, session.outside, *parts_of(connector)]
        said = "\n".join(show(thing) for thing in things for show in (repr, str))
    assert_secret(desk.place.secrets(), said + caplog.text, desk.folder / "shop")


@pytest.mark.parametrize("port", [None, 9])
def test_the_password_of_a_ledger_is_told_nowhere(postgresql, forks, tmp_path, port):
    """Whether the database that keeps it answers or not."""
    with Desk(tmp_path, "hubspot", leads=LEADS) as desk:
        desk.score(0)
        url = make_url(postgresql.database())
        ledger = url.set(port=port or url.port).render_as_string(hide_password=False)
        said = told_by(desk, forks, {**desk.place.environment, "LEADLIGHT_LEDGER": ledger})
        assert "Traceback" not in said
        assert bool(desk.place.state()) == (port is None)
        assert_secret([url.password], said, desk.folder / "shop")


def parts_of(thing):
    """Return an object of Leadlight's and all of its parts that are, each once."""
    found, to_look_at = [], [thing]
    while to_look_at:
        one = to_look_at.pop()
        if type(one).__module__.startswith("pipeline.crm") and not any(one is seen for seen in found):
            found.append(one)
            to_look_at += [*getattr(one, "__dict__", {}).values()]
    assert len(found) > 1
    return found
