"""Who the leads of a table are: kept for showing and for leaving people alone, read by no model."""

from datetime import UTC, datetime

import pytest

from features.errors import LeadlightError
from pipeline.lead_table.run import _signature
from pipeline.published.asks import Ask
from pipeline.published.editions import Published
from pipeline.stages.score import score

HEAD = "id,created,won,source,employees,full name,mail,may we"
PEOPLE = {"display_name": "full name", "email": "mail", "consent": "may we"}


@pytest.fixture
def known(leads):
    """A table of two leads whose names it tells."""
    leads.table["people"] = PEOPLE
    leads.write(
        HEAD, "1,2024-01-01,yes,web,5,Ann Lee,ann@x.example,yes", "2,2024-01-02,,mail,7,Bob Ray,bob@x.example,no"
    )
    leads.ingest()
    return leads


def told(leads):
    """Return who the leads are, by id."""
    rows = leads.data().people(as_of=0).to_pylist()
    return {row.pop("lead_id"): row for row in rows}


def test_who_a_lead_is_comes_with_it(known):
    """The named columns are kept under their canonical names."""
    assert told(known)["1"] == {"display_name": "Ann Lee", "email": "ann@x.example", "consent": "yes"}


def test_no_model_reads_who_a_lead_is(known):
    """With attributes left to us, names and addresses are not among them."""
    known.table["attributes"] = "auto"
    known.ingest("2024-06-02")
    assert not set(known.data().attributes) & {"full name", "mail", "may we"}


def test_who_gave_no_consent_is_held_and_shown_by_name(known):
    """The list says who a lead is, as far as the config allows, and that it is to be left alone."""
    known.more = {"points": {"card": "points.yaml"}, "app": {"personal": ["display_name"]}}
    (known.folder / "points.yaml").write_text("rules: [{name: web, group: fit, points: 5, attribute: source, is: web}]")
    known.write(HEAD, "3,2024-01-03,,web,7,Cid Fox,c@x.example,no", "4,2024-01-04,,web,7,Dan Elm,d@x.example,yes")
    known.ingest("2024-06-02")
    score(known.settings(), scored_at=datetime(2024, 6, 2, tzinfo=UTC))
    rows = {row.lead_id: row for row in Published(known.workspace).open().page(Ask()).rows}
    assert {lead: (row.display_name, row.email, list(row.held)) for lead, row in rows.items() if lead in "34"} == {
        "3": ("Cid Fox", None, ["no_consent"]), "4": ("Dan Elm", None, []),
    }  # fmt: skip


def test_a_newer_export_tells_the_newer_name(known):
    """Names change; the last export has the last word, and a lead that it lacks keeps its own."""
    known.write(HEAD, "1,2024-01-01,yes,web,5,Ann Moss,ann@x.example,yes", name="leads.csv")
    known.ingest("2024-06-02")
    assert {lead: row["display_name"] for lead, row in told(known).items()} == {"1": "Ann Moss", "2": "Bob Ray"}


def test_a_column_that_is_not_there_is_named(leads):
    """A misspelt column is refused with the nearest one, before anything is written."""
    leads.table["people"] = {"display_name": "ful name"}
    leads.write(HEAD, "1,2024-01-01,yes,web,5,Ann Lee,ann@x.example,yes")
    with pytest.raises(LeadlightError, match=r"people\.display_name.*full name"):
        leads.ingest()


def test_tables_that_name_nobody_stay_as_they_were(leads):
    """A workspace of before people could be named is not read anew: only what was said decides."""
    before = _signature(leads.settings().lead_table, zone="UTC")
    leads.table["people"] = {}
    assert _signature(leads.settings().lead_table, zone="UTC") == before == "1324942467c5bfa3"
    leads.table["people"] = PEOPLE
    assert _signature(leads.settings().lead_table, zone="UTC") != before
