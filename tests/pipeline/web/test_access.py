"""Who may come in: on loopback, with a password, behind a proxy; and what keeps everyone else out."""

import re
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher

from features.errors import LeadlightError
from pipeline.settings_app import AppSettings
from pipeline.web.access import access_of
from pipeline.web.attempts import MOST_KEPT, Attempts, Limit
from pipeline.web.gate import inside
from pipeline.web.new_user import add
from pipeline.web.sessions import Sessions
from pipeline.web.users import user_line, users_from

SECRET = "s" * 40
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
USERS = f"ann:{CHEAP.hash('right horse battery')}\nbob:{CHEAP.hash('another password')}"
OUTSIDE = {"LEADLIGHT_USERS": USERS, "LEADLIGHT_SECRET_KEY": SECRET}
PRIVATE = ("/", "/leads", "/movers", "/segments", "/reports", "/model", "/points", "/leads/0000000000000")
PRIVATE_API = ("leads", "freshness", "choices", "session", "reports", "model", "openapi.json")


@pytest.fixture
def guarded(app_of, shared_settings):
    """Return an app that others can reach, with two users."""
    return app_of(shared_settings, host="0.0.0.0", environment=OUTSIDE)


@pytest.fixture
def stranger(browse, guarded):
    """Return a browser of somebody who has not logged in, over HTTPS."""
    return browse(guarded, host="https://leads.example", address="10.0.0.9")


def log_in(browser, user="ann", password="right horse battery", **rest):
    """Send the log-in form."""
    return browser.post("/login", {"user": user, "password": password, **rest})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "leads.example.com"])
def test_nobody_serves_others_without_asking_who_they_are(host):
    """On any address that others can reach the app refuses to start, and says what to do."""
    with pytest.raises(LeadlightError, match="--add-user NAME"):
        access_of(AppSettings(), host=host, environment={})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_on_loopback_nobody_is_asked(host):
    """Whoever sits at the machine is the user `local`."""
    assert access_of(AppSettings(), host=host, environment={}).kind == "local"


def test_logins_need_a_secret_that_cannot_be_guessed(tmp_path):
    """Without a secret, or with a short one, the app does not start; a file may hold it."""
    for secret in ({}, {"LEADLIGHT_SECRET_KEY": "short"}):
        with pytest.raises(LeadlightError, match="LEADLIGHT_SECRET_KEY"):
            access_of(AppSettings(), host="0.0.0.0", environment={"LEADLIGHT_USERS": USERS, **secret})
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    found = access_of(
        AppSettings(), host="0.0.0.0", environment={"LEADLIGHT_USERS": USERS, "LEADLIGHT_SECRET_KEY": str(file)}
    )
    assert found.secret == SECRET


@pytest.mark.parametrize(
    "missing", ["/etc/leadlight/the-secret-key-of-the-app", "config/production/leadlight/secret.txt"]
)
def test_a_missing_file_is_no_secret(missing):
    """The name of a file that is not there could be guessed, so it signs nothing."""
    with pytest.raises(LeadlightError, match="cannot be read"):
        access_of(
            AppSettings(), host="0.0.0.0", environment={"LEADLIGHT_USERS": USERS, "LEADLIGHT_SECRET_KEY": missing}
        )


