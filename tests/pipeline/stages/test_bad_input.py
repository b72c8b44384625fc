"""Bad input: said once, whole, with table, column, count and remedy; the workspace stays as it was."""

import pytest

from features.errors import LeadlightError

HEAD = "id,customer,day,amount"
GOOD = [f"g{n},Ann,2024-05-01 10:00:00,1" for n in range(20)]


def refused(shop, *parts):
    """Ingest, and see the refusal name every one of *parts* and leave no workspace behind."""
    with pytest.raises(LeadlightError) as caught:
        shop.ingest()
    text = str(caught.value)
    for part in (*parts, "\n\nHint: "):
        assert part in text, text
    assert shop.workspace.current() is None
    assert list(shop.workspace.tables_folder.glob("generation*")) == []
    return text


def test_missing_and_renamed_columns_of_all_tables_are_named_at_once(shop):
    """Every lacking column is listed with its likely new name, for all tables in one message."""
    shop.write("orders.csv", "id,customer,ordered,total", "1,Ann,2024-05-01,3")
    shop.write("visits.csv", "user,starts", "Ann,2024-05-01")
    shop.tables["orders"]["columns"]["ordered_at"] = "orderd"
    shop.tables["sessions"] = {"path": "visits.csv", "columns": {"lead_id": "user"}}
    refused(
        shop, "ordered_at   (mapped to 'orderd', which is not there; did you mean 'ordered'?)", "amount",
        "sessions: lacks", "started_at   (found 'starts': a rename?)",
    )  # fmt: skip


def test_a_missing_file_is_named_with_its_neighbour(shop):
    """A path that is not there is named with the file that was likely meant."""
    shop.tables["orders"]["path"] = "order.csv"
    text = refused(
        shop, "There is no file, folder or glob", "did you mean 'orders.csv'?", "give the folder with --data"
    )
    assert "tables.NAME.columns" not in text


def test_each_kind_of_fault_keeps_its_remedy(shop):
    """Where one source is missing and another misnamed, both ways out are told."""
    shop.tables["orders"]["columns"]["ordered_at"] = "dya"
    shop.tables["sessions"] = {"path": "visits.csv"}
    refused(shop, "did you mean 'day'?", "tables.NAME.columns", "visits.csv", "give the folder with --data")


def test_a_file_that_may_not_be_read_is_named(shop, monkeypatch):
    """A file of another user is a matter of permissions, not a fault of ours."""

    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pipeline.sources.files._fingerprint", denied)
    refused(shop, "orders.csv' may not be read", "let the user who runs Leadlight read it")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,,2024-05-01,1", "lead_id is empty"),
        ("x,A\0nn,2024-05-01,1", "lead_id holds a NUL character"),
        (f"x,{'A' * 401},2024-05-01,1", "lead_id has over 400 characters"),
        ("x,Ann,yesterday,1", "ordered_at is not a time"),
        ("x,Ann,,1", "ordered_at is empty"),
        ("x,Ann,2024-07-01,1", "later than the load"),
        ("x,Ann,2024-05-01,-5", "amount is negative"),
        ("x,Ann,2024-05-01,inf", "amount is not finite"),
        ("x,Ann,2024-05-01,nan", "amount is not finite"),
        ("x,Ann,2024-05-01,ten", "amount is not a number"),
        ("x,Ann,2024-05-01,1e30", "amount is too large"),
        (",Ann,2024-05-01,1", "order_id is empty"),
        ("x,Ann,2024-05-01,1,2,3", "the line is malformed"),
    ],
)
def test_an_unfit_row_is_set_aside_with_its_reason(shop, line, reason):
    """Below the allowed share the row lies in rejects/ with the reason, and the rest is let in."""
    shop.ingest_settings = {"max_rejected_share": 0.05}
    shop.write("orders.csv", HEAD, *GOOD, line)
    report = shop.ingest()
    assert report.tables["orders"].rejected == {reason: 1}
    assert report.tables["orders"].kept == 20
    (path,) = (shop.folder / "workspace" / "rejects").iterdir()
    assert reason in path.read_text()
    assert report.has_rejects


