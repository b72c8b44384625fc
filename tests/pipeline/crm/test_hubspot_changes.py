"""HubSpot: what it holds is read back, and no change is missed."""

from datetime import UTC, datetime

import pytest

from fakes.hubspot import FakeHubSpot
from fakes.hubspot_contacts import FIRST_NUMBER
from fakes.hubspot_schema import definition
from fakes.hubspot_use import Waits, connected
from fakes.serving import Reply, Trouble
from pipeline.crm.connectors.hubspot.changes import LAG_S, Place, Reader, _Page, record
from pipeline.crm.trouble import StopError, StopReason

HOLD = "leadlight_override"
NAMES = [HOLD, "lifecyclestage"]
LATER_S = 1_800_000_000.0


def with_hold(contacts):
    """Return HubSpot in which people have a property to hold leads by."""
    fake = FakeHubSpot(contacts=contacts)
    fake.properties[HOLD] = definition(HOLD, "string")
    return fake


def is_search(request):
    """Return whether it is what a call asks for."""
    return request.path.endswith("/search")


def change(fake, *numbers, at_ms=None, **properties):
    """Write properties by hand, at one moment."""
    fake.contacts.now_ms = at_ms or fake.contacts.now_ms + 1
    for number in numbers:
        fake.contacts.write(fake.contacts.find(FIRST_NUMBER + number), properties or {"lifecyclestage": "customer"})


def key(number):
    """Return the key of a prepared contact."""
    return f"L-{number:07d}"


def all_changes(reader, cursor="", between=lambda: None):
    """Return the keys that came, in order, and the cursor at the end."""
    keys = []
    for _ in range(1000):
        changes = reader.page_after(cursor, NAMES)
        keys += [record.key for record in changes.records]
        cursor = changes.cursor
        if not changes.is_more:
            return keys, cursor
        between()
    raise AssertionError("it does not end")


@pytest.fixture
def reading(tmp_path):
    """Return a function that gives a reader with a small page and a clock of its own."""

    def make(hubspot, page=10, now_s=LATER_S):
        return Reader(hubspot._reader.asking, "leadlight_key", lambda: now_s, page)

    return make


def test_contacts_are_read_back_by_key(tmp_path):
    """A hundred a call; empty is None, unknown properties are not spoken of, and unknown keys have no record."""
    fake = FakeHubSpot(contacts=150)
    change(fake, 0, lifecyclestage="lead", firstname="")
    keys = [*map(key, range(150)), "L-9", key(0)]
    with connected(fake, tmp_path) as hubspot:
        found = hubspot.read(keys, ["lifecyclestage", "firstname", "nowhere"])
        assert hubspot.read([], NAMES) == hubspot.read(["L-9"], NAMES) == {}
    assert list(found) == [key(number) for number in range(150)]
    assert found[key(0)].fields == {"lifecyclestage": "lead", "firstname": None}
    assert found[key(0)].changed_at == datetime(2025, 1, 10, 9, 6, 40, 1000, tzinfo=UTC)
    assert [len(call.json()["inputs"]) for call in fake.calls][:2] == [100, 51]


def test_none_of_a_batch_may_be_there(tmp_path):
    """HubSpot may answer 404 for all of them; a key that is not unique stops."""
    fake = FakeHubSpot()
    fake.trouble(Trouble(Reply(404, {"category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects"})))
    with connected(fake, tmp_path) as hubspot:
        assert hubspot.read(["C-1"], NAMES) == {}
    fake.properties["leadlight_key"]["hasUniqueValue"] = False
    with connected(fake, tmp_path) as hubspot, pytest.raises(StopError, match="non-unique"):
        hubspot.read(["C-1"], NAMES)


