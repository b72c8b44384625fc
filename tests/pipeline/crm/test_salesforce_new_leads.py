"""Salesforce where leads may be created: what a new record must have is told before the first row."""

import pytest

from fakes.salesforce import FakeSalesforce
from fakes.salesforce_records import described_field
from pipeline.crm.promise import CrmField, FieldType, PassingTicket
from support.salesforce_org import FIELDS, org, outcomes, rows

NAME = CrmField("LastName", FieldType.TEXT, length=40)
COMPANY = CrmField("Company", FieldType.TEXT, length=40)


@pytest.mark.parametrize(
    ("objects", "fields", "needed"),
    [
        (["Lead"], [], "Lead: a new record must have Company, LastName, which"),
        (["Lead"], [COMPANY], "Lead: a new record must have LastName, which"),
        (["Lead"], [COMPANY, NAME], ""),
        (["Contact"], [], "Contact: a new record must have LastName, which"),
        (["Contact"], [NAME], ""),
    ],
)
def test_what_a_new_record_must_have_is_told_before_the_first_row(tmp_path, objects, fields, needed):
    """Salesforce would turn away every lead that it does not know; one line names the fields and the way out."""
    with org(FakeSalesforce(), tmp_path, objects=objects, may_create=True) as connector:
        lines = connector.check([*FIELDS, *fields])
    assert len(lines) == bool(needed)
    assert all(line.startswith(needed) and "Leave `create` off" in line for line in lines)


def test_only_the_object_that_records_are_created_in_is_asked(tmp_path):
    """A contact is never created where leads come first."""
    with org(FakeSalesforce(), tmp_path, may_create=True) as connector:
        assert [line.partition(":")[0] for line in connector.check(FIELDS)] == ["Lead"]


def test_where_nothing_is_created_nothing_more_is_needed(tmp_path):
    """Leads that are there have their names."""
    with org(FakeSalesforce(), tmp_path) as connector:
        assert connector.check(FIELDS) == []


def test_an_orgs_own_required_field_counts_unless_it_has_a_default(tmp_path):
    """With person accounts a lead needs no company; a field of the org's own may be required too."""
    own = described_field("Region__c", "string", length=40, nillable=False)
    fake = FakeSalesforce(fields=[own])
    fake.leads.fields["Company"]["nillable"] = True
    with org(fake, tmp_path, objects=["Lead"], may_create=True) as connector:
        (line,) = connector.check([*FIELDS, NAME])
        assert line.startswith("Lead: a new record must have Region__c, which")
        fake.leads.fields["Region__c"]["defaultedOnCreate"] = True
        assert connector.check([*FIELDS, NAME]) == []
        fake.leads.fields["Region__c"] |= {"defaultedOnCreate": False, "createable": False, "updateable": False}
        assert connector.check([*FIELDS, NAME]) == []


@pytest.mark.parametrize("n", [3, 300])
def test_a_new_lead_without_a_name_is_refused_in_salesforces_words(tmp_path, n):
    """By calls and by jobs: if the org began to require more after the check, each row says what it lacks."""
    fake = FakeSalesforce(leads=n - 1)
    with org(fake, tmp_path, objects=["Lead"], may_create=True) as connector:
        answers = connector.send(rows(n), PassingTicket())
    refused = {answer.key: answer.words for answer in answers if answer.words}
    assert outcomes(answers)[f"C-{n}"] == "rejected REQUIRED_FIELD_MISSING"
    assert list(refused) == [f"C-{n}"]
    assert "Required fields are missing: [LastName, Company]" in refused[f"C-{n}"]
    assert len(fake.leads.records) == n - 1
