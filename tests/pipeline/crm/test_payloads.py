"""Payloads: what a score says, in the CRM's words and within its room."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from pipeline.crm.fields import check_fields, crm_fields, mapping_hash
from pipeline.crm.payloads import Payloads, _as_json, shortened
from pipeline.crm.promise import FieldType
from pipeline.settings_crm import TargetSettings
from support.little_shop import FEATURES, FIELDS, LittleShop

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=0, max_size=60)


def by_hand(text, length):
    """Return a text within its room, found the slow way: the longest run of whole words that leaves room for '…'."""
    if len(text) <= length:
        return text
    for end in range(length - 1, 0, -1):
        if text[end] in " \t;,.":
            head = text[:end].rstrip(" \t;,.")
            if head:
                return head + "…"
    return text[: length - 1] + "…"


@given(st.lists(st.sampled_from(["a", "bb", "seven", "word,", "end."]), min_size=1, max_size=20), st.integers(2, 60))
def test_texts_end_with_a_whole_word(words, length):
    """A text that is too long is cut as by hand: at a word, within its room."""
    text = " ".join(words)
    (found,) = shortened(pa.array([text]), length).to_pylist()
    assert found == by_hand(text, length)


@given(st.lists(WORDS, max_size=5), st.integers(1, 40))
def test_no_text_outgrows_its_room(texts, length):
    """Whatever the text, it fits; a text that fits is not touched."""
    for before, after in zip(texts, shortened(pa.array(texts, pa.string()), length).to_pylist(), strict=True):
        assert len(after) <= length
        if len(before) <= length:
            assert after == before


@given(st.lists(st.one_of(st.none(), WORDS), min_size=1, max_size=6))
def test_every_text_survives_as_json(texts):
    """Quotes, breaks and signs of any script come out of the JSON as they went in."""
    said = _as_json(['na"me'], [pa.array(texts, pa.string())]).to_pylist()
    assert [json.loads(one)['na"me'] for one in said] == texts


@pytest.fixture
def scores(tmp_path):
    """Return the scores of a few leads."""
    return LittleShop(tmp_path, leads=30, crm={"crm": {"fields": FIELDS}}).leads.scores(0)


def payloads(scores, fields, language="en"):
    """Return what is sent of each lead."""
    target = TargetSettings.model_validate({"fields": fields})
    made = Payloads(target, features=FEATURES, labels={}, currency="EUR", default_language=language)
    return [json.loads(one) for one in made.of(scores).to_pylist()]


def test_parts_of_a_score_go_into_their_properties(scores):
    """Numbers as numbers, points as points, moments in UTC, reasons as sentences."""
    fields = {
        "s": "score", "p": {"from": "probability", "digits": 2}, "f": "fit", "r": "rank", "at": "as_of",
        "why": "reasons", "first": "reason_1", "third": "reason_3", "v": "model_version", "l": "lead_id",
    }  # fmt: skip
    for row, said in zip(scores.to_pylist(), payloads(scores, fields), strict=True):
        assert (said["s"], said["r"], said["l"]) == (row["score"], row["rank"], row["lead_id"])
        assert said["p"] == pytest.approx(row["probability"], abs=0.005)
        assert said["f"] == row["fit"] / 100
        assert said["at"] == "2024-11-01T00:00:00Z"
        sentences = said["why"].split("; ")
        assert (said["first"], said["third"]) == (sentences[0], sentences[2])


def test_values_are_called_as_the_crm_calls_them(scores):
    """A picklist's own words take the place of ours."""
    names = {"A": "Hot", "B": "Warm", "C": "Cool", "D": "Cold"}
    said = payloads(scores, {"grade": {"from": "grade", "values": names}})
    assert [one["grade"] for one in said] == [names[grade] for grade in scores["grade"].to_pylist()]


def test_words_are_said_in_the_asked_language(scores):
    """A field's language comes before the shop's."""
    fields = {"own": {"from": "channel", "language": "pl"}, "shop": "channel"}
    said, in_polish = payloads(scores, fields, language="en"), payloads(scores, fields, language="pl")
    assert {one["shop"] for one in said} >= {"by e-mail"}
    assert all(one["own"] != one["shop"] for one in said if one["shop"] is not None)
    assert [one["own"] for one in said] == [one["shop"] for one in in_polish]


def test_a_row_alone_says_what_it_says_among_others(scores):
    """A lead's payload depends on the lead alone."""
    all_of_them = payloads(scores, FIELDS)
    assert [payloads(scores.slice(place, 1), FIELDS)[0] for place in (0, 7, 29)] == [all_of_them[i] for i in (0, 7, 29)]


def test_fields_say_what_they_need():
    """Each part of a score asks for a property of its type, choices and room."""
    target = TargetSettings.model_validate(
        {
            "fields": {
                "s": "score",
                "g": "grade",
                "p": "probability",
                "w": {"from": "reasons", "length": 99},
                "t": "as_of",
            }
        }
    )
    found = {one.name: (one.type, one.length, one.choices) for one in crm_fields(target)}
    assert found == {
        "s": (FieldType.INTEGER, 0, ()),
        "g": (FieldType.CHOICE, 1, ("A", "B", "C", "D")),
        "p": (FieldType.NUMBER, 0, ()),
        "w": (FieldType.TEXT, 99, ()),
        "t": (FieldType.MOMENT, 0, ()),
    }


def test_values_without_a_name_are_all_told():
    """Renaming some grades and forgetting others is refused, every forgotten one named."""
    fields = {"g": {"from": "grade", "values": {"A": "Hot"}}, "t": {"from": "temperature", "values": {"hot": "Hot"}}}
    with pytest.raises(LeadlightError) as caught:
        check_fields("crm", TargetSettings.model_validate({"fields": fields}))
    assert "B, C, D" in str(caught.value)
    assert "warm, cold" in str(caught.value)


def test_another_way_of_filling_is_another_mapping(tmp_path):
    """Order of fields and settings that change nothing of what is written do not count; all else does."""
    one = LittleShop(tmp_path, leads=5, crm={"crm": {"fields": {"a": "score", "b": "grade"}}}).settings

    def hashed(**changed):
        return mapping_hash(one, TargetSettings.model_validate({"fields": {"a": "score", "b": "grade"}, **changed}))

    assert hashed() == hashed(min_change=9) == hashed(fields={"b": "grade", "a": "score"})
    assert hashed() != hashed(fields={"a": "score", "b": "temperature"})
    assert hashed() != hashed(key="other")


@pytest.mark.parametrize(("source", "setting"), [("score", "length"), ("fit", "values"), ("as_of", "length")])
def test_what_has_no_meaning_for_a_number_is_refused(source, setting):
    """A length or names of values at a score would be passed over without a word."""
    fields = {"s": {"from": source, setting: 5 if setting == "length" else {"1": "one"}}}
    with pytest.raises(LeadlightError, match=rf"crm\.crm\.fields\.s\.{setting}: has no meaning for {source}"):
        check_fields("crm", TargetSettings.model_validate({"fields": fields}))