def test_a_secret_file_beside_the_app_is_read(tmp_path, monkeypatch):
    """The file may be named without its folder; one that holds no text is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text(SECRET)
    said = {"LEADLIGHT_USERS": USERS, "LEADLIGHT_SECRET_KEY": "secret.txt"}
    assert access_of(AppSettings(), host="0.0.0.0", environment=said).secret == SECRET
    (tmp_path / "secret.txt").write_bytes(b"\xff" * 64)
    with pytest.raises(LeadlightError, match="cannot be read as text"):
        access_of(AppSettings(), host="0.0.0.0", environment=said)


@pytest.mark.parametrize("content", ["", "# nobody yet\n"])
def test_a_file_without_users_lets_nobody_in(tmp_path, content):
    """Whoever names a file of users wants logins: without any user the app does not start, on loopback either."""
    file = tmp_path / "users"
    file.write_text(content)
    with pytest.raises(LeadlightError, match="holds no user"):
        access_of(AppSettings(), host="127.0.0.1", environment={"LEADLIGHT_USERS_FILE": str(file)})
    assert "may log in" in add("ann", "a long password", environment={"LEADLIGHT_USERS_FILE": str(file)})


def test_a_name_for_others_needs_logins():
    """A proxy on the same machine brings everyone to loopback, so its name asks who they are."""
    with pytest.raises(LeadlightError, match=r"leads\.example\.com"):
        access_of(AppSettings(hosts=["leads.example.com"]), host="127.0.0.1", environment={})
    assert access_of(AppSettings(hosts=["localhost"]), host="127.0.0.1", environment={}).kind == "local"


def test_users_follow_their_file(tmp_path):
    """Who is added may log in, who is taken out may not, without a new start; a faulty file lets nobody in."""
    file = tmp_path / "users"
    file.write_text(USERS)
    users = users_from({"LEADLIGHT_USERS_FILE": str(file)})
    stamp = users.stamp("bob")
    assert users.is_stamp("bob", stamp)
    file.write_text(USERS.splitlines()[0])
    assert not users.is_stamp("bob", stamp)
    assert users.is_password("ann", "right horse battery")
    file.write_text("no user")
    assert not users.is_password("ann", "right horse battery")
    file.unlink()
    assert not users.is_password("ann", "right horse battery")


def test_a_user_is_added_below_a_last_line_without_an_end(tmp_path):
    """Two users are two lines, also where an editor left the last line open; a folder that is not there is told."""
    file = tmp_path / "users"
    file.write_text(USERS)
    add("eve", "a long password", environment={"LEADLIGHT_USERS_FILE": str(file)})
    assert list(users_from({"LEADLIGHT_USERS_FILE": str(file)}).hashes) == ["ann", "bob", "eve"]
    with pytest.raises(LeadlightError, match="cannot be written"):
        add("eve", "a long password", environment={"LEADLIGHT_USERS_FILE": str(tmp_path / "gone" / "users")})


def test_a_trusted_header_needs_to_know_whose_word_it_is():
    """A header that anybody may send is no login."""
    with pytest.raises(LeadlightError, match=r"app\.trusted_proxies"):
        access_of(AppSettings(trusted_header="X-User"), host="0.0.0.0", environment={"LEADLIGHT_SECRET_KEY": SECRET})


@pytest.mark.parametrize("line", ["ann", "ann:plain", ":$argon2id$x", "a\tb:$argon2id$x"])
def test_lines_that_are_no_users_are_told_without_what_they_hold(line):
    """The message names the entry by number: it may hold a password."""
    with pytest.raises(LeadlightError, match="entry 1") as raised:
        users_from({"LEADLIGHT_USERS": line})
    assert "plain" not in str(raised.value)


def test_a_new_user_is_added_to_the_file_for_its_owner_alone(tmp_path):
    """The line is appended, readable for its owner; the same name is refused, and so is a short password."""
    file = tmp_path / "users"
    environment = {"LEADLIGHT_USERS_FILE": str(file)}
    assert "may log in" in add("ann", "a long password", environment=environment)
    assert file.stat().st_mode & 0o777 == 0o600
    assert users_from(environment).is_password("ann", "a long password")
    with pytest.raises(LeadlightError, match="already"):
        add("ann", "another password", environment=environment)
    with pytest.raises(LeadlightError, match="10 to 1024"):
        user_line("eve", "short")
    with pytest.raises(LeadlightError, match="without a colon"):
        add("a:b", "a long password", environment=environment)
    assert add("bob", "a long password", environment={}).startswith("bob:$argon2id$")


@pytest.mark.parametrize("path", PRIVATE)
def test_a_stranger_is_led_to_the_login(stranger, path):
    """No page is shown before the login, and the way back is remembered."""
    answer = stranger.get(f"{path}?grade=A")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2F")


@pytest.mark.parametrize("path", PRIVATE_API)
def test_a_strange_program_is_refused(stranger, path):
    """No data are given before the login, nor their form."""
    answer = stranger.get(f"/api/v1/{path}")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_logged_in"


def test_a_part_of_a_page_sends_a_stranger_to_the_login(stranger):
    """Where a session has ended meanwhile, the whole page goes to the login, not a part of it."""
    answer = stranger.get("/leads", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login"


def test_the_right_password_lets_in(stranger):
    """After the login pages open, and the log-out closes them, also for a copy of the cookie."""
    answer = log_in(stranger, next="/reports")
    assert (answer.status_code, answer.headers["location"]) == (303, "/reports")
    assert "ann" in stranger.get("/reports").text
    copied = {"Cookie": f"__Host-leadlight={stranger.http.cookies['__Host-leadlight']}"}
    assert stranger.post("/logout").status_code == 303
    assert stranger.get("/reports").status_code == 303
    stranger.http.cookies.clear()
    assert stranger.get("/reports", headers=copied).status_code == 303


@pytest.mark.parametrize(
    ("user", "password"), [("ann", "wrong"), ("eve", "right horse battery"), ("", ""), ("x" * 9000, "y")]
)
def test_the_wrong_password_does_not(stranger, user, password):
    """Neither a wrong password nor a name that nobody has is let in; both are told the same."""
    answer = log_in(stranger, user, password)
    assert answer.status_code == 403
    assert "Name and password do not go together." in answer.text
    assert stranger.get("/leads").status_code == 303


def test_a_login_begins_a_session_that_nobody_had_before(stranger):
    """A cookie planted before the login is worth nothing after it."""
    stranger.get("/login")
    planted = stranger.http.cookies["__Host-leadlight"]
    log_in(stranger)
    assert stranger.http.cookies["__Host-leadlight"] != planted
    stranger.http.cookies.clear()
    assert stranger.get("/leads", headers={"Cookie": f"__Host-leadlight={planted}"}).status_code == 303


def test_cookies_are_out_of_reach_of_scripts_and_of_plain_http(stranger, browser):
    """HttpOnly, SameSite and, where others can reach the app, Secure under a name that no other host can set."""
    outside = stranger.get("/login").headers["set-cookie"]
    assert re.fullmatch(r"__Host-leadlight=\S+; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure", outside)
    inside_cookie = browser.get("/leads").headers["set-cookie"]
    assert re.fullmatch(r"leadlight=\S+; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax", inside_cookie)


def test_a_new_password_ends_old_logins(browse, app_of, shared_settings, stranger):
    """A session made with the old password does not outlive it."""
    log_in(stranger)
    cookies = {"__Host-leadlight": stranger.http.cookies["__Host-leadlight"]}
    changed = {**OUTSIDE, "LEADLIGHT_USERS": f"ann:{CHEAP.hash('a new password')}"}
    app = app_of(shared_settings, host="0.0.0.0", environment=changed)
    other = browse(app, host="https://leads.example", Cookie=f"__Host-leadlight={cookies['__Host-leadlight']}")
    assert other.get("/leads").status_code == 303


def test_a_forged_or_old_cookie_is_none():
    """Signed with another secret, changed, or past its time: nobody is logged in."""
    sessions = Sessions(SECRET, seconds=60)
    cookie = sessions.write(sessions.begin("ann", "stamp"))
    assert sessions.read(cookie).user == "ann"
    assert Sessions("x" * 40, seconds=60).read(cookie) is None
    assert sessions.read(cookie[:-2] + "xx") is None
    assert Sessions(SECRET, seconds=-1).read(cookie) is None
    assert sessions.read("x" * 5000) is None


def test_whoever_guesses_waits(browse, guarded):
    """After five failures a user waits at that address, even with the right password; elsewhere nobody does."""
    guesser = browse(guarded, host="https://leads.example", address="10.0.0.66")
    for _ in range(5):
        assert log_in(guesser, password="wrong password").status_code == 403
    refused = log_in(guesser)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 301
    elsewhere = browse(guarded, host="https://leads.example", address="10.0.0.67")
    assert log_in(elsewhere).status_code == 303


def test_attempts_are_forgotten_in_time_and_kept_in_bounds():
    """A failure counts for as long as its limit says; a flood of names does not fill the memory."""
    now = SimpleNamespace(s=0.0)
    attempts = Attempts(lambda: now.s, of_both=Limit(2, 10), of_address=Limit(10**6, 1), of_user=Limit(10**6, 1))
    attempts.failed("ann", "a")
    attempts.failed("ann", "a")
    assert attempts.wait("ann", "a") == 11
    assert attempts.wait("ann", "b") == attempts.wait("bob", "a") == 0
    now.s = 10.5
    assert attempts.wait("ann", "a") == 0
    for number in range(MOST_KEPT):
        attempts.failed(f"user{number}", "a")
    assert len(attempts._failed) <= MOST_KEPT


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "\\\\", "/\nb", "/login"],
)  # fmt: skip
def test_a_login_leads_nowhere_but_inside(path):
    """Whatever an address says, nobody is sent to another site."""
    assert inside(path) == "/"


def test_a_login_leads_back_to_the_page_that_was_asked_for():
    """A page with its filters is where the login leads."""
    assert inside("/leads?grade=A&after=rank~3") == "/leads?grade=A&after=rank~3"


def test_a_proxys_word_counts_from_its_address_alone(browse, app_of, shared_settings):
    """The header names the user where the proxy sends it, and is nothing where anybody else does."""
    app = app_of(
        shared_settings, host="0.0.0.0", environment={"LEADLIGHT_SECRET_KEY": SECRET}, trusted_header="X-User",
        trusted_proxies=["10.1.0.0/16"],
    )  # fmt: skip
    proxied = browse(app, host="http://leads.example", address="10.1.2.3", **{"X-Forwarded-Proto": "https"})
    assert proxied.get("/api/v1/session", headers={"X-User": "ann"}).json()["user"] == "ann"
    assert "Secure" in proxied.get("/leads", headers={"X-User": "ann"}).headers["set-cookie"]
    assert proxied.get("/leads").status_code == 401
    other = browse(app, host="http://leads.example", address="10.2.2.3")
    assert other.get("/leads", headers={"X-User": "ann"}).status_code == 401
    assert other.get("/login").status_code == 404


def test_addresses_behind_a_proxy_are_those_that_it_saw(browse, app_of, shared_settings):
    """A client cannot escape the limit by writing addresses of its own before the proxy's."""
    app = app_of(shared_settings, host="0.0.0.0", environment=OUTSIDE, trusted_proxies=["10.1.0.1"])
    for number in range(6):
        guesser = browse(
            app, host="https://leads.example", address="10.1.0.1", **{"X-Forwarded-For": f"1.2.3.{number}, 9.9.9.9"}
        )
        status = log_in(guesser, password="wrong password").status_code
    assert status == 429


@pytest.mark.parametrize(
    "name", ["https://leads.example.com", "leads.example.com:8000", "leads.example.com/x", "*", ""]
)
def test_a_name_that_no_browser_would_send_is_refused(name):
    """A name with its scheme or port would be answered by nobody, and the page would say so to everyone."""
    with pytest.raises(ValueError, match="without https://"):
        AppSettings(hosts=[name])
    assert AppSettings(hosts=["leads.example.com", "[::1]"]).hosts
