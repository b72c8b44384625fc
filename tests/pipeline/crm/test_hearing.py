"""What people did in a CRM is heard once, whole, and in its order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, make_url, select

from features.errors import NotFinishedError
from features.moments import to_us
from pipeline.crm.hearing import Heard, hear, overridden, read_until
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.hearing import heard_rows
from pipeline.crm.ledger.opening import opened
from pipeline.crm.ledger.tables import HEARD
from pipeline.crm.promise import Changes, Record
from pipeline.settings_crm import ReadSettings
from support.told import Killed, Telling

READ = ReadSettings(override="do_not_call", owner="owner", stage="stage")
HERE = Destination("crm", "")
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


@contextmanager
def ledger(url: str = "sqlite://") -> Iterator[Engine]:
    """Give a ledger, by default one in memory."""
    engine = opened(make_url(url))
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path) -> Iterator[Engine]:
    """Return an empty ledger in each kind of database."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").database()
    with ledger(url) as found:
        yield found


def listen(engine: Engine, crm, read: ReadSettings = READ, *, at: datetime = NOON) -> Heard:
    """Read what changed, as if no time passed meanwhile."""
    return hear(engine, HERE, crm, read, at=at, stopwatch=lambda: 0.0)


def kept(engine: Engine) -> list[tuple]:
    """Return what the ledger holds, in its order: lead, property, value, changed, heard, newest."""
    wanted = select(
        HEARD.c.lead_id, HEARD.c.property, HEARD.c.value, HEARD.c.changed_at, HEARD.c.heard_at, HEARD.c.is_newest
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(wanted.order_by(HEARD.c.id))]


