"""Later loads: new versions, late rows, cancellations and exports that replace."""

import pytest

from features.errors import LeadlightError

HEAD = "id,customer,day,amount"


def spans(shop, *names):
    """Return id, when a row became known, when it was replaced, and *names*."""
    rows = sorted(shop.rows(), key=lambda row: (row["row_id"], row["known_at"]))
    return [tuple(row[name] for name in ("row_id", "known_at", "superseded_at", *names)) for row in rows]


def test_a_changed_row_is_a_new_version_known_at_its_load(shop):
    """The same id with other content replaces the old version from the later load's moment on."""
    shop.write("orders.csv", HEAD, "1,Ann,2024-05-01 10:00:00,10")
    shop.ingest("2024-06-01")
    shop.write("orders.csv", HEAD, "1,Ann,2024-05-01 10:00:00,12")
    report = shop.ingest("2024-06-02")
    assert report.tables["orders"].new_versions == 1
    assert spans(shop, "amount") == [
        ("1", "2024-05-01 10:00", "2024-06-02 00:00", 100_000),
        ("1", "2024-06-02 00:00", None, 120_000),
    ]


def test_a_row_that_comes_late_is_known_at_its_load(shop):
    """A new row that occurred before the last load's data ended was unknown until it came; a newer one was not."""
    shop.write("orders.csv", HEAD, "1,Ann,2024-05-10 10:00:00,10")
    shop.ingest("2024-06-01")
    shop.write("orders.csv", HEAD, "2,Ann,2024-05-09 10:00:00,1", "3,Ann,2024-05-20 10:00:00,1")
    shop.ingest("2024-06-02")
    assert spans(shop, "occurred_at") == [
        ("1", "2024-05-10 10:00", None, "2024-05-10 10:00"),
        ("2", "2024-06-02 00:00", None, "2024-05-09 10:00"),
        ("3", "2024-05-20 10:00", None, "2024-05-20 10:00"),
    ]


def test_recorded_at_says_when_a_version_was_known(shop):
    """With recorded_at, versions of one load follow each other and later loads need no guess."""
    shop.tables["orders"]["columns"]["recorded_at"] = "seen"
    shop.write(
        "orders.csv", HEAD + ",seen",
        "1,Ann,2024-05-01 10:00:00,10,2024-05-02 00:00:00", "1,Ann,2024-05-01 10:00:00,12,2024-05-05 00:00:00",
    )  # fmt: skip
    shop.ingest("2024-06-01")
    shop.write("orders.csv", HEAD + ",seen", "1,Ann,2024-05-01 10:00:00,13,2024-05-07 00:00:00")
    shop.ingest("2024-06-02")
    assert spans(shop, "amount") == [
        ("1", "2024-05-02 00:00", "2024-05-05 00:00", 100_000),
        ("1", "2024-05-05 00:00", "2024-05-07 00:00", 120_000),
        ("1", "2024-05-07 00:00", None, 130_000),
    ]


def test_a_row_rewritten_without_a_new_recorded_at_is_known_at_its_load(shop):
    """Content that changed behind an old recorded_at cannot have been known before it was seen."""
    shop.tables["orders"]["columns"]["recorded_at"] = "seen"
    shop.write("orders.csv", HEAD + ",seen", "1,Ann,2024-05-01 10:00:00,10,2024-05-02 00:00:00")
    shop.ingest("2024-06-01")
    shop.write("orders.csv", HEAD + ",seen", "1,Ann,2024-05-01 10:00:00,99,2024-05-02 00:00:00")
    shop.ingest("2024-06-02")
    assert spans(shop, "amount")[1] == ("1", "2024-06-02 00:00", None, 990_000)
    assert not shop.ingest("2024-06-03").is_changed


def test_an_order_cancelled_later_is_a_sale_until_that_was_known(shop):
    """cancelled_at of the first load splits the order; one that comes with a later load is known at that load."""
    shop.tables["orders"]["columns"]["cancelled_at"] = "gone"
    shop.write(
        "orders.csv",
        HEAD + ",gone",
        "1,Ann,2024-05-01 10:00:00,10,2024-05-04 08:00:00",
        "2,Ann,2024-05-02 10:00:00,10,",
    )
    shop.ingest("2024-06-01")
    assert spans(shop, "is_cancelled")[:2] == [
        ("1", "2024-05-01 10:00", "2024-05-04 08:00", False),
        ("1", "2024-05-04 08:00", None, True),
    ]
    shop.write("orders.csv", HEAD + ",gone", "2,Ann,2024-05-02 10:00:00,10,2024-05-20 10:00:00")
    shop.ingest("2024-06-02")
    assert spans(shop, "is_cancelled")[2:] == [
        ("2", "2024-05-02 10:00", "2024-06-02 00:00", False),
        ("2", "2024-06-02 00:00", None, True),
    ]


def test_a_status_without_a_time_cancels_from_its_load_on(shop):
    """A state that carries no time is news of the load that brought it, unless the config says it was always so."""
    shop.tables["orders"]["columns"]["status"] = "state"
    shop.write("orders.csv", HEAD + ",state", "1,Ann,2024-05-01 10:00:00,10,Refunded")
    report = shop.ingest("2024-06-01")
    assert report.left_out == ("orders.status",)
    assert spans(shop, "is_cancelled") == [
        ("1", "2024-05-01 10:00", "2024-06-01 00:00", False),
        ("1", "2024-06-01 00:00", None, True),
    ]
    shop.tables["orders"]["static_status"] = True
    assert shop.ingest("2024-06-01").left_out == ()
    assert spans(shop, "is_cancelled", "status") == [("1", "2024-05-01 10:00", None, True, "Refunded")]


