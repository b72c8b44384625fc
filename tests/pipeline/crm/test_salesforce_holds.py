"""Holds in Salesforce: heard at every record of a lead, let go at the last of them, and never overheard in silence."""

import pytest

from fakes.salesforce import FakeSalesforce
from fakes.salesforce_records import described_field
from pipeline.crm.promise import Outcome, PassingTicket
from pipeline.crm.trouble import StopError, StopReason
from support.salesforce_org import KEY, org, paths, row

STOP = "Stop__c"
FIELDS = [described_field(STOP, "string", length=255)]


def later(fake, record, values):
    """Let somebody write at a record, an hour after all that was written before."""
    for table in fake.tables.values():
        table.seconds += 3600
    (table,) = [one for one in fake.tables.values() if record in one.records]
    table.put(record, values)


def strangers(fake):
    """Let two people come in an hour later, so that nothing before them is read again."""
    for table in fake.tables.values():
        table.seconds += 3600
        table.add(f"X-{len(table.records)}-{table.name}")


def heard(connector, cursor="", names=(STOP, "OwnerId")):
    """Return what each key's records say of a hold in the pages after a cursor, and where to go on."""
    said = {}
    while True:
        page = connector.changes(cursor, names)
        said |= {record.key: record.fields[STOP] for record in page.records}
        cursor = page.cursor
        if not page.is_more:
            return said, cursor


def pages(connector, names):
    """Return all records of the pages from the beginning."""
    cursor, is_more, records = "", True, []
    while is_more:
        page = connector.changes(cursor, names)
        records, cursor, is_more = [*records, *page.records], page.cursor, page.is_more
    return records


@pytest.fixture
def fake():
    """Return an org with the lead C-1, a contact that carries the same key, and others."""
    made = FakeSalesforce(leads=2, contacts=1, fields=FIELDS)
    made.contacts.add("C-1")
    return made


@pytest.fixture
def connector(fake, tmp_path):
    """Return a connector that knows by which field people hold leads."""
    with org(fake, tmp_path, override=STOP) as made:
        yield made


def records_of(fake, key):
    """Return the lead and the contact that carry a key."""
    return [*fake.leads.with_key(key), *fake.contacts.with_key(key)]


@pytest.mark.parametrize("held", [0, 1], ids=["lead held", "contact held"])
def test_a_hold_at_one_of_two_records_outlives_a_touch_of_the_other(fake, connector, held):
    """The lead and a contact carry one key: whoever is touched, what the other says counts until it is taken back."""
    records = records_of(fake, "C-1")
    later(fake, records[held], {STOP: "yes"})
    strangers(fake)
    _, cursor = heard(connector)
    later(fake, records[1 - held], {"OwnerId": "Eve"})
    said, cursor = heard(connector, cursor)
    assert said["C-1"] == "yes"
    later(fake, records[held], {STOP: None})
    assert heard(connector, cursor)[0]["C-1"] is None


@pytest.mark.parametrize("with_key", [False, True])
def test_a_hold_outlives_the_leads_conversion(tmp_path, with_key):
    """Its contact begins with nothing, and says no later; the lead still says what it said."""
    fake = FakeSalesforce(leads=1, fields=FIELDS)
    with org(fake, tmp_path, override=STOP) as connector:
        later(fake, fake.leads.records[0], {STOP: "yes"})
        strangers(fake)
        _, cursor = heard(connector)
        contact = fake.contacts.with_id(fake.convert("C-1", with_key=with_key))
        said, cursor = heard(connector, cursor)
        assert said["C-1"] == "yes"
        later(fake, contact, {STOP: "no"})
        assert heard(connector, cursor)[0]["C-1"] == "no; yes"


def test_a_hold_at_another_contact_of_a_converted_leads_key_counts(tmp_path):
    """The lead was converted to a contact without the key, and another contact carries it: each of them is asked."""
    fake = FakeSalesforce(leads=1, fields=FIELDS)
    converted_to = fake.contacts.with_id(fake.convert("C-1"))
    other = fake.contacts.add("C-1")
    with org(fake, tmp_path, override=STOP) as connector:
        for held, touched in ((other, converted_to), (converted_to, other)):
            later(fake, held, {STOP: "yes"})
            strangers(fake)
            _, cursor = heard(connector)
            later(fake, touched, {"OwnerId": "Eve"})
            assert heard(connector, cursor)[0]["C-1"] == "yes"
            later(fake, held, {STOP: None})


def test_a_hold_at_a_contact_counts_for_its_own_key_and_for_its_leads(tmp_path):
    """A lead was converted to a contact that carries another lead's key: both are held."""
    fake = FakeSalesforce(leads=1, contacts=1, fields=FIELDS)
    contact = fake.contacts.records[0]
    fake.leads.convert(fake.leads.records[0], fake.contacts.id_of(contact))
    fake.contacts.put(contact, {STOP: "yes"})
    with org(fake, tmp_path, override=STOP) as connector:
        assert heard(connector)[0] == {"C-1": "yes", "P-1": "yes"}


@pytest.mark.parametrize(
    ("lead", "contact", "told"),
    [
        (False, False, "false"),
        (False, True, "false; true"),
        (True, False, "false; true"),
        ("No", " no ", "no"),
        ("no", None, "no"),
        (None, None, None),
    ],
)
def test_what_two_records_say_is_told_whole(fake, connector, lead, contact, told):
    """Two words are told as one that is neither, in one order; one word that both say stays that word."""
    for record, word in zip(records_of(fake, "C-1"), (lead, contact), strict=True):
        later(fake, record, {STOP: word})
        said = heard(connector)[0]["C-1"]
    assert (said and said.lower()) == told


