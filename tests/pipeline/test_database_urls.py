"""A password never stands in a config, and one with a bare @ never passes for a host."""

import pytest

from features.errors import LeadlightError
from pipeline.database_links import address_of
from pipeline.database_urls import has_loose_at, holds_password
from pipeline.databases import own_address

LOOSE = [
    "postgresql://shop:hun@qzx2@db/crm",
    "postgresql://shop:@qzx2@db/crm",
    "mysql://ana@shop.com:hun@qzx2@db/crm",
    "postgresql://shop:hun@qzx2/x@db/crm",
    "postgresql://shop:hun@qzx:2@db/crm",
    "postgresql://shop:hun@qzx?2@db/crm",
]


@pytest.mark.parametrize("url", LOOSE)
def test_a_bare_at_in_a_password_is_refused_and_not_repeated(tmp_path, url):
    """What follows it would pass for the host, and stand in the driver's words; the hint says how to write it."""
    for opened in (
        lambda: address_of(url, place="LEADLIGHT_SQL_URL", folder=tmp_path),
        lambda: own_address(url, setting="LEADLIGHT_APP_DATABASE", folder=tmp_path),
    ):
        with pytest.raises(LeadlightError, match="%40 for @") as raised:
            opened()
        assert not any(part in str(raised.value) for part in ("hun", "qzx"))


@pytest.mark.parametrize(
    "url",
    ["postgresql://shop:hun%40ter2@db/crm", "postgresql://ana@shop.com:hunter2@db/crm", "postgresql://shop@db/crm", "sqlite:///a@b@c.db"],
)  # fmt: skip
def test_other_addresses_are_taken_as_they_are(url):
    """A password that is encoded, a user with an @, no password at all, a file."""
    assert not has_loose_at(url)


@pytest.mark.parametrize("url", [*LOOSE, "mysql://ana@shop.com:hunter2@db/crm", "mysql://u:a/b@db/crm"])
def test_a_password_is_seen_whatever_it_is_made_of(url):
    """Before the host, whatever characters stand in it."""
    assert holds_password(url)


def test_a_port_that_is_no_number_is_wrong_input(tmp_path):
    """It is told like any address that cannot be opened."""
    with pytest.raises(LeadlightError, match="no database that can be opened"):
        own_address("postgresql+pg8000://shop:hunter2@db:54x2/crm", setting="app.database", folder=tmp_path)
    with pytest.raises(LeadlightError, match="it is no URL"):
        address_of("postgresql+pg8000://shop:hunter2@db:54x2/crm", place="publish.ledger", folder=tmp_path)
