"""The database servers that tests start."""

import pytest


@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_each_database_is_new_and_empty(request, name):
    """Two tests that ask for a database share nothing."""
    server = request.getfixturevalue(name)
    one, other = server.database(), server.database()
    server.run("CREATE TABLE leads (id integer)", "INSERT INTO leads VALUES (1)", url=one)
    server.run("CREATE TABLE leads (id integer)", url=other)
    assert server.run("SELECT count(*) FROM leads", url=one) == [(1,)]
    assert server.run("SELECT count(*) FROM leads", url=other) == [(0,)]


@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_a_server_listens_on_loopback_alone(request, name):
    """No other machine can reach it."""
    server = request.getfixturevalue(name)
    assert server.admin.host == "127.0.0.1"
    assert server.without_password(server.database()).count(":") == 2
