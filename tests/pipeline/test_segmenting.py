"""By what is reported, and what sensitive attributes are kept from."""

from copy import deepcopy
from pathlib import Path

import pyarrow as pa
import pytest

from features.errors import LeadlightError
from features.matrix import FeatureTable
from pipeline import asking, segmenting
from pipeline.settings import parse
from pipeline.stages.ingest_record import mapping_signature

AVAILABLE = {
    "orders": {"lead_no", "occurred_at", "known_at", "superseded_at", "amount", "is_cancelled"},
    "attributes": {"lead_no", "occurred_at", "known_at", "superseded_at", "country", "age"},
}
RAW = {
    "shop": {"name": "Test"},
    "tables": {
        "orders": {"path": "orders.csv"},
        "leads": {
            "path": "leads.csv",
            "attributes": {
                "country": {"type": "text"},
                "age": {"type": "number", "sensitive": True},
                "born_in": {"type": "text"},
            },
        },
    },
    "report": {"segments": ["country", "born_in", "orders_count_30d"]},
}
AGE_AGAIN = {
    "name": "years",
    "family": "fit",
    "measure": {"kind": "last", "table": "attributes", "column": "age"},
    "windows": ["ever"],
}


def settings_of(**changed):
    """Return the settings with sections put in place of others."""
    return parse({**deepcopy(RAW), **changed}, place=Path("shop.yaml"))


def names(features):
    """Return the names of features, in order."""
    return [feature.name for feature in features]


def test_a_sensitive_attribute_is_not_among_the_features_and_stands_beside_them():
    """The model cannot read it; the report can."""
    settings = settings_of()
    catalog = names(asking.catalog(settings, available=AVAILABLE))
    assert "country" in catalog
    assert "age" not in catalog
    beside = names(asking.beside(settings, available=AVAILABLE))
    assert [name for name in beside if name.startswith("segment_")] == ["segment_country", "segment_age"]


def test_the_config_may_say_otherwise():
    """With model.use_sensitive the model reads it, and error gaps are reported all the same."""
    settings = settings_of(model={"use_sensitive": True})
    assert "age" in names(asking.catalog(settings, available=AVAILABLE))
    assert "segment_age" in names(asking.beside(settings, available=AVAILABLE))


def test_a_feature_of_the_shops_own_does_not_bring_it_back_by_another_name():
    """What reads the attribute is refused by name, unless the config allows it."""
    added = {"add": [AGE_AGAIN]}
    with pytest.raises(LeadlightError, match=r"years_ever reads age\n\nHint: .*use_sensitive"):
        asking.catalog(settings_of(features=added), available=AVAILABLE)
    allowed = settings_of(features=added, model={"use_sensitive": True})
    assert "years_ever" in names(asking.catalog(allowed, available=AVAILABLE))


def test_a_name_that_is_nothing_is_refused_with_the_nearest():
    """All at once: attributes and features are what a report can be by."""
    settings = settings_of(report={"segments": ["country_", "orders_count_30d", "shoe_size"]})
    catalog = asking.catalog(settings, available=AVAILABLE)
    with pytest.raises(LeadlightError, match=r"country_ \(did you mean 'country'\?\)\n  - shoe_size"):
        segmenting.refuse_unknown(settings, catalog)
    segmenting.refuse_unknown(settings_of(), catalog)


def test_attributes_and_features_become_what_the_report_reads():
    """Values come from beside or from the features; what was never known in time is named."""
    settings = settings_of()
    country, age = pa.array(["PL", "PT"]).dictionary_encode(), pa.array([30.0, 40.0])
    table = FeatureTable(
        keys=pa.table({"lead_id": ["a", "b"]}),
        columns=pa.table({"orders_count_30d": pa.array([1.0, 2.0])}),
        features=(),
        beside=pa.table({"segment_country": country, "segment_age": age}),
    )
    found, lacking = segmenting.attributes(settings, table)
    assert [(one.name, one.is_sensitive) for one in found] == [
        ("country", False),
        ("orders_count_30d", False),
        ("age", True),
    ]
    assert found[2].values.to_pylist() == [30.0, 40.0]
    assert lacking == ("born_in",)


def test_marking_an_attribute_asks_for_no_new_ingest():
    """Stored rows do not depend on it, so the workspace stays as it is."""
    marked = settings_of().tables["leads"][0]
    plain = marked.model_copy(
        update={"attributes": {n: s.model_copy(update={"sensitive": False}) for n, s in marked.attributes.items()}}
    )
    assert mapping_signature(marked, zone="UTC") == mapping_signature(plain, zone="UTC")
