"""The catalog and the families: names, phrases, what a shop adds, and what is refused."""

import json
import re

import pytest
import worlds

from features import families
from features.catalog import FAMILIES, FIT_FAMILIES, Measure, as_dict, from_dict, over_windows, window_words
from features.catalog_checks import UNITS, faults
from features.conditions import parse
from features.errors import LeadlightError
from features.sweeping import compute
from features.tables import FACT_TABLES, TABLES

KEYS = {"lead_no", "occurred_at", "known_at", "superseded_at", "link_bits", "row_id"}
FULL = {name: KEYS | {c.stored_name for c in TABLES[name].columns} | {"is_cancelled"} for name in FACT_TABLES}
FULL["attributes"] = KEYS | {"plan", "age"}
ATTRIBUTES = {"plan": "text", "age": "number"}


def full_catalog(**choice):
    """Return the catalog of a shop that has everything."""
    trigger = {"campaign_type": "text", "budget": "number"}
    return families.catalog(FULL, families.Choice(**choice), attributes=ATTRIBUTES, trigger=trigger)


def test_features_read_back_from_json():
    """A feature written as JSON and read again is the same feature."""
    catalog = [*full_catalog(), *worlds.every_measure()]
    assert [from_dict(json.loads(json.dumps(as_dict(feature)))) for feature in catalog] == catalog


def test_a_full_shop_is_served_every_family_with_names_that_differ():
    """All six families are there, each feature under a name of its own."""
    catalog = full_catalog()
    assert {feature.family for feature in catalog} == set(FAMILIES)
    assert len({feature.name for feature in catalog}) == len(catalog)


@pytest.mark.parametrize("feature", full_catalog(), ids=lambda f: f.name)
def test_a_built_in_feature_is_complete(feature):
    """Unit, phrase and description are there, and phrases hold only what is filled in when they are read."""
    assert faults(feature) == []
    assert feature.unit in UNITS
    assert feature.axis == ("fit" if feature.family in FIT_FAMILIES else "engagement")
    texts = [feature.phrase.many, feature.phrase.one, feature.phrase.zero, feature.phrase.missing]
    assert len(re.findall(r"\{n\}|\{change\}", feature.phrase.many)) == 1
    assert not re.search(
        r"[{}]", "".join(text.format(n="3", change="up", window="so far", name="plan") for text in texts)
    )
    assert not re.search(r"[{}]", feature.description)
    assert feature.description.endswith(".")
    assert re.fullmatch(r"[a-z0-9_]+", feature.name)


def test_every_built_in_feature_is_computed_from_a_full_shop():
    """Full timelines serve the whole catalog, one row per snapshot and one column per feature."""
    rows = {name: [] for name in worlds.CONTENT}
    world = worlds.TimelineWorld(rows, {}, [worlds.START])
    available = {name: set(table.column_names) for name, table in world.timelines().tables.items()}
    catalog = families.catalog(available, families.Choice(), attributes=ATTRIBUTES)
    table = compute(world.timelines(), worlds.snapshots_of([(0, worlds.START)]), catalog)
    assert table.columns.column_names == [feature.name for feature in catalog]
    assert len(table) == 1


def test_what_a_shop_does_not_have_is_not_offered():
    """Without sessions there is no feature of sessions; an unmapped column takes only its own features."""
    without = {name: columns for name, columns in FULL.items() if name != "sessions"}
    without["orders"] = FULL["orders"] - {"discount"}
    catalog = families.catalog(without, families.Choice(), attributes=ATTRIBUTES)
    assert not [f.name for f in catalog if f.measure.table == "sessions"]
    assert not [f.name for f in catalog if f.name.startswith("discounted")]
    assert [f.name for f in catalog if f.name.startswith("orders_count")]


