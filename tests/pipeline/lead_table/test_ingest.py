"""A table of leads is read whole or not at all, twice is once, and a newer export has the last word."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import LeadlightError
from pipeline.stages import ingest as stage


def brief(rows: list[dict]) -> list[tuple]:
    """Return id, place, label and attributes of kept leads."""
    return [(row["lead_id"], row["place"], row["label"], row["source"], row["employees"]) for row in rows]


def test_each_row_becomes_a_lead(leads):
    """Ids, dates, labels in any case, attributes; an empty label is an open lead."""
    report = leads.ingest()
    assert brief(leads.kept()) == [
        ("a", 1, True, "ads", 10.0),
        ("b", 2, False, "mail", None),
        ("c", 3, False, "ads", 7.0),
        ("d", 4, None, None, 3.0),
    ]
    assert leads.kept()[0]["date"] == datetime(2024, 1, 1)
    assert (report.leads, report.share_with) == (4, {"a label": 0.75, "converted": 0.25})
    assert report.tables["lead_table"].kept == 4


def test_read_twice_is_read_once(leads):
    """The second run finds nothing new and leaves every byte of the workspace."""
    leads.ingest()
    before = leads.snapshot_of_files()
    again = leads.ingest("2024-07-01")
    assert not again.is_changed
    assert again.tables["lead_table"].unchanged == 4
    assert leads.snapshot_of_files() == before


def test_a_newer_export_has_the_last_word(leads):
    """Labels arrive, attributes change, leads come; who is no longer in it stays, at its place."""
    leads.ingest()
    leads.write(
        "id,created,source,employees,won", "e,2024-02-01,web,1,", "d,2024-01-04,shop,4,yes", "b,2024-01-02,mail,,no"
    )
    report = leads.ingest("2024-07-01").tables["lead_table"]
    assert (report.kept, report.new_versions, report.unchanged, report.retracted) == (1, 1, 3, 0)
    assert brief(leads.kept()) == [
        ("a", 1, True, "ads", 10.0),
        ("b", 2, False, "mail", None),
        ("c", 3, False, "ads", 7.0),
        ("d", 4, True, "shop", 4.0),
        ("e", 5, None, "web", 1.0),
    ]


def test_a_full_export_drops_who_is_not_in_it(leads):
    """With mode full the table is the newest file and nothing else."""
    leads.table["mode"] = "full"
    leads.ingest()
    leads.write("id,created,source,employees,won", "b,2024-01-02,mail,,yes")
    assert leads.ingest("2024-07-01").tables["lead_table"].retracted == 3
    assert [row["lead_id"] for row in leads.kept()] == ["b"]


def test_without_ids_the_rows_number_is_the_id(leads):
    """And the newest file is the whole table: nothing else knows row 4."""
    del leads.table["lead_id"]
    leads.ingest()
    assert [row["lead_id"] for row in leads.kept()] == ["1", "2", "3", "4"]
    leads.write("id,created,source,employees,won", "z,2024-01-09,mail,,yes")
    leads.ingest("2024-07-01")
    assert brief(leads.kept()) == [("1", 1, True, "mail", None)]


def test_of_several_files_the_last_by_name_holds(leads):
    """Exports pile up in a folder; the lead is as the newest one tells."""
    leads.table["path"] = "exports"
    leads.write(
        "id,created,source,employees,won", "a,2024-01-01,ads,1,", "b,2024-01-01,ads,1,no", name="exports/01.csv"
    )
    leads.write("id,created,source,employees,won", "a,2024-01-01,web,2,yes", name="exports/02.csv")
    leads.ingest()
    assert brief(leads.kept()) == [("b", 2, False, "ads", 1.0), ("a", 3, True, "web", 2.0)]


def test_equal_rows_count_once_and_different_ones_are_refused(leads):
    """One file tells one story of a lead."""
    head = "id,created,source,employees,won"
    leads.write(head, "a,2024-01-01,ads,1,no", "a,2024-01-01,ads,1,no", "b,2024-01-01,,,yes")
    assert leads.ingest().tables["lead_table"].repeats == 1
    leads.write(head, "a,2024-01-01,ads,1,no", "a,2024-01-01,ads,2,no", "x@y.eu,2024-01-01,,,", "x@y.eu,2024-01-02,,,")
    before = leads.snapshot_of_files()
    with pytest.raises(LeadlightError, match="2 leads stand in one file with different rows, such as a\n") as caught:
        leads.ingest()
    assert "x@y.eu" not in str(caught.value)
    assert leads.snapshot_of_files() == before


def test_rejected_rows_are_written_out_with_their_reason(leads):
    """A few unfit rows are set aside, each with what was read and why."""
    leads.more["ingest"] = {"max_rejected_share": 0.9}
    leads.write(
        "id,created,source,employees,won",
        ",2024-01-01,ads,1,no",
        "b,soon,ads,1,no",
        "c,2024-01-01,ads,many,no",
        "d,2024-01-01,ads,1,perhaps",
        "e,2024-09-01,ads,1,no",
        "f,,ads,1,no",
        "h\0,2024-01-01,ads,1,no",
        f"{'i' * 401},2024-01-01,ads,1,no",
        "g,2024-01-01,ads,1,no",
    )
    report = leads.ingest()
    assert report.tables["lead_table"].rejected == {
        "created is empty": 1,
        "created is later than the load": 1,
        "created is not a time": 1,
        "employees is not a number": 1,
        "id has over 400 characters": 1,
        "id holds a NUL character": 1,
        "id is empty": 1,
        "won is neither a conversion nor none": 1,
    }
    (path,) = report.rejects
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    assert (lines[0], len(lines)) == ("reason,file,id,created,source,employees,won,line", 9)
    assert "won is neither a conversion nor none,leads.csv,d,2024-01-01,ads,1,perhaps," in lines
    assert [row["lead_id"] for row in leads.kept()] == ["g"]


def test_converted_before_it_came_in_is_rejected(leads):
    """Such a lead cannot be predicted."""
    leads.table |= {"label": {"converted_at": "won"}, "horizon_days": 30}
    leads.more["ingest"] = {"max_rejected_share": 0.9}
    leads.write("id,created,source,employees,won", "a,2024-01-05,,1,2024-01-04", "b,2024-01-05,,1,2024-01-05")
    assert leads.ingest().tables["lead_table"].rejected == {"converted before it came in": 1}
    assert leads.kept()[0]["converted_at"] == datetime(2024, 1, 5)


def test_a_check_says_the_same_and_writes_nothing(leads):
    """No workspace comes to be."""
    assert leads.check().tables == leads.ingest().tables
    fresh = leads.folder / "elsewhere"
    leads.more = {"shop": {"name": "Test", "workspace": "elsewhere"}}
    leads.check()
    assert not fresh.exists()


def test_a_run_that_dies_leaves_the_table_as_it_was(leads, monkeypatch):
    """Nothing of the new export is seen, and the next run reads it."""
    leads.ingest()
    before = leads.snapshot_of_files()
    leads.write("id,created,source,employees,won", "z,2024-01-09,mail,,yes")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "_publish", die)
    with pytest.raises(KeyboardInterrupt):
        leads.ingest("2024-07-01")
    assert leads.snapshot_of_files() == before
    monkeypatch.undo()
    assert leads.ingest("2024-07-01").tables["lead_table"].kept == 1


def test_the_two_kinds_of_data_do_not_share_a_workspace(leads):
    """Whoever finds the other kind says so, and what to do."""
    leads.ingest()
    other = {"shop": {"name": "Test"}, "tables": {"orders": {"path": "orders.csv"}}}
    from pipeline.settings import parse

    settings = parse(other, place=leads.folder / "shop.yaml")
    with pytest.raises(LeadlightError, match=r"(?s)holds a lead table.*shop\.workspace"):
        stage.ingest(settings, now=datetime(2024, 6, 1, tzinfo=UTC))


def test_attributes_are_inferred_once_and_told(leads):
    """Words, numbers, codes with leading zeros; ids, times and what is empty are none, and each is told why."""
    leads.table |= {"attributes": "auto", "drop": ["secret"]}
    head = "id,created,source,employees,zip,name,seen,nothing,secret,vip,serial,won"
    rows = [
        f"{n},2024-01-01,{'ads' if n % 2 else 'web'},{n % 7},{n % 9:05d},Name {n},2024-02-0{n % 9 + 1},,x,true,{n},no"
        for n in range(80)
    ]
    leads.write(head, *rows)
    notes = " ".join(leads.ingest().notes)
    manifest = leads.workspace.lead_table()[1]
    assert manifest["attributes"] == {"source": "text", "employees": "number", "zip": "text", "vip": "text"}
    assert "3 words: source, zip, vip; 1 number: employees" in notes
    for said in ("name (nearly every lead has its own)", "seen (a time)", "nothing (empty)",
                 "serial (every lead has its own number)"):  # fmt: skip
        assert said in notes
    # What was inferred once holds: a later export in which a code looks like a number changes no kind.
    leads.write(head, *(row.replace(",0000", ",9000") for row in rows))
    leads.ingest("2024-07-01")
    assert leads.workspace.lead_table()[1]["attributes"] == manifest["attributes"]


def test_another_mapping_reads_anew_and_loses_nobody_silently(leads):
    """Leads that the newest export lacks would be lost: that is refused, unless asked for."""
    leads.ingest()
    leads.write("id,created,source,employees,won", "b,2024-01-02,mail,,no")
    leads.ingest("2024-07-01")
    leads.table["attributes"] = {"source": "text"}
    with pytest.raises(LeadlightError, match="3 leads are no longer in it"):
        leads.ingest("2024-08-01")
    leads.ingest("2024-08-01", rebuild=True)
    assert [row["lead_id"] for row in leads.kept()] == ["b"]


def test_a_query_keeps_its_order(leads):
    """Row after row as the query answers."""
    leads.table |= {"path": "", "query": "SELECT * FROM '{data}/leads.csv' ORDER BY id DESC"}
    leads.ingest()
    assert [row["lead_id"] for row in leads.kept()] == ["d", "c", "b", "a"]


def test_the_manifest_is_json_that_a_person_can_read(leads):
    """It says when the table was read, and what was made of it."""
    leads.ingest()
    folder, manifest = leads.workspace.lead_table()
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8")) == manifest
    assert (manifest["kind"], manifest["loaded_at"], manifest["number"]) == (
        "lead_table", "2024-06-01T00:00:00+00:00", 1,
    )  # fmt: skip