def later(minutes: float) -> datetime:
    """Return the moment so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def test_only_changes_of_a_value_are_kept(engine):
    """A first empty value and a value that stayed say nothing; an emptied one does."""
    crm = Telling()
    crm.tell("Ann", later(-9), owner="Eve", stage="", do_not_call=None)
    crm.tell("Ann", later(-8), owner="Eve", stage="won")
    crm.tell("Ann", later(-7), owner=None, stage="won")
    assert listen(engine, crm) == Heard(records=3, changes=3, pages=2)
    noon = to_us(NOON)
    assert kept(engine) == [
        ("Ann", "owner", "Eve", to_us(later(-9)), noon, False),
        ("Ann", "stage", "won", to_us(later(-8)), noon, True),
        ("Ann", "owner", None, to_us(later(-7)), noon, True),
    ]


def test_reading_twice_is_reading_once(engine):
    """A second reading finds nothing, and one after a change finds that alone."""
    crm = Telling()
    crm.tell("Ann", later(-9), owner="Eve")
    listen(engine, crm)
    before = kept(engine)
    assert listen(engine, crm, at=later(1)).changes == 0
    assert kept(engine) == before
    crm.tell("Ann", later(2), owner="Max")
    listen(engine, crm, at=later(3))
    assert [(row[2], row[4], row[5]) for row in kept(engine)] == [
        ("Eve", to_us(NOON), False), ("Max", to_us(later(3)), True),
    ]  # fmt: skip


def test_nothing_changed_later_than_it_was_heard(engine):
    """A CRM whose clock is ahead, or that does not tell, moves nothing into the future."""
    crm = Telling()
    crm.tell("Ann", later(60), owner="Eve")
    crm.tell("Bob", None, owner="Eve")
    crm.tell("Cat", datetime(1, 1, 1, tzinfo=UTC), owner="Eve")
    listen(engine, crm)
    assert [row[3:5] for row in kept(engine)] == [(to_us(NOON), to_us(NOON)), (None, to_us(NOON)), (None, to_us(NOON))]


def test_a_long_reading_hears_each_page_when_it_comes():
    """What changed while the first pages were read was not heard before it changed."""
    seconds = iter([0.0, 60.0, 120.0])
    crm = Telling(sizes=(1,))
    crm.tell("Ann", later(-1), owner="Eve")
    crm.tell("Bob", later(1.5), owner="Eve")
    with ledger() as engine:
        hear(engine, HERE, crm, READ, at=NOON, stopwatch=lambda: next(seconds))
        assert [(row[3], row[4]) for row in kept(engine)] == [
            (to_us(later(-1)), to_us(later(1))), (to_us(later(1.5)), to_us(later(2))),
        ]  # fmt: skip


def test_other_properties_are_read_from_the_beginning(engine):
    """What is read anew adds only what was never heard."""
    crm = Telling()
    crm.tell("Ann", later(-9), owner="Eve", stage="won")
    listen(engine, crm, ReadSettings(owner="owner"))
    listen(engine, crm, ReadSettings(stage="stage", owner="owner"))
    assert [cursor for cursor, _ in crm.asked] == ["", ""]
    assert [row[1:3] for row in kept(engine)] == [("owner", "Eve"), ("stage", "won")]
    listen(engine, crm, ReadSettings(owner="stage", stage="owner"))
    assert [cursor for cursor, _ in crm.asked] == ["", "", "1"]


def test_another_account_is_read_from_the_beginning(engine):
    """A cursor says nothing of another account; back at the first, all of it is told again, and what is new is kept."""
    old, new = Telling(), Telling()
    for name in ("Ann", "Bob", "Cat"):
        old.tell(name, owner="Eve")
    new.tell("Dan", owner="Eve")
    at = {account: Destination("crm", place) for account, place in (("old", "1"), ("new", "2"))}
    hear(engine, at["old"], old, READ, at=NOON, stopwatch=lambda: 0.0)
    assert hear(engine, at["new"], new, READ, at=later(5), stopwatch=lambda: 0.0).changes == 1
    assert new.asked[0][0] == ""
    assert read_until(engine, "crm", READ) == to_us(later(5))
    old.tell("Eli", owner="Eve")
    assert hear(engine, at["old"], old, READ, at=later(9), stopwatch=lambda: 0.0).changes == 1
    assert [cursor for cursor, _ in old.asked] == ["", "2", "", "2"]


def test_a_target_that_moved_back_holds_whom_it_held(engine):
    """Elsewhere nobody is left alone; where it is said first, it still is."""
    old, new = Telling(), Telling()
    old.tell("Ann", later(-9), do_not_call="yes")
    new.tell("Ann", later(-5), do_not_call="")
    for place, crm, held in (("old", old, ["Ann"]), ("new", new, []), ("old", old, ["Ann"]), ("old", old, ["Ann"])):
        hear(engine, Destination("crm", place), crm, READ, at=NOON, stopwatch=lambda: 0.0)
        assert overridden(engine, "crm", READ).to_pylist() == held
    assert [cursor for cursor, _ in old.asked] == ["", "", "1"]


@pytest.mark.parametrize(("place", "is_news"), [("new", True), ("old", False)])
def test_an_older_word_of_another_account_is_no_repeat(engine, place, is_news):
    """What the new account says counts, though the old one said the contrary later; in one account it is a repeat."""
    old, new = Telling(), Telling()
    old.tell("Ann", later(-90), do_not_call="yes")
    old.tell("Ann", later(-30), do_not_call="no")
    new.tell("Ann", later(-60), do_not_call="yes")
    hear(engine, Destination("crm", "old"), old, READ, at=NOON, stopwatch=lambda: 0.0)
    # With other properties the same account is read from its beginning too.
    again = READ.model_copy(update={"owner": ""}) if place == "old" else READ
    hear(engine, Destination("crm", place), new, again, at=later(5), stopwatch=lambda: 0.0)
    assert overridden(engine, "crm", READ).to_pylist() == (["Ann"] if is_news else [])


def test_two_targets_do_not_hear_each_other(engine):
    """The same lead stands differently in two CRMs."""
    crm = Telling()
    crm.tell("Ann", later(-9), owner="Eve")
    for name in ("one", "other"):
        assert hear(engine, Destination(name, ""), crm, READ, at=NOON, stopwatch=lambda: 0.0).changes == 1
    assert [row[5] for row in kept(engine)] == [True, True]


def test_a_crm_of_which_nothing_is_read_is_left_alone():
    """Without a property there is nothing to ask."""
    with ledger() as engine:
        assert listen(engine, None, ReadSettings()) == Heard()


def test_a_page_behind_which_there_is_none_ends_the_run():
    """A CRM that promises more and stands still is not asked for ever."""

    class Stuck:
        def changes(self, cursor: str, names: Sequence[str]) -> Changes:
            return Changes([Record("Ann", {"owner": "Eve"})], "5", is_more=True)

    with ledger() as engine:
        with pytest.raises(NotFinishedError, match="gives the same page"):
            listen(engine, Stuck())
        assert len(kept(engine)) == 1


@pytest.mark.parametrize(("n_before", "n_around"), [(0, 2), (1, 3), (5, 7), (40, 1)])
def test_pages_that_come_around_again_end_the_run(n_before, n_around):
    """However many pages lie before the circle and on it, and wherever a reading begins."""

    class Circling:
        def changes(self, cursor: str, names: Sequence[str]) -> Changes:
            page = int(cursor or 0) + 1
            page = page if page < n_before + n_around else n_before
            return Changes([Record("Ann", {"owner": "Eve"})], str(page), is_more=True)

    with ledger() as engine:
        for _ in range(2):
            with pytest.raises(NotFinishedError, match="gives the same pages"):
                listen(engine, Circling())
        assert len(kept(engine)) == 1


def test_two_readings_at_once_keep_everything_once(engine):
    """The one whose cursor was moved meanwhile keeps nothing, and says so."""
    crm = Telling()
    crm.tell("Ann", later(-9), owner="Eve")
    other = replace(crm, meanwhile=lambda: listen(engine, crm))
    with pytest.raises(NotFinishedError, match="Another run reads"):
        listen(engine, other)
    assert len(kept(engine)) == 1
    crm.tell("Ann", later(-8), owner="Max")
    other = replace(crm, asked=[], meanwhile=lambda: listen(engine, crm))
    with pytest.raises(NotFinishedError, match="Another run reads"):
        listen(engine, other)
    assert [row[2] for row in kept(engine)] == ["Eve", "Max"]


def test_keys_and_texts_that_no_database_takes_do_no_harm(engine):
    """A key that is no lead's is passed over; halves of characters and NULs leave a text."""
    crm = Telling()
    crm.tell("", later(-9), owner="Eve")
    crm.tell("x" * 401, later(-9), owner="Eve")
    crm.tell("An\0n", later(-9), owner="Eve")
    crm.tell("An\udc00n", later(-9), owner="Eve")
    crm.tell("Ann", later(-9), owner="E\0ve \ud800")
    listen(engine, crm)
    assert [row[:3] for row in kept(engine)] == [("Ann", "owner", "Eve ?")]


