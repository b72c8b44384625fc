"""Ingest: local clocks, days, sessions, attributes, owners of what visitors did, and the span of data."""

from copy import deepcopy

import pytest


def test_naive_times_follow_the_zone_through_daylight_saving(shop):
    """Times that do not exist move forward, ambiguous ones are the later instant, and both are counted."""
    shop.zone = "America/New_York"
    shop.write(
        "orders.csv", "id,customer,day,amount",
        "1,Ann,2024-01-10 12:00:00,1", "2,Ann,2024-03-10 02:30:00,1", "3,Ann,2024-11-03 01:30:00,1",
        "4,Ann,2024-07-01T12:00:00+02:00,1",
    )  # fmt: skip
    report = shop.ingest("2025-01-01")
    occurred = {row["row_id"]: row["occurred_at"] for row in shop.rows()}
    assert occurred == {
        "1": "2024-01-10 17:00", "2": "2024-03-10 07:30", "3": "2024-11-03 06:30", "4": "2024-07-01 10:00",
    }  # fmt: skip
    assert (report.tables["orders"].moved_times, report.tables["orders"].ambiguous_times) == (1, 1)


def test_a_day_occurs_at_its_first_and_is_known_at_its_last_microsecond(shop):
    """Date-only times follow the local calendar, also on days of 23 and 25 hours."""
    shop.zone = "America/New_York"
    shop.write("orders.csv", "id,customer,day,amount", "1,Ann,2024-03-10,1", "2,Ann,2024-11-03,1")
    shop.ingest("2025-01-01")
    found = [(row["occurred_at"], row["known_at"]) for row in shop.rows()]
    assert found == [("2024-03-10 05:00", "2024-03-11 03:59"), ("2024-11-03 04:00", "2024-11-04 04:59")]
    known = shop.read().timelines(0).tables["orders"]["known_at"].to_pylist()
    assert {moment.microsecond for moment in known} == {999_999}


def test_a_session_is_known_when_it_ends(shop):
    """started_at + duration, or thirty minutes where the duration is not known."""
    shop.write("visits.csv", "user,starts,secs", "Ann,2024-05-01 10:00:00,90", "Ann,2024-05-02 10:00:00,")
    shop.tables["sessions"] = {
        "path": "visits.csv",
        "columns": {"lead_id": "user", "started_at": "starts", "duration_s": "secs"},
    }
    shop.ingest()
    found = [(row["known_at"], row["duration"]) for row in shop.rows("sessions")]
    assert found == [("2024-05-01 10:01", 90_000), ("2024-05-02 10:30", None)]


LEADS = {"path": "leads.csv", "columns": {"lead_id": "id", "created_at": "since", "display_name": "name"}}


def test_attributes_without_a_time_are_left_out_until_there_are_versions(shop):
    """Static attributes are used from before the lead exists; others only once a second load shows a history."""
    shop.tables["leads"] = {
        **deepcopy(LEADS),
        "attributes": {"country": {"type": "text", "static": True}, "size": "number"},
    }
    shop.write("leads.csv", "id,since,name,country,size", "Ann,2024-04-01 00:00:00,Ann A.,PT,3")
    report = shop.ingest("2024-06-01")
    assert report.left_out == ("leads.size",)
    (row,) = shop.rows("attributes")
    assert (row["known_at"], row["country"], "size" in row) == ("2024-03-31 23:59", "PT", False)
    shop.write("leads.csv", "id,since,name,country,size", "Ann,2024-04-01 00:00:00,Ann A.,PT,4")
    assert shop.ingest("2024-06-02").left_out == ()
    found = [(r["known_at"], r["superseded_at"], r["country"], r["size"]) for r in shop.rows("attributes")]
    assert found == [
        ("2024-03-31 23:59", "2024-06-01 00:00", "PT", None),
        ("2024-06-01 00:00", "2024-06-02 00:00", "PT", 3.0),
        ("2024-06-02 00:00", None, "PT", 4.0),
    ]