def test_what_is_heard_of_records_told_apart_by_their_id(tmp_path):
    """A converted lead and its contact have an Id each: what the contact says counts for both."""
    fake = FakeSalesforce(leads=1, fields=FIELDS)
    contact_id = fake.convert("C-1")
    fake.contacts.put(fake.contacts.records[0], {STOP: "yes"})
    with org(fake, tmp_path, override=STOP, key="Id") as connector:
        lead_id = fake.leads.id_of(fake.leads.records[0])
        assert heard(connector)[0] == dict.fromkeys([lead_id, lead_id[:15], contact_id, contact_id[:15]], "yes")


def test_a_hold_is_heard_by_every_id_that_is_written(tmp_path):
    """Reports show 15 letters of an Id, the API 18: whichever the shop knows its lead by, it is told as held."""
    fake = FakeSalesforce(leads=1, fields=FIELDS)
    lead = fake.leads.records[0]
    later(fake, lead, {STOP: "yes"})
    ids = [fake.leads.id_of(lead), fake.leads.id_of(lead)[:15]]
    with org(fake, tmp_path, override=STOP, key="Id") as connector:
        for lead_id in ids:
            (answer,) = connector.send([row(lead_id)], PassingTicket())
            assert answer.outcome is Outcome.WRITTEN
        assert heard(connector)[0] == dict.fromkeys(ids, "yes")


def test_a_converted_leads_contact_is_found_by_the_leads_id(tmp_path):
    """What the contact says counts also where nobody but the lead was touched, and is what the lead is read to hold."""
    fake = FakeSalesforce(leads=1, fields=FIELDS)
    lead = fake.leads.records[0]
    contact = fake.contacts.with_id(fake.convert("C-1"))
    later(fake, contact, {STOP: "yes"})
    strangers(fake)
    with org(fake, tmp_path, override=STOP, key="Id") as connector:
        _, cursor = heard(connector)
        later(fake, lead, {"OwnerId": "Eve"})
        lead_id = fake.leads.id_of(lead)
        assert heard(connector, cursor)[0][lead_id] == "yes"
        assert connector.read([lead_id], [STOP])[lead_id].fields == {STOP: "yes"}


def test_a_page_of_changes_takes_few_calls(tmp_path):
    """However many records changed, their other records are asked for together, five questions a call."""
    fake = FakeSalesforce(leads=1_500, fields=FIELDS)
    for number in range(1, 501):
        fake.convert(f"C-{number}")
    for number in range(501, 1_001):
        fake.contacts.add(f"C-{number}")
    with org(fake, tmp_path, override=STOP) as connector:
        connector.changes("", [STOP])
        fake.calls.clear()
        pages = connector.changes("", [STOP])
        assert paths(fake) == ["GET /query", "POST /composite"]
        fake.calls.clear()
        connector.changes(pages.cursor, [STOP])
        assert paths(fake) == ["GET /query", "POST /composite", "GET /query"]


@pytest.mark.parametrize("blind", ["Lead", "Contact"])
def test_an_override_that_one_object_hides_stops_before_anybody_is_written(fake, connector, blind):
    """Its holds would go unheard: the object, the field, its place in the config and the way out are told."""
    fake.hidden = {f"{blind}.{STOP}"}
    with pytest.raises(StopError) as stopped:
        heard(connector)
    assert stopped.value.reason is StopReason.SETUP
    assert stopped.value.words == (
        f"The integration user sees no Stop__c on {blind} (crm.crm.read.override): holds would go unheard."
    )
    assert "field-level security" in stopped.value.hint
    assert "connect.objects" in stopped.value.hint


def test_an_object_that_is_not_used_need_not_have_the_override(fake, tmp_path):
    """Where only leads are written, nobody asks contacts."""
    fake.hidden = {f"Contact.{STOP}"}
    with org(fake, tmp_path, override=STOP, objects=["Lead"]) as connector:
        assert set(heard(connector)[0]) == {"C-1", "C-2"}


def test_what_only_leads_have_is_read_of_leads(fake, connector):
    """Status is no field of contacts, and neither is a field of the shop's own; both are heard all the same."""
    fake.leads.fields["Outcome__c"] = described_field("Outcome__c", "string", length=255)
    later(fake, fake.leads.records[1], {"Status": "Working", "Outcome__c": "Won"})
    page = connector.changes("", [STOP, "Status", "Outcome__c"])
    told = {record.key: record.fields for record in page.records}
    assert told["C-2"] == {STOP: None, "Status": "Working", "Outcome__c": "Won"}


def test_a_contact_takes_back_nothing_that_only_leads_have(fake, connector):
    """Of a lead and a contact with one key, the contact that is touched is silent of the lead's stage."""
    lead, contact = records_of(fake, "C-1")
    later(fake, lead, {"Status": "Working"})
    later(fake, contact, {"OwnerId": "Eve"})
    said = [one.fields for one in pages(connector, (STOP, "OwnerId", "Status")) if one.key == "C-1"]
    assert [fields.get("Status", "silent") for fields in said] == ["Working", "silent"]
    assert [fields["OwnerId"] for fields in said][-1] == "Eve"


@pytest.mark.parametrize(("names", "entry"), [([STOP, "Stopp__c"], "read"), ([KEY, "Stopp__c"], "fields")])
def test_a_field_that_nobody_has_is_told_with_its_place(connector, names, entry):
    """The message names the entry of the config, and what to do."""
    with pytest.raises(StopError) as stopped:
        connector.changes("", names) if entry == "read" else connector.read(["C-1"], names)
    assert stopped.value.words == f"The integration user sees no Stopp__c on Lead or Contact (crm.crm.{entry})."
    assert stopped.value.hint.startswith("correct the name in the config")