def test_too_many_unfit_rows_stop_everything(shop):
    """Past the share all reasons are listed with counts and remedies, and nothing is written."""
    shop.write("orders.csv", HEAD, *GOOD, "x,,2024-05-01,1", "y,Ann,2024-05-01,-1", "z,Ann,2024-05-01,-2")
    refused(
        shop, "orders: 3 of 23 rows (13.0%) would be rejected", "2 rows: amount is negative (map refunds",
        "1 rows: lead_id is empty", "max_rejected_share",
    )  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_a_name(shop):
    """A file that begins with a byte order mark is read like any other."""
    shop.write("orders.csv", HEAD, *GOOD, encoding="utf-8-sig")
    assert shop.ingest().tables["orders"].kept == 20


def test_another_encoding_is_named_and_can_be_set(shop):
    """Rows that are not UTF-8 are refused as malformed with the setting to change, and read with it."""
    shop.write("orders.csv", HEAD, "1,José,2024-05-01,1", encoding="latin-1")
    refused(shop, "the line is malformed", "tables.*.encoding")
    shop.tables["orders"]["encoding"] = "latin-1"
    shop.ingest()
    assert shop.rows()[0]["lead"] == "José"


def test_utf_16_is_read_as_far_as_it_can_be_and_refused_beyond(shop):
    """Little-endian UTF-16 is read; what the reader would drop or stumble over gets a way out instead."""
    shop.tables["orders"]["encoding"] = "utf-16"
    shop.write("orders.csv", HEAD, "1,José,2024-05-01,1", encoding="utf-16")
    assert shop.check().tables["orders"].kept == 1
    shop.write("orders.csv", HEAD, "1,\N{GRINNING FACE},2024-05-01,1", encoding="utf-16")
    refused(shop, "The rows of table 'orders' are not utf-16", "save its files as UTF-8")
    shop.write("orders.csv", "\N{BYTE ORDER MARK}" + HEAD, "1,José,2024-05-01,1", encoding="utf-16-be")
    refused(shop, "The header of 'orders.csv' is not little-endian utf-16", "save it as UTF-8")


def test_a_wrong_delimiter_is_named(shop):
    """A delimiter in the config that does not part the header is named beside the one that would."""
    shop.write("orders.csv", *(line.replace(",", ";") for line in (HEAD, *GOOD)))
    assert shop.check().tables["orders"].kept == 20
    shop.tables["orders"]["delimiter"] = ","
    refused(shop, "has one column when parted by comma", "semicolon")


def test_decimal_commas_are_read_where_the_config_says_so(shop):
    """1.234,50 means 1234.5 once the decimal sign is set."""
    shop.write("orders.csv", HEAD.replace(",", ";"), "1;Ann;2024-05-01;1.234,50")
    refused(shop, "amount is not a number", "tables.*.decimal")
    shop.tables["orders"]["decimal"] = ","
    shop.ingest()
    assert shop.rows()[0]["amount"] == 12_345_000


@pytest.mark.parametrize("lines", [[], [HEAD]], ids=["no header", "no rows"])
def test_an_empty_table_is_refused(shop, lines):
    """A table without header or rows is no table."""
    shop.write("orders.csv", *lines)
    refused(shop, "orders")


def test_a_broken_file_is_named(shop):
    """A Parquet file cut short is named as unreadable, without a traceback of a library."""
    shop.write("orders.parquet", "PAR1 and then nothing")
    shop.tables["orders"]["path"] = "orders.parquet"
    refused(shop, "'orders.parquet' cannot be read")