def test_leads_exist_from_their_creation_or_their_first_known_row(shop):
    """The index holds leads of the table and those seen elsewhere, with their names where known."""
    shop.tables["leads"] = deepcopy(LEADS)
    shop.write("leads.csv", "id,since,name", "Ann,2024-05-02 00:00:00,Ann A.", "Zoe,2024-05-09 00:00:00,Zoe Z.")
    report = shop.ingest()
    leads = shop.read().timelines(0).leads.to_pylist()
    found = [(lead["lead_id"], lead["exists_from"].strftime("%m-%d %H"), lead["display_name"]) for lead in leads]
    assert found == [("Ann", "05-01 10", "Ann A."), ("Bob", "05-02 11", None), ("Zoe", "05-09 00", "Zoe Z.")]
    assert report.share_with["orders"] == pytest.approx(2 / 3)


def test_what_visitors_did_goes_to_their_leads(shop):
    """Linked rows are their owner's from the link on; strangers and shared visitors are counted, and nobody's."""
    shop.ingest_settings = {"max_leads_per_visitor": 2}
    shop.write(
        "views.csv", "cookie,at", "v,2024-05-01 10:00:00", "w,2024-05-01 11:00:00", "stranger,2024-05-01 12:00:00"
    )
    shop.write(
        "logins.csv", "cookie,user,at", "v,Ann,2024-05-03 00:00:00",
        "w,Ann,2024-05-03 00:00:00", "w,Bob,2024-05-04 00:00:00", "w,Cid,2024-05-05 00:00:00",
    )  # fmt: skip
    shop.tables["events"] = {
        "path": "views.csv", "columns": {"visitor_id": "cookie", "occurred_at": "at"}, "constants": {"type": "view"},
    }  # fmt: skip
    shop.tables["identities"] = {
        "path": "logins.csv", "columns": {"visitor_id": "cookie", "lead_id": "user", "linked_at": "at"},
    }  # fmt: skip
    report = shop.ingest()
    assert (report.shared_visitors, report.unlinked_rows) == (1, 1)
    found = [(r["lead"], r["known_at"], r["superseded_at"], r["link_bits"]) for r in shop.rows("events")]
    assert found == [("Ann", "2024-05-02 23:59", None, 1), ("Ann", "2024-05-02 23:59", "2024-05-04 23:59", 3)]
    assert shop.read().event_types == {"view"}


def test_the_span_of_data_is_what_the_config_says_or_what_was_known(shop):
    """Without settings the first and last known moments bound a table; a bare date includes its day."""
    shop.ingest()
    span = shop.read().coverage["orders"]
    assert (span.data_from, span.data_until) == (1_714_557_600_000_000, 1_714_737_600_000_000)
    shop.tables["orders"].update(data_from="2024-04-01", data_until="2024-05-31")
    report = shop.ingest().tables["orders"]
    assert (report.data_from, report.data_until) == ("2024-04-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00")


def test_no_load_covers_what_comes_after_it(shop):
    """A config that promises data until some far day counts until the newest load, and later rows are not late."""
    shop.tables["orders"]["data_until"] = "2030-01-01"
    report = shop.ingest("2024-06-01").tables["orders"]
    assert report.data_until == "2024-06-01T00:00:00+00:00"
    shop.write("orders.csv", "id,customer,day,amount", "4,Ann,2024-06-05 10:00:00,5")
    report = shop.ingest("2024-06-10").tables["orders"]
    assert report.data_until == "2024-06-10T00:00:00+00:00"
    assert [row["known_at"] for row in shop.rows() if row["row_id"] == "4"] == ["2024-06-05 10:00"]


def test_columns_of_the_shops_own_are_kept(shop):
    """Extra columns come along as text, number, time or day."""
    shop.write("orders.csv", "id,customer,day,amount,store,weight,until", "1,Ann,2024-05-01,1,Lisbon,2.5,2024-06-30")
    shop.tables["orders"]["extra"] = {
        "store": "text",
        "weight": "number",
        "ends_on": {"type": "date", "column": "until"},
    }
    shop.ingest()
    (row,) = shop.rows()
    assert (row["store"], row["weight"], row["ends_on"]) == ("Lisbon", 2.5, "2024-06-30 00:00")


def test_columns_are_read_selectively(shop):
    """A reader names what it needs of which tables; the keys always come along."""
    shop.ingest()
    tables = shop.read()
    assert tables.available["orders"] >= {"lead_no", "amount", "is_cancelled"}
    some = tables.timelines(0, columns={"orders": {"occurred_at"}}).tables
    assert "amount" not in some["orders"].column_names
    assert "superseded_at" in some["orders"].column_names
