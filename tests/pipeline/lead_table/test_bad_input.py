"""What is wrong with a table of leads is said all at once, with the next step."""

import pytest

from features.errors import LeadlightError
from pipeline.stages.train import train


def refused(leads, *said: str) -> str:
    """Check that the table is refused with each of *said*, and leaves no workspace."""
    with pytest.raises(LeadlightError) as caught:
        leads.ingest()
    text = str(caught.value)
    assert "\n\nHint: " in text
    for part in said:
        assert part in text
    assert not (leads.folder / "workspace" / "tables" / "current.json").exists()
    return text


def test_all_missing_columns_are_named_with_the_nearest(leads):
    """Id, date, label and attribute: four renames, one message."""
    leads.table |= {"lead_id": "lead_nr", "date": "created_", "label": {"column": "wonn"}}
    leads.table["attributes"] = {"source_": "text", "employees": "number"}
    refused(
        leads,
        "lead_id   (mapped to 'lead_nr', which is not there",
        "date   (mapped to 'created_', which is not there; did you mean 'created'?)",
        "label.column   (mapped to 'wonn', which is not there; did you mean 'won'?)",
        "attributes.source_   (mapped to 'source_', which is not there; did you mean 'source'?)",
    )


def test_columns_to_drop_or_guard_must_exist(leads):
    """A misspelt leak would stay in, and a misspelt sensitive attribute would be read."""
    leads.table |= {"attributes": "auto", "drop": ["employee"], "sensitive": ["Source"]}
    refused(leads, "drop.employee", "did you mean 'employees'", "sensitive.Source", "did you mean 'source'")


def test_an_inferred_attribute_that_is_gone_is_told_with_the_way_on(leads):
    """Nobody mapped it, so there is no name to correct: the table is read anew without it."""
    leads.table["attributes"] = "auto"
    leads.ingest()
    leads.write("id,created,employees,won", "a,2024-01-01,10,yes", "b,2024-01-02,7,no")
    with pytest.raises(LeadlightError, match="source   \\(an attribute so far, and no longer in the table"):
        leads.ingest("2024-07-01")
    assert "taken as attributes: 1 number: employees" in leads.ingest("2024-07-01", rebuild=True).notes


def test_strange_outcomes_are_shown(leads):
    """Stages that nobody listed are named, so that they can be."""
    rows = [f"{n},2024-01-01,ads,1,{'Negotiation' if n % 2 else 'yes'}" for n in range(20)]
    leads.write("id,created,source,employees,won", *rows)
    refused(leads, "10 rows: won is neither a conversion nor none (such as Negotiation: list them under label.positive")
    leads.table["label"] = {"column": "won", "open": ["negotiation"]}
    assert leads.ingest().share_with == {"a label": 0.5, "converted": 0.5}


def test_too_many_unfit_rows_are_refused_with_remedies(leads):
    """Each reason is counted and answered."""
    leads.write("id,created,source,employees,won", 'a,01/02/2024,ads,"1,5",no', 'b,02/02/2024,ads,"2,5",no')
    refused(leads, "2 of 2 rows (100.0%) would be rejected", "created is not a time (say how it is written")
    leads.table |= {"date": {"column": "created", "format": "%d/%m/%Y"}, "decimal": ","}
    leads.ingest()
    assert [row["employees"] for row in leads.kept()] == [1.5, 2.5]


@pytest.mark.parametrize("lines", [[], ["id,created,source,employees,won"]], ids=["no header", "no rows"])
def test_an_empty_table_is_refused(leads, lines):
    """Without rows there is nothing to learn from."""
    leads.write(*lines)
    refused(leads, "has no header" if not lines else "it is empty")
    leads.table["attributes"] = "auto"
    refused(leads, "has no header" if not lines else "it is empty: its source has no rows")


def test_a_missing_file_and_a_wrong_delimiter_are_named(leads):
    """As for any source."""
    leads.table["path"] = "lead.csv"
    refused(leads, "did you mean 'leads.csv'?", "`path` and `data`")
    leads.table |= {"path": "leads.csv", "delimiter": ";"}
    refused(leads, "has one column when parted by semicolon")


def test_numbers_as_dates_need_their_unit(leads):
    """A date that is a number since 1970 is refused until the config says in which unit."""
    leads.table |= {
        "path": "",
        "query": "SELECT 'a' AS id, 1714557600 AS created, 'x' AS source, 1 AS employees, 1 AS won",
    }
    refused(leads, "('created' holds numbers: say `date: {column: created, unit: s}`")
    leads.table["date"] = {"column": "created", "unit": "s"}
    leads.ingest()
    assert leads.kept()[0]["label"] is True


def test_outcomes_that_are_all_the_same_are_told(leads):
    """Nothing can be learned yet; labels may arrive later."""
    leads.write("id,created,source,employees,won", "a,2024-01-01,ads,1,no", "b,2024-01-02,ads,2,no")
    assert any("none converted" in note for note in leads.ingest().notes)
    leads.write("id,created,source,employees,won", "a,2024-01-01,ads,1,", "b,2024-01-02,ads,2,")
    assert any("'won' is empty throughout" in note for note in leads.ingest("2024-07-01").notes)


def test_a_report_by_nothing_is_refused_before_the_work_begins(leads):
    """A name under report.segments that no lead has stops the training at its first step."""
    leads.ingest()
    leads.more = {"report": {"segments": ["source_"]}}
    steps = []
    with pytest.raises(LeadlightError, match=r"source_ \(did you mean 'source'\?\)\n\nHint: .*lead_table.attributes"):
        train(leads.settings(), progress=lambda *step: steps.append(step))
    assert steps == []