def test_only_what_changed_since_the_cursor_comes(tmp_path, reading):
    """From the first reading to the last change: once more that one, and then what is new."""
    fake = with_hold(contacts=3)
    change(fake, 0, lifecyclestage="lead")
    change(fake, 1)
    with connected(fake, tmp_path) as hubspot:
        first, cursor = all_changes(reading(hubspot))
        assert first == [key(2), key(0), key(1)]
        assert all_changes(reading(hubspot), cursor) == ([key(1)], cursor)
        change(fake, 2)
        assert all_changes(reading(hubspot), cursor)[0] == [key(1), key(2)]
        [one, two] = hubspot.changes(cursor, NAMES).records
    assert one.fields == {HOLD: None, "lifecyclestage": "customer"}
    assert one.changed_at < two.changed_at


def test_a_property_that_is_not_there_stops_before_anything_is_read(tmp_path):
    """HubSpot would answer without it: each is named, with what may be meant, and nothing is searched for."""
    fake = with_hold(contacts=3)
    fake.properties["old_stop"] = definition("old_stop", "string", archived=True)
    with connected(fake, tmp_path) as hubspot, pytest.raises(StopError) as stopped:
        hubspot.changes("", ["Leadlight_Override", "lifecyclestage", "old_stop"])
    assert stopped.value.reason is StopReason.SETUP
    assert stopped.value.words == (
        "crm.sales.read: Leadlight_Override: there is no such property ('leadlight_override'?); "
        "crm.sales.read: old_stop: is archived in HubSpot; restore it there"
    )
    assert "lower case" in stopped.value.hint
    assert {call.method for call in fake.calls} == {"GET"}


def test_a_key_that_is_not_there_stops_too(tmp_path):
    """Every contact would be one without a key, and nobody would be heard of."""
    with (
        connected(with_hold(contacts=3), tmp_path, key="leadlight_kee") as hubspot,
        pytest.raises(StopError, match=r"^crm\.sales\.key: leadlight_kee: .* \('leadlight_key'\?\)$"),
    ):
        hubspot.changes("", NAMES)


def test_properties_are_looked_up_once(tmp_path):
    """However many pages are read."""
    fake = with_hold(contacts=3)
    with connected(fake, tmp_path) as hubspot:
        for _ in range(3):
            hubspot.changes("", NAMES)
    assert [call.method for call in fake.calls] == ["GET", "POST", "POST", "POST"]


def test_a_property_that_an_answer_leaves_out_is_not_spoken_of(tmp_path):
    """One that is archived meanwhile releases nobody; one that is empty does."""
    fake = with_hold(contacts=1)
    change(fake, 0, leadlight_override="yes")
    with connected(fake, tmp_path) as hubspot:
        hubspot.changes("", NAMES)
        fake.properties[HOLD]["archived"] = True
        (record,) = hubspot.changes("", NAMES).records
        assert record.fields == {"lifecyclestage": None}
        fake.properties[HOLD]["archived"] = False
        change(fake, 0, leadlight_override="")
        (record,) = hubspot.changes("", NAMES).records
    assert record.fields == {HOLD: None, "lifecyclestage": None}


def test_contacts_without_a_key_are_none_of_ours(tmp_path, reading):
    """People's own contacts are passed over, archived ones too."""
    fake = FakeHubSpot(contacts=2)
    fake.contacts.create(None)
    fake.contacts.find(FIRST_NUMBER).is_archived = True
    with connected(fake, tmp_path) as hubspot:
        assert all_changes(reading(hubspot))[0] == [key(1)]


def test_more_contacts_than_the_wall_carry_one_moment(tmp_path):
    """A bulk change stamps all of them alike; each is read, and none beyond the wall is asked for."""
    fake = FakeHubSpot(contacts=10_450)
    change(fake, *range(100, 10_450))
    with connected(fake, tmp_path) as hubspot:
        keys, _ = all_changes(Reader(hubspot._reader.asking, "leadlight_key", lambda: LATER_S))
    assert set(keys) == {key(number) for number in range(10_450)}
    assert len(keys) < 10_450 + 2 * 200 + 1


