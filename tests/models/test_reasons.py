"""Reasons: the strongest concepts on either side, in words that are true of the lead."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from features.families.everything import full_catalog
from features.matrix import FeatureTable
from models.explain import contributions
from models.languages import LANGUAGES, language
from models.points import Points, points
from models.reasons import REASON_TYPE, ReasonLimits, read_reasons, reason_texts, stored_reasons

GOLDEN = Path(__file__).parent / "golden" / "reasons.json"


def features() -> tuple[Feature, ...]:
    """Return two features of one concept, one of another, and a category."""
    return (
        Feature("orders_7d", "purchase", "number", "count", "orders", Phrase("{n} orders this week"), ""),
        Feature("orders_90d", "purchase", "number", "count", "orders", Phrase("{n} orders in 90 days"), ""),
        Feature("visits_trend", "engagement", "number", "ratio", "visits", Phrase("visits {change}"), ""),
        Feature("source", "acquisition", "category", "category", "source", Phrase("came by {n}"), ""),
    )


def table_of(rows: list[tuple]) -> FeatureTable:
    """Return leads with these values, in the order of `features`."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    arrays = [pa.array(np.array(column, dtype=float)) for column in columns[:3]]
    arrays.append(pa.array(columns[3], pa.string()).dictionary_encode())
    names = [feature.name for feature in features()]
    keys = pa.table({"lead_id": [str(place) for place in range(len(rows))]})
    return FeatureTable(keys, pa.table(arrays, names=names), features())


def stored(per_feature: list[list[int]], rows: list[tuple], **limits: int) -> pa.ListArray:
    """Return the stored reasons of leads with these points and values."""
    values = np.array(per_feature)
    of_leads = Points(values.sum(axis=1), values, features())
    return stored_reasons(of_leads, table_of(rows), limits=ReasonLimits(**limits))


def test_features_of_one_concept_give_one_reason():
    """600 + 150 points of two windows are one reason of 750, said by the stronger window."""
    reasons = stored([[150, 600, -300, 100]], [(1, 8, 0.5, "ads")])[0].as_py()
    assert [(r["feature"], r["value"], r["level"], r["points"]) for r in reasons] == [
        ("orders_90d", 8.0, None, 750),
        ("visits_trend", 0.5, None, -300),
        ("source", None, "ads", 100),
    ]


def test_the_sentence_pulls_the_way_the_concept_does():
    """500 - 300 - 400 is a reason against, said by a feature that speaks against, though one for it is stronger."""
    catalog = tuple(replace(feature, concept="orders") for feature in features()[:3])
    of_leads = Points(np.array([-200]), np.array([[500, -300, -400]]), catalog)
    reasons = stored_reasons(of_leads, table_of([(3, 0, 0.5, "ads")]))[0].as_py()
    assert [(r["feature"], r["points"]) for r in reasons] == [("visits_trend", -200)]


def test_weak_reasons_are_left_out_and_each_side_has_its_number():
    """At most one for and one against; less than half a point is no reason."""
    reasons = stored([[400, 0, 300, -49]], [(1, 1, 2.0, "ads")], most_for=1, most_against=1)[0].as_py()
    assert [r["feature"] for r in reasons] == ["orders_7d"]


def test_a_rise_that_speaks_against_still_reads_as_a_rise():
    """Words come from the value, the side from the points: visits up 50% may speak against a lead."""
    rise, fall = stored([[0, 0, -500, 0], [0, 0, 500, 0]], [(0, 0, 1.5, "ads"), (0, 0, 0.5, "ads")])
    by_name = {feature.name: feature for feature in features()}
    against, speaks_for = (read_reasons(reasons.as_py(), by_name)[0] for reasons in (rise, fall))
    assert (against.text, against.direction) == ("visits up 50%", "against")
    assert (speaks_for.text, speaks_for.direction) == ("visits down 50%", "for")


