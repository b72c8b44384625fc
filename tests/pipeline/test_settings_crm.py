"""Names of targets and of properties: what can be none is refused where it is written."""

from pathlib import Path

import pytest

from features.errors import LeadlightError
from pipeline.settings import parse

TARGET = {"kind": "file", "fields": {"score": "score"}}
BASE = {"shop": {"name": "Tiny shop"}, "tables": {"orders": {"path": "orders.csv"}}}


def parsed(crm):
    """Return the settings with these targets."""
    return parse({**BASE, "crm": crm}, place=Path("leadlight.yaml"))


@pytest.mark.parametrize("name", ["x" * 61, "x" * 300, "", ".hidden", "a/b", "a b", "a\n", "ä"])
def test_a_target_s_name_is_short_and_plain(name):
    """Files, locks and rows of the ledger are called after it; a long one is not repeated at length."""
    with pytest.raises(LeadlightError, match="at most 60 letters") as raised:
        parsed({name: TARGET})
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("name", ["x" * 60, "HubSpot-2.eu_west", "7"])
def test_a_usual_name_of_a_target_is_taken(name):
    """Letters, digits, hyphens, dots and underscores."""
    assert list(parsed({name: TARGET}).crm) == [name]


@pytest.mark.parametrize("name", ["=", "=score", "-", "?!", " score", "score ", "two\nlines", "x" * 201, "\x00"])
@pytest.mark.parametrize("place", ["key", "fields", "override", "owner", "stage", "outcomes"])
def test_what_can_be_no_property_is_refused(place, name):
    """Wherever the config names one; the place is told."""
    target = {
        "key": {**TARGET, "key": name},
        "fields": {**TARGET, "fields": {name: "score"}},
        "outcomes": {**TARGET, "read": {"outcomes": [name]}},
    }.get(place, {**TARGET, "read": {place: name}})
    with pytest.raises(LeadlightError, match=rf"(?s)crm\.shop\.(read\.)?{place}.*no property is called so"):
        parsed({"shop": target})


@pytest.mark.parametrize(
    "name", ["leadlight_score", "Leadlight_Score__c", "Lead score (%)", "#1", "_x", "Bewertung", "點"]
)
def test_names_of_columns_and_properties_are_taken(name):
    """A column of a file or a table may be called in any language, with blanks and signs."""
    read = {"override": name, "outcomes": [name]}
    assert parsed({"a": {**TARGET, "fields": {name: "score"}}, "b": {**TARGET, "read": read}}).crm


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"fields": {"s": "score", "S": "grade"}}, r"crm\.shop: s, S: fields of one name, case aside"),
        ({"key": "lead_id", "fields": {"LEAD_ID": "score"}}, r"crm\.shop: lead_id: the key .* is no field beside"),
        ({"read": {"owner": "SCORE"}}, r"crm\.shop: score: Leadlight never writes what it reads"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "sql", "hubspot", "webhook"])
def test_names_that_differ_in_case_alone_are_one_property(kind, target, words):
    """Once written, a file or a table with both could not be read again."""
    with pytest.raises(LeadlightError, match=words):
        parsed({"shop": {**TARGET, "kind": kind, **target}})


@pytest.mark.parametrize(
    ("crm", "line"),
    [
        ({"shop": "x"}, "crm.shop: input should hold settings, each as `name: value`, got 'x'"),
        ({"shop": {**TARGET, "fields": {"a": 3}}}, "crm.shop.fields.a: input should hold settings, each as"),
        ({"shop": {**TARGET, "fields": {}}}, "crm.shop.fields: is empty, and needs at least one"),
        ({None: TARGET}, "crm.null: a name is a text; write it in quotes"),
        ({"shop": {**TARGET, "min_change": float("nan")}}, "crm.shop.min_change: input should be a finite number"),
        ({"shop": {**TARGET, "max_age_days": float("nan")}}, "crm.shop.max_age_days: input should be a finite number"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_a_config(crm, line):
    """No word of the library that reads it, and the key by which a person finds the place."""
    with pytest.raises(LeadlightError) as raised:
        parsed(crm)
    assert line in str(raised.value)