@pytest.mark.parametrize("page", [1, 2, 3, 7])
def test_every_contact_comes_however_pages_fall(page, tmp_path, reading):
    """Moments that several contacts share end within a page, at its end, or beyond it."""
    fake = FakeHubSpot(contacts=12)
    for numbers in ((0, 1, 2), (3,), (4, 5), (6, 7, 8, 9)):
        change(fake, *numbers)
    with connected(fake, tmp_path) as hubspot:
        keys, cursor = all_changes(reading(hubspot, page))
        assert set(keys) == {key(number) for number in range(12)}
        again, _ = all_changes(reading(hubspot, page), cursor)
    assert set(again) <= {key(number) for number in range(6, 10)}


def test_changes_during_the_reading_hide_none(tmp_path, reading):
    """A contact that changes again leaves its place, and those behind it move up."""
    fake = FakeHubSpot(contacts=30)
    for number in range(30):
        change(fake, number)
    moved = iter(range(30))
    with connected(fake, tmp_path) as hubspot:
        keys, _ = all_changes(reading(hubspot, 5), between=lambda: change(fake, next(moved, 29)))
    assert set(keys) == {key(number) for number in range(30)}


def test_what_the_index_shows_late_comes_the_next_time(tmp_path, reading):
    """A change of the last minutes may not be found yet: those minutes are read again."""
    fake = FakeHubSpot(contacts=9)
    now_s = 1_750_000_000.0
    change(fake, 0, at_ms=round((now_s - LAG_S) * 1000) - 1)
    change(fake, 1, at_ms=round(now_s * 1000) - 5000)
    change(fake, 2, at_ms=round(now_s * 1000) - 4000)
    fake.unindexed = {key(1)}
    with connected(fake, tmp_path) as hubspot:
        for page in (2, 10):
            keys, cursor = all_changes(reading(hubspot, page, now_s))
            assert key(2) in keys
            assert key(1) not in keys
            fake.unindexed = set()
            again, _ = all_changes(reading(hubspot, page, now_s + 900), cursor)
            assert list(dict.fromkeys(again)) == [key(1), key(2)]
            fake.unindexed = {key(1)}


def test_a_settled_reading_begins_where_the_last_one_ended(tmp_path, reading):
    """Minutes later a great change is not read twice."""
    fake = FakeHubSpot(contacts=50)
    for number in range(50):
        change(fake, number)
    with connected(fake, tmp_path) as hubspot:
        _, cursor = all_changes(reading(hubspot))
        assert all_changes(reading(hubspot), cursor)[0] == [key(49)]


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", "null", '{"since": "x"}', '{"id": "5"}'])
def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    """So that nothing is missed."""
    assert Place.of(cursor) == Place()


def test_a_cursor_says_where_a_reading_stands():
    """It is a text, read back as it was."""
    for place in (Place(5), Place(5, "77"), Place(5, "77", 3), Place(5, again_ms=0)):
        assert Place.of(place.cursor) == place


def test_a_short_page_that_names_a_next_one_is_not_the_last(tmp_path, reading):
    """How many come at once is HubSpot's to say."""
    fake = FakeHubSpot(contacts=3)
    result = {"id": "1000000", "properties": {"leadlight_key": key(0)}, "updatedAt": "2020-01-01T00:00:00.5Z"}
    fake.trouble(Trouble(Reply(200, {"results": [result], "paging": {"next": {"after": "1"}}})))
    fake.trouble(Trouble(Reply(200, {"results": [], "paging": {"next": {"after": "1"}}})))
    with connected(fake, tmp_path) as hubspot:
        changes = reading(hubspot).page_after("", NAMES)
        assert changes.is_more
        assert Place.of(changes.cursor) == Place(1_577_836_800_500)
        assert not reading(hubspot).page_after(changes.cursor, NAMES).is_more