def test_a_query_that_fails_is_quoted(shop):
    """DuckDB's reason is shown, and where the query stands in the config."""
    shop.tables["orders"] = {"query": "SELECT nothing FROM '{data}/orders.csv'"}
    refused(shop, "The query of table 'orders' fails", "nothing")


def test_numbers_as_times_need_their_unit(shop):
    """A time that is a number since 1970 is refused until the config says in which unit."""
    shop.tables["orders"] = {"query": "SELECT 'Ann' AS lead_id, 1714557600 AS ordered_at, 1 AS amount"}
    refused(shop, "'ordered_at' holds numbers: say `ordered_at: {column: ordered_at, unit: s}`")
    shop.tables["orders"]["columns"] = {"ordered_at": {"column": "ordered_at", "unit": "s"}}
    shop.ingest()
    assert shop.rows()[0]["occurred_at"] == "2024-05-01 10:00"


@pytest.mark.parametrize("number", ["1714557600.5", "17145::USMALLINT"])
def test_numbers_of_every_type_need_their_unit_as_times(shop, number):
    """Decimals and unsigned numbers are no more times than integers are."""
    shop.tables["orders"] = {"query": f"SELECT 'Ann' AS lead_id, {number} AS ordered_at, 1 AS amount"}
    refused(shop, "'ordered_at' holds numbers: say `ordered_at: {column: ordered_at, unit: s}`")


def test_a_number_as_a_time_of_the_shops_own_gets_a_remedy_that_exists(shop):
    """Extra columns have no unit, so another way is told."""
    shop.tables["orders"]["extra"] = {"ends_at": {"type": "time", "column": "seconds"}}
    shop.tables["orders"]["path"], shop.tables["orders"]["query"] = (
        "",
        ("SELECT *, 1714557600 AS seconds FROM '{data}/orders.csv'"),
    )
    text = refused(shop, "ends_at   ('seconds' holds numbers: say `type: number`")
    assert "unit" not in text


def test_addresses_of_people_are_never_shown(shop):
    """An id that looks like an e-mail address stays out of the message."""
    shop.write("orders.csv", HEAD, "a@b.de,Ann,2024-05-01,1", "a@b.de,Ann,2024-05-01,2")
    assert "a@b.de" not in refused(shop, "1 ids of order_id have different rows")


def test_a_stray_line_end_is_told_as_one(shop):
    """A carriage return inside a line makes no CSV, and is no fault of ours."""
    path = shop.folder / "orders.csv"
    path.write_bytes(
        b"id,customer,day,amount\r\n1,Ann,2024-05-01 10:00:00,10\r\n" + b"2,Bob,2024-05-02,1\n3,C\rc,2,3\n"
    )
    with pytest.raises(LeadlightError, match=r"(?s)orders.*CSV.*line end"):
        shop.ingest()


def test_history_that_comes_later_is_said_to_count_from_now_on(shop):
    """Rows older than what was loaded before are known from their load on; when they are most, that is said once."""
    shop.tables["orders"]["path"] = "orders*.csv"
    shop.ingest("2024-06-01")
    shop.write("orders2.csv", "id,customer,day,amount", "8,Ann,2024-05-02 10:00:00,5", "9,Bob,2024-05-03 09:00:00,5")
    (note,) = [note for note in shop.ingest("2024-06-02").notes if "--rebuild" in note]
    assert note.startswith("orders: 2 of 2 new rows")
    assert not [note for note in shop.ingest("2024-06-03").notes if "--rebuild" in note]


def test_a_password_in_a_query_is_not_repeated(shop):
    """The message of a query that fails shows the query, but not who logs in with what."""
    query = "SELECT * FROM read_csv('postgres://user:hunter2@host/db.csv') WHERE nothing ( "
    shop.tables["orders"] = {**{k: v for k, v in shop.tables["orders"].items() if k != "path"}, "query": query}
    with pytest.raises(LeadlightError, match="query") as caught:
        shop.ingest()
    assert "hunter2" not in str(caught.value)
