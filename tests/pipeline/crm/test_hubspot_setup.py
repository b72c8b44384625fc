"""HubSpot: property settings are checked before the first row, and created on demand."""

import threading
from dataclasses import replace

import pytest

from fakes.hubspot import FakeHubSpot
from fakes.hubspot_schema import definition
from fakes.hubspot_use import FIELDS, connected
from fakes.serving import Reply, Trouble
from pipeline.crm.promise import CrmField, FieldType, Missing
from pipeline.crm.trouble import StopError, StopReason

GRADE = CrmField("leadlight_grade", FieldType.CHOICE, choices=("A", "B", "C"))


def test_setup_creates_what_check_finds_missing(tmp_path):
    """After it nothing is missing; the key is a text whose values are unique."""
    fake = FakeHubSpot(has_key=False)
    with connected(fake, tmp_path) as hubspot:
        missing = hubspot.check(FIELDS)
        assert [type(line) for line in missing] == [Missing] * 7
        assert missing[0] == "leadlight_key: there is no such property"
        made = hubspot.setup(FIELDS)
        assert made[:2] == ["property group leadlight", "property leadlight_score (number)"]
        assert len(made) == 8
        assert hubspot.check(FIELDS) == []
    key = fake.properties["leadlight_key"]
    assert (key["type"], key["hasUniqueValue"], key["groupName"]) == ("string", True, "leadlight")
    assert fake.properties["leadlight_reason"]["fieldType"] == "textarea"
    assert fake.properties["leadlight_score"]["label"] == "Leadlight score"
    assert [one["value"] for one in fake.properties["leadlight_grade"]["options"]] == ["A", "B", "C"]


def test_setup_twice_is_once(tmp_path):
    """Nothing is created that is there."""
    fake = FakeHubSpot()
    with connected(fake, tmp_path) as hubspot:
        hubspot.setup(FIELDS)
        before = len(fake.calls)
        assert hubspot.setup(FIELDS) == []
    assert {call.method for call in fake.calls[before:]} == {"GET"}


def test_two_setups_at_once_make_one(tmp_path):
    """What another run has just created is no trouble."""
    fake = FakeHubSpot(has_key=False, latency_s=0.01)
    made = []
    with connected(fake, tmp_path) as hubspot:
        threads = [threading.Thread(target=lambda: made.extend(hubspot.setup(FIELDS))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert hubspot.check(FIELDS) == []
    assert len(made) == len(set(made)) == 8


def test_new_choices_are_added_to_those_that_are_there(tmp_path):
    """People's own options stay."""
    fake = FakeHubSpot()
    with connected(fake, tmp_path) as hubspot:
        hubspot.setup([replace(GRADE, choices=("A", "old"))])
        assert hubspot.check([GRADE]) == ["leadlight_grade: lacks the options B, C"]
        assert hubspot.setup([GRADE]) == ["property leadlight_grade: the options B, C"]
        assert hubspot.check([GRADE]) == []
    assert [one["value"] for one in fake.properties["leadlight_grade"]["options"]] == ["A", "old", "B", "C"]


@pytest.mark.parametrize(
    ("field", "prop", "fault"),
    [
        (CrmField("p", FieldType.INTEGER), definition("p", "string"), "is of type string, and number is needed"),
        (CrmField("p", FieldType.NUMBER), definition("p", "date"), "is of type date, and number is needed"),
        (CrmField("p", FieldType.TEXT), definition("p", "number"), "is of type number, and string is needed"),
        (CrmField("p", FieldType.MOMENT), definition("p", "date"), "is of type date, and datetime is needed"),
        (CrmField("p", FieldType.BOOLEAN), definition("p", "string"), "and bool or enumeration is needed"),
        (CrmField("p", FieldType.BOOLEAN), definition("p", "enumeration"), "lacks the options true, false"),
        (CrmField("p", FieldType.CHOICE, choices=("A",)), definition("p", "enumeration"), "lacks the options A"),
        (CrmField("p", FieldType.TEXT, length=70_000), definition("p", "string"), "do not fit into 65536"),
        (CrmField("p", FieldType.NUMBER), definition("p", "number", calculated=True), "is read-only"),
        (CrmField("p", FieldType.TEXT), definition("p", "string", modificationMetadata={"readOnlyValue": True}),
         "is read-only"),
        (CrmField("p", FieldType.TEXT), definition("p", "string", archived=True), "is archived in HubSpot"),
    ],
)  # fmt: skip
def test_a_property_that_does_not_fit_is_found(field, prop, fault, tmp_path):
    """Each fault is a line that says what is wrong."""
    fake = FakeHubSpot()
    fake.properties["p"] = prop
    with connected(fake, tmp_path) as hubspot:
        [line] = hubspot.check([field])
    assert line.startswith("p: ")
    assert fault in line


def test_properties_that_fit_are_left_in_peace(tmp_path):
    """A choice may be a text, a yes-or-no an enumeration of the two."""
    fake = FakeHubSpot()
    options = [{"label": v, "value": v, "hidden": False} for v in ("true", "false")]
    fake.properties["b"] = definition("b", "enumeration", fieldType="booleancheckbox", options=options)
    fake.properties["c"] = definition("c", "string")
    with connected(fake, tmp_path) as hubspot:
        assert hubspot.check([CrmField("b", FieldType.BOOLEAN), replace(GRADE, name="c")]) == []


def test_all_faults_are_told_at_once_and_nothing_is_written(tmp_path):
    """Also that of the key."""
    fake = FakeHubSpot()
    fake.properties["leadlight_key"]["hasUniqueValue"] = False
    with connected(fake, tmp_path) as hubspot:
        lines = hubspot.check(FIELDS)
    assert len(lines) == 7
    assert "need not be unique" in lines[0]
    assert {call.method for call in fake.calls} == {"GET"}


def test_email_is_no_key(tmp_path):
    """HubSpot takes no part of a contact by it, and setup leaves it alone."""
    fake = FakeHubSpot()
    with connected(fake, tmp_path, key="email") as hubspot:
        hubspot.setup(FIELDS)
        [line] = hubspot.check(FIELDS)
    assert line.startswith("email: HubSpot writes no part of a contact")


def test_a_property_that_cannot_be_created_stops_the_setup(tmp_path):
    """HubSpot's words say why."""
    with connected(FakeHubSpot(), tmp_path) as hubspot, pytest.raises(StopError, match="lower-case") as stopped:
        hubspot.setup([CrmField("Leadlight_Score", FieldType.NUMBER)])
    assert stopped.value.reason is StopReason.SETUP


def test_check_finds_out_whether_the_token_is_good(tmp_path):
    """A token that may not read settings stops the check."""
    with connected(FakeHubSpot(), tmp_path, token="other") as hubspot, pytest.raises(StopError):
        hubspot.check(FIELDS)


def test_settings_with_members_missing_are_no_traceback(tmp_path):
    """What HubSpot leaves out of a property counts as a fault, or as nothing."""
    fake = FakeHubSpot()
    odd = [{"name": "leadlight_key", "hasUniqueValue": True}, {}]
    odd.append({"name": "leadlight_grade", "type": "enumeration", "options": [{"value": []}, {}, 5]})
    fake.trouble(Trouble(Reply(200, {"results": odd})))
    with connected(fake, tmp_path) as hubspot:
        assert hubspot.check([GRADE]) == ["leadlight_grade: lacks the options A, B, C"]