def test_a_reading_is_whole_only_at_its_end():
    """Until when a CRM was read is told by its last page, never by one on the way."""
    crm = Telling(sizes=(1,), pages_until_killed=1)
    crm.tell("Ann", later(-9), owner="Eve")
    crm.tell("Bob", later(-8), owner="Eve")
    with ledger() as engine:
        assert read_until(engine, "crm", READ) is None
        with pytest.raises(Killed):
            listen(engine, crm)
        assert read_until(engine, "crm", READ) is None
        crm.pages_until_killed = -1
        listen(engine, crm, at=later(5))
        assert read_until(engine, "crm", READ) == to_us(later(5))
        crm.pages_until_killed = 0
        with pytest.raises(Killed):
            listen(engine, crm, at=later(9))
        assert read_until(engine, "crm", READ) == to_us(later(5))


def test_more_leads_than_a_statement_holds():
    """A page of thousands is kept like many small ones."""
    crm = Telling(sizes=(5000,))
    for number in range(2500):
        crm.tell(f"lead {number}", later(-9), owner="Eve")
    for number in range(0, 2500, 2):
        crm.tell(f"lead {number}", later(-8), owner="Max")
    with ledger() as engine:
        assert listen(engine, crm).changes == 3750
        assert sum(row[5] for row in kept(engine)) == 2500


STORY = st.lists(
    st.tuples(
        st.sampled_from(["Ann", "Bob"]),
        st.dictionaries(st.sampled_from(["owner", "stage"]), st.sampled_from(["a", "b", "", None])),
    ),
    max_size=12,
)


def told(story) -> list[Record]:
    """Return a story as records, a minute apart."""
    return [Record(key, fields, later(minute - 100)) for minute, (key, fields) in enumerate(story)]