def test_equal_rows_with_one_id_count_once(shop):
    """Rows that repeat another in full are dropped and counted."""
    shop.write("orders.csv", HEAD, *["1,Ann,2024-05-01 10:00:00,10"] * 3)
    report = shop.ingest()
    assert (report.tables["orders"].kept, report.tables["orders"].repeats) == (1, 2)


def test_conflicting_rows_of_one_load_are_refused(shop):
    """One id with two contents in one load is refused, naming the id, the count and what to do."""
    shop.write("orders.csv", HEAD, "1,Ann,2024-05-01 10:00:00,10", "1,Ann,2024-05-01 10:00:00,11")
    with pytest.raises(
        LeadlightError, match=r"(?s)orders: 1 ids of order_id have different rows, such as 1.*Hint: one id"
    ):
        shop.ingest()
    assert shop.workspace.current() is None


def test_rows_without_ids_stay_apart_and_come_in_once(shop):
    """Equal rows of a file without ids are two purchases; the same file under another name adds nothing."""
    del shop.tables["orders"]["columns"]["order_id"]
    shop.tables["orders"]["path"] = "days"
    shop.write("days/1.csv", "customer,day,amount", "Ann,2024-05-01,5", "Ann,2024-05-01,5")
    assert shop.ingest("2024-06-01").tables["orders"].kept == 2
    shop.write("days/copy.csv", "customer,day,amount", "Ann,2024-05-01,5", "Ann,2024-05-01,5")
    assert not shop.ingest("2024-06-02").is_changed
    shop.write("days/2.csv", "customer,day,amount", "Ann,2024-05-02,6")
    assert shop.ingest("2024-06-03").tables["orders"].kept == 1


def test_a_changed_file_without_ids_is_refused_with_a_remedy(shop):
    """Without ids nobody can tell what changed: map an id, or say that it is the whole export."""
    del shop.tables["orders"]["columns"]["order_id"]
    shop.write("orders.csv", "customer,day,amount", "Ann,2024-05-01,5")
    shop.ingest("2024-06-01")
    shop.write("orders.csv", "customer,day,amount", "Ann,2024-05-01,6")
    with pytest.raises(
        LeadlightError, match=r"'orders.csv' has changed since it was read.*map order_id, or set `mode: full`"
    ):
        shop.ingest("2024-06-02")


def test_a_full_export_takes_back_what_it_no_longer_has(shop):
    """In full mode a vanished row is gone from its load on, an equal one stays, a new old one is late news."""
    del shop.tables["orders"]["columns"]["order_id"]
    shop.tables["orders"]["mode"] = "full"
    shop.write("orders.csv", "customer,day,amount", "Ann,2024-05-01,5", "Ann,2024-05-02,6")
    shop.ingest("2024-06-01")
    shop.write("orders.csv", "customer,day,amount", "Ann,2024-05-02,6", "Ann,2024-05-01,7")
    report = shop.ingest("2024-06-02")
    assert (report.tables["orders"].kept, report.tables["orders"].retracted) == (1, 1)
    found = sorted((row["amount"], row["known_at"], row["superseded_at"]) for row in shop.rows())
    assert found == [
        (50_000, "2024-05-01 23:59", "2024-06-02 00:00"),
        (60_000, "2024-05-02 23:59", None),
        (70_000, "2024-06-02 00:00", None),
    ]


def test_rows_from_the_future_are_set_aside_until_they_are_past(shop):
    """A row later than the load is turned away; one merely not known yet waits; the next load lets both in."""
    shop.ingest_settings = {"max_rejected_share": 0.5}
    shop.tables["orders"]["columns"]["ordered_at"] = {"column": "day", "type": "date"}
    shop.write("orders.csv", HEAD, "1,Ann,2024-05-01,1", "2,Ann,2024-05-31,1", "3,Ann,2024-06-02,1")
    report = shop.ingest("2024-05-31T12:00")
    orders = report.tables["orders"]
    assert (orders.kept, orders.waiting, orders.rejected) == (1, 1, {"later than the load": 1})
    assert shop.ingest("2024-06-03").tables["orders"].kept == 2


def test_a_mapping_may_change_while_nothing_is_lost_by_it(shop):
    """After one load the table is read anew; after two it is refused, and --rebuild starts over."""
    shop.write("orders.csv", HEAD + ",kind", "1,Ann,2024-05-01 10:00:00,10,toys")
    shop.ingest("2024-06-01")
    shop.tables["orders"]["columns"]["category"] = "kind"
    anew = ("orders: read anew as a first load, for the config maps it differently than before",)
    assert shop.ingest("2024-06-02").notes == anew
    assert shop.ingest("2024-06-02").notes == ()
    assert spans(shop, "category") == [("1", "2024-05-01 10:00", None, "toys")]
    shop.write("orders.csv", HEAD + ",kind", "2,Ann,2024-05-11 10:00:00,10,food")
    shop.ingest("2024-06-03")
    del shop.tables["orders"]["columns"]["category"]
    with pytest.raises(LeadlightError, match=r"(?s)orders: its facts of several loads.*--rebuild"):
        shop.ingest("2024-06-04")
    assert shop.ingest("2024-06-04", rebuild=True).tables["orders"].kept == 1