def test_odd_values_are_texts_and_times_that_run_backwards_end():
    """What HubSpot's documents do not foresee is neither a traceback nor a reading without end."""
    result = {"id": "7", "properties": {"leadlight_key": "C-1", "a": ["x"], "b": 5, "c": ""}, "updatedAt": "soon"}
    found = record(result, "leadlight_key", ["a", "b", "c", "d"])
    assert (found.fields, found.changed_at) == ({"a": "['x']", "b": "5", "c": None}, None)
    page = _Page.of({"results": [{"id": "7", "updatedAt": "2020-01-01T00:00:00"}]}, 1, 10**15)
    assert page.onward(Place(1_700_000_000_000)) == (Place(1_700_000_000_000, "0"), True)


KEYED = {"leadlight_key": key(0), "lastmodifieddate": "2025-01-01T00:00:00Z"}
WHOLE = {"id": "1000000", "properties": KEYED}
SENSELESS = [
    5,
    {},
    {"id": "1"},
    {**WHOLE, "id": "x"},
    {**WHOLE, "id": 5.0},
    {**WHOLE, "id": "\u0663"},
    {**WHOLE, "id": "9" * 5000},
    {**WHOLE, "properties": {**KEYED, "lastmodifieddate": "0001-01-01T00:00:00+14:00"}},
    {**WHOLE, "properties": {**KEYED, "lastmodifieddate": "9999-12-31T23:59:59-14:00"}},
    {**WHOLE, "properties": {**KEYED, "lastmodifieddate": 1_736_500_000}},
    {**WHOLE, "properties": {**KEYED, "leadlight_key": {"a": 1}}},
    {"id": "1000000", "properties": [], "updatedAt": "2025-01-01T00:00:00Z"},
]


@pytest.mark.parametrize("result", SENSELESS)
def test_a_senseless_result_is_asked_for_again(result, tmp_path):
    """The search is waited for, rather than a contact left out."""
    fake, waits = with_hold(contacts=1), Waits()
    with connected(fake, tmp_path, waits=waits) as hubspot:
        fake.trouble(Trouble(Reply(200, {"results": [WHOLE, result]}), matches=is_search))
        assert [record.key for record in hubspot.changes("", NAMES).records] == [key(0)]
    assert len(waits.seconds) == 1


def test_a_search_in_another_order_is_asked_again(tmp_path):
    """Going on from its end would leave contacts out."""
    fake = with_hold(contacts=1)
    older = {**WHOLE, "properties": {**KEYED, "lastmodifieddate": "2024-01-01T00:00:00Z"}}
    with connected(fake, tmp_path) as hubspot:
        fake.trouble(Trouble(Reply(200, {"results": [WHOLE, older]}), matches=is_search))
        assert len(hubspot.changes("", NAMES).records) == 1
        fake.trouble(Trouble(Reply(200, {"results": [WHOLE, older]}), matches=is_search, times=99))
        with pytest.raises(StopError, match="not in the order asked for") as stopped:
            hubspot.changes("", NAMES)
    assert stopped.value.reason is StopReason.NETWORK
    assert "run the same command again" in stopped.value.hint


def test_a_contact_that_lost_its_key_is_none_of_ours(tmp_path):
    """The search's index may still hold it, and that makes sense."""
    fake = with_hold(contacts=0)
    lost = [{**WHOLE, "properties": {**KEYED, "leadlight_key": value}} for value in (None, "")]
    with connected(fake, tmp_path) as hubspot:
        fake.trouble(Trouble(Reply(200, {"results": lost}), matches=is_search))
        assert hubspot.changes("", NAMES).records == []


def test_contacts_that_make_no_sense_are_read_again(tmp_path):
    """One that says nothing of what it holds is not taken for one that is gone."""
    fake, waits = FakeHubSpot(contacts=1), Waits()
    with connected(fake, tmp_path, waits=waits) as hubspot:
        fake.trouble(Trouble(Reply(200, {"results": [{"id": "1000000"}]})))
        assert list(hubspot.read([key(0)], ["firstname"])) == [key(0)]
    assert len(waits.seconds) == 1