def expected(records: Sequence[Record]) -> list[tuple]:
    """Return what must be kept, one value at a time: lead, property, value, changed, newest."""
    found = []
    for record in records:
        for name in ("owner", "stage"):
            own = [row for row in found if row[:2] == (record.key, name)]
            value = record.fields.get(name) or None
            if name in record.fields and value != (own[-1][2] if own else None):
                found.append((record.key, name, value, to_us(record.changed_at)))
    return [(*row, not any(other[:2] == row[:2] for other in found[place + 1 :])) for place, row in enumerate(found)]


@given(STORY, st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 5))
def test_pages_of_any_size_and_with_repeats_tell_the_same(story, sizes, overlap):
    """However the changes are cut into pages, and whatever comes again: the ledger holds the same."""
    records = told(story)
    with ledger() as engine:
        listen(engine, Telling(records, sizes, overlap))
        assert sorted((*row[:4], row[5]) for row in map(_sortable, kept(engine))) == sorted(
            map(_sortable, expected(records))
        )


@given(STORY, st.lists(st.integers(0, 3), max_size=6), st.integers(0, 2))
def test_killed_between_pages_nothing_is_lost_and_nothing_doubled(story, lives, overlap):
    """A reading that dies again and again ends where one that lives does."""
    records = told(story)
    with ledger() as engine:
        for minute, pages in enumerate([*lives, -1]):
            crm = Telling(records, (2,), overlap, pages_until_killed=pages)
            try:
                listen(engine, crm, at=later(minute))
            except Killed:
                continue
        found = kept(engine)
        assert sorted((*row[:4], row[5]) for row in map(_sortable, found)) == sorted(map(_sortable, expected(records)))
        assert all(first[4] <= second[4] for first, second in pairwise(found))


def _sortable(row: tuple) -> tuple:
    return (*row[:2], row[2] or "", *row[3:])


def test_overrides_come_and_go(engine):
    """Held is whose property says anything but no now, however it is spelt."""
    crm = Telling()
    held = lambda: sorted(overridden(engine, "crm", READ).to_pylist())  # noqa: E731 - asked again and again
    assert held() == []
    crm.tell("Ann", later(-9), do_not_call="true", owner="Eve")
    crm.tell("Bob", later(-9), do_not_call=" No ")
    crm.tell("Cat", later(-9), do_not_call="FALSE")
    crm.tell("Dan", later(-9), do_not_call="please wait")
    crm.tell("Eve", later(-9), owner="true")
    listen(engine, crm)
    assert held() == ["Ann", "Dan"]
    crm.tell("Ann", later(1), do_not_call="")
    crm.tell("Bob", later(1), do_not_call="Yes")
    crm.tell("Dan", later(1), do_not_call="  ")
    listen(engine, crm, at=later(2))
    assert held() == ["Bob"]


def test_the_words_for_no_are_the_configs(engine):
    """A shop of another language says what means no."""
    crm = Telling()
    crm.tell("Ann", later(-9), do_not_call="Nein")
    crm.tell("Bob", later(-9), do_not_call="no")
    read = READ.model_copy(update={"no": ["NEIN "]})
    listen(engine, crm, read)
    assert overridden(engine, "crm", read).to_pylist() == ["Bob"]
    assert overridden(engine, "crm", ReadSettings(owner="owner")) == pa.array([], pa.string())


def test_what_was_heard_is_read_by_the_moment(engine):
    """What was heard later than the moment asked for is not given."""
    crm = Telling()
    crm.tell("Ann", later(-9), owner="Eve")
    listen(engine, crm)
    crm.tell("Ann", None, owner="Max", stage="won")
    listen(engine, crm, at=later(5))

    def read(until):
        rows = [row for batch in heard_rows(engine, "crm", ["owner"], until=to_us(until)) for row in batch.to_pylist()]
        return [(row["lead_id"], row["value"], row["changed_at"], row["heard_at"]) for row in rows]

    first, second = ("Ann", "Eve", to_us(later(-9)), to_us(NOON)), ("Ann", "Max", None, to_us(later(5)))
    assert (read(later(-1)), read(later(4)), read(later(5))) == ([], [first], [first, second])