def test_missing_values_and_no_reasons_are_stored_as_such():
    """A missing number and a missing level are null; a lead without points has an empty list."""
    reasons = stored([[0, 0, 500, 400], [0, 0, 0, 0]], [(0, 0, np.nan, None), (0, 0, 1.0, "ads")]).to_pylist()
    assert [(r["value"], r["level"]) for r in reasons[0]] == [(None, None), (None, None)]
    assert reasons[1] == []


def test_all_sentences_at_once_are_those_of_each_lead(lead_model, some_leads):
    """The column of sentences equals each lead's own reasons in words."""
    table = some_leads(400, 21)
    reasons = stored_reasons(points(contributions(lead_model, table), lead_model), table)
    assert reasons.type == pa.list_(REASON_TYPE)
    by_name = {feature.name: feature for feature in lead_model.features}
    texts = reason_texts(reasons, by_name, currency="EUR").to_pylist()
    for said, row in zip(texts, reasons.to_pylist(), strict=True):
        assert said == [reason.text for reason in read_reasons(row, by_name, currency="EUR")]


def test_strongest_first_one_per_concept_and_true_to_the_points(lead_model, some_leads):
    """Along each lead's list strengths fall, concepts differ, and the direction is the sign."""
    table = some_leads(500, 22)
    of_leads = points(contributions(lead_model, table), lead_model)
    by_name = {feature.name: feature for feature in lead_model.features}
    concepts = np.array([feature.concept for feature in lead_model.features])
    for row, of_lead in zip(stored_reasons(of_leads, table).to_pylist(), of_leads.per_feature, strict=True):
        reasons = read_reasons(row, by_name)
        strengths = [abs(reason.points_hundredths) for reason in reasons]
        assert strengths == sorted(strengths, reverse=True)
        assert len({reason.concept for reason in reasons}) == len(reasons)
        for reason in reasons:
            assert reason.points_hundredths == of_lead[concepts == reason.concept].sum()
            assert (reason.direction == "for") == (reason.points_hundredths > 0)


@pytest.mark.parametrize("place", range(4))
def test_reasons_read_as_agreed(place):
    """The sentences of four made-up leads are those in golden/reasons.json."""
    case = json.loads(GOLDEN.read_text())[place]
    reasons = stored([case["points"]], [tuple(case["values"])])[0].as_py()
    by_name = {feature.name: feature for feature in features()}
    said = [
        {"text": reason.text, "points": reason.points_hundredths / 100, "direction": reason.direction}
        for reason in read_reasons(reasons, by_name)
    ]
    assert said == case["reasons"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_reasons_read_naturally_in_every_language(code):
    """The sentences of eight leads, read aloud and agreed on, are those in golden/reasons_<language>.json."""
    by_name = {feature.name: feature for feature in full_catalog()}
    for lead in json.loads((GOLDEN.parent / f"reasons_{code}.json").read_text(encoding="utf-8")):
        rows = [stored_row(by_name[agreed["feature"]], agreed) for agreed in lead["reasons"]]
        reasons = read_reasons(rows, by_name, currency="EUR", language=language(code))
        assert [reason.text for reason in reasons] == [agreed["text"] for agreed in lead["reasons"]]


def stored_row(feature: Feature, agreed: dict) -> dict:
    """Return one agreed reason as it is stored."""
    value = agreed["value"]
    number, level = (None, value) if feature.kind == "category" else (value, None)
    return {"feature": feature.name, "value": number, "level": level, "points": round(agreed["points"] * 100)}


def test_all_languages_tell_the_same_leads():
    """The golden files differ in their sentences alone: same leads, same values, same points."""
    told = [json.loads((GOLDEN.parent / f"reasons_{code}.json").read_text(encoding="utf-8")) for code in LANGUAGES]
    bare = [
        [(lead["lead"], [(one["feature"], one["value"], one["points"]) for one in lead["reasons"]]) for lead in leads]
        for leads in told
    ]
    assert all(one == bare[0] for one in bare)
