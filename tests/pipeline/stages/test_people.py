"""Who the leads are, as it was known at a moment: for showing, out of reach of every feature."""

import json
from datetime import UTC, datetime

import pytest

from features.moments import to_us
from pipeline.histories import Histories

COLUMNS = {"lead_id": "id", "created_at": "since", "display_name": "name", "email": "mail", "consent": "agreed"}


@pytest.fixture
def people(shop):
    """Return a function that reads who the leads are at a day."""
    shop.tables["leads"] = {"path": "leads*.csv", "columns": dict(COLUMNS)}
    shop.write("leads1.csv", "id,since,name,mail,agreed", "Ann,2024-01-01,Ann Lee,ann@x.example,yes",
               "Bob,2024-01-02,Bob,,yes")  # fmt: skip

    def at(day):
        found = Histories(shop.settings()).people(as_of=to_us(datetime.fromisoformat(day).replace(tzinfo=UTC)))
        return {row.pop("lead_id"): row for row in found.to_pylist()}

    return at


def test_people_are_read_beside_the_tables(shop, people):
    """One row per lead with what the shop maps; none before a lead exists."""
    shop.ingest()
    assert people("2024-05-01") == {
        "Ann": {"display_name": "Ann Lee", "email": "ann@x.example", "consent": "yes"},
        "Bob": {"display_name": "Bob", "email": None, "consent": "yes"},
    }
    assert set(people("2024-01-02T12:00:00")) == {"Ann"}


def test_no_feature_can_read_them(shop, people):
    """What is known of people is no table that the catalog sees."""
    shop.ingest()
    tables = shop.read()
    assert "people" not in tables.available
    assert not {"email", "display_name", "consent"} & set().union(*tables.available.values())
    assert "people" not in tables.timelines(0).tables


def test_a_change_without_a_date_counts_at_once(shop, people):
    """Nothing says when the consent was withdrawn, so no moment is scored as if it still held."""
    shop.ingest("2024-06-01")
    shop.write("leads2.csv", "id,since,name,mail,agreed", "Ann,2024-01-01,Ann Lee,ann@x.example,no")
    shop.ingest("2024-06-10")
    assert people("2024-06-05")["Ann"]["consent"] == "no"


def test_a_change_with_a_date_counts_from_then_on(shop, people):
    """A run of before it is shown what was known then."""
    shop.tables["leads"]["columns"]["recorded_at"] = "told"
    shop.write(
        "leads1.csv", "id,since,name,mail,agreed,told", "Ann,2024-01-01,Ann,,yes,2024-01-01T10:00:00",
        "Ann,2024-01-01,Ann Lee,,no,2024-03-01T10:00:00",
    )  # fmt: skip
    shop.ingest()
    assert people("2024-03-01T09:00:00")["Ann"] == {"display_name": "Ann", "email": None, "consent": "yes"}
    assert people("2024-03-01T10:00:00")["Ann"] == {"display_name": "Ann Lee", "email": None, "consent": "no"}


def test_who_is_gone_from_the_whole_export_is_not_shown(shop, people):
    """A person that the shop no longer lists is forgotten here, at any moment."""
    shop.tables["leads"] |= {"mode": "full", "path": "leads1.csv"}
    shop.ingest("2024-06-01")
    shop.write("leads1.csv", "id,since,name,mail,agreed", "Bob,2024-01-02,Bob,,yes")
    shop.ingest("2024-06-10")
    assert set(people("2024-06-05")) == {"Bob"}


def test_a_workspace_of_before_knows_no_people_and_works(shop, people):
    """The manifest of an older ingest says nothing of people; nothing is read, nothing fails."""
    shop.ingest()
    path = shop.workspace.current_generation() / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["people"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert Histories(shop.settings()).people(as_of=to_us(datetime(2024, 6, 1, tzinfo=UTC))) is None


def test_without_a_table_of_leads_nobody_is_known(shop):
    """Orders alone name ids, not people."""
    shop.ingest()
    assert Histories(shop.settings()).people(as_of=to_us(datetime(2024, 6, 1, tzinfo=UTC))) is None