def test_events_that_do_not_occur_are_not_offered():
    """Only the event types that occur, under the shop's own names, give features."""
    choice = families.Choice(event_types={"download": ("pdf",)})
    catalog = families.catalog(FULL, choice, event_types={"pdf", "webinar"})
    names = {feature.name for feature in catalog if feature.measure.table == "events"}
    assert {name.split("_count")[0] for name in names if "_count" in name} == {"download", "webinar"}


def test_a_shops_own_feature_is_computed():
    """A measure written by a shop is in the table beside the built-in ones, over the windows it asks for."""
    own = worlds.number("big_orders", Measure("count", "orders", parse({"amount": {"min": 1}})))
    added = tuple(over_windows(own, (2, 0)))
    row = {"lead": 0, "occurred": worlds.START, "known": worlds.START, "until": None, "bits": 0, "discount": None,
           "items": None, "category": None, "is_cancelled": False}  # fmt: skip
    rows = [{**row, "id": "a", "amount": 10_000}, {**row, "id": "b", "amount": 9_999}]
    world = worlds.TimelineWorld({"orders": rows}, {"orders": (worlds.START - 9 * worlds.DAY, 0)}, [worlds.START])
    available = {"orders": set(world.timelines().tables["orders"].column_names)}
    catalog = families.catalog(available, families.Choice(families=("purchase",), added=added))
    table = compute(world.timelines(), worlds.snapshots_of([(0, worlds.START + 1)]), catalog)
    assert table.columns["big_orders_2d"].to_pylist() == table.columns["big_orders_ever"].to_pylist() == [1.0]


def test_features_are_dropped_by_name_or_beginning():
    """What a shop drops is gone, the rest stays in order."""
    kept = [f.name for f in full_catalog(dropped=("orders_count", "lead_age"))]
    assert kept == [f.name for f in full_catalog() if not f.name.startswith(("orders_count", "lead_age"))]


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (Measure("cuont", "orders"), "unknown measure 'cuont' .did you mean 'count'"),
        (Measure("count"), "count needs a table"),
        (Measure("sum", "orders"), "sum needs a column"),
        (Measure("share", "orders"), "share needs `of`"),
        (Measure("open_sum", "events"), r"(?s)open_sum needs a column.*open_sum needs `since_table`"),
        (Measure("trend", "orders", window=30), "trend needs a window shorter than long_window, got 30 and 0"),
        (Measure("trend", "orders", long_window=30), "got 0 and 30"),
        (Measure("count", "orders", window=-1), "not -1"),
        (Measure("trigger"), "trigger needs a column"),
        (Measure("count", "orders", parse({"amuont": 1})), "reads orders.amuont .did you mean 'amount'"),
        (Measure("count", "ordrs"), "own reads the table ordrs .did you mean 'orders'..\\n\\nHint"),
    ],
)
def test_a_shops_own_feature_that_cannot_be_computed_is_refused(measure, words):
    """The fault is named before anything is computed."""
    with pytest.raises(LeadlightError, match=words):
        full_catalog(added=(worlds.number("own", measure),))


def test_a_count_is_no_category():
    """Only values of rows and of the trigger can be categories."""
    assert faults(worlds.category("own", Measure("count", "orders"))) == ["own: count is a number, not a category"]


@pytest.mark.parametrize(("windows", "words"), [((), "at least one"), ((7, 0), "window 0"), ((7, 7), "listed twice")])
def test_windows_that_are_none_are_refused(windows, words):
    """Windows are whole days, at least one, each once; "ever" is always there."""
    with pytest.raises(LeadlightError, match=words):
        full_catalog(windows=windows)


def test_two_features_of_one_name_are_refused():
    """A shop's own feature may not take a built-in name."""
    with pytest.raises(LeadlightError, match="orders_count_7d"):
        full_catalog(added=(worlds.number("orders_count_7d", Measure("count", "orders")),))


def test_windows_are_said_in_words():
    """One day is a day, none is ever."""
    assert [window_words(days) for days in (1, 30, 0)] == ["in the last day", "in the last 30 days", "so far"]
