"""Users and passwords that a database's URL may hold are hidden wherever such a URL is repeated."""

import pytest

from features.errors import without_secrets

PASSWORDS = ("hunter2", "hun@ter2", "hun/ter2", "hun:ter2", "hun?ter2", "hun#ter2", "hun ter2", "h@un/t:er@2")


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_of_any_characters_is_hidden(password):
    """No part of it is left, though it was never percent-encoded; the host is."""
    said = without_secrets(f"no answer from 'postgresql://shop:{password}@db.example.com/crm' yet")
    assert said == "no answer from 'postgresql://…@db.example.com/crm' yet"


@pytest.mark.parametrize("name", ["password", "PASSWD", "sslpassword", "access_token", "api_key"])
def test_a_secret_among_the_parameters_is_hidden(name):
    """The other parameters are left."""
    said = without_secrets(f"mysql://db/crm?charset=utf8&{name}=hunter2&a=b")
    assert said == f"mysql://db/crm?charset=utf8&{name}=…&a=b"


@pytest.mark.parametrize("text", ["s3://exports/day@2024/leads.csv", "https://host:8080/crm?name=x", "ana and bob"])
def test_what_holds_no_secret_stays(text):
    """An address without a user is repeated as it is."""
    assert without_secrets(text) == text
