"""Resolution against a slow reader that asks, at every moment, what was known and whose it was."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.moments import NEVER, to_us
from features.resolve import ResolveOptions, resolve
from features.timeline import LINK_MADE_KNOWN, LINK_TOOK_AWAY, Timelines, microseconds

BASE = datetime(2024, 5, 1, tzinfo=UTC)
LOADED = datetime(2025, 1, 1, tzinfo=UTC)
MOST = 2


@dataclass(frozen=True)
class Row:
    """One version of an event; times are ticks after `BASE`."""

    row_id: str
    lead: str | None
    visitor: str | None
    occurred: int
    recorded: int | None
    item: str

    @property
    def known(self) -> int:
        return self.occurred if self.recorded is None else max(self.occurred, self.recorded)


@dataclass(frozen=True)
class Link:
    """One identity link; times are ticks after `BASE`."""

    visitor: str
    lead: str
    linked: int
    recorded: int | None

    @property
    def known(self) -> int:
        return self.linked if self.recorded is None else max(self.linked, self.recorded)


def owner(row: Row, links: list[Link]) -> str | None:
    """Return whose *row* is when exactly *links* are known."""
    if row.lead is not None:
        return row.lead
    own = [link for link in links if link.visitor == row.visitor]
    if len({link.lead for link in own}) > MOST:
        return None
    before = [link for link in own if link.linked <= row.occurred]
    after = [link for link in own if link.linked > row.occurred]
    in_order = lambda link: (link.linked, link.known, link.lead)  # noqa: E731
    if before:
        return max(before, key=in_order).lead
    return min(after, key=in_order).lead if after else None


def seen(rows: list[Row], links: list[Link], moment: int, *, links_at_moment: bool) -> set[tuple[str, str, str]]:
    """Return (lead, id, item) of what could be seen at *moment*."""
    known_links = [link for link in links if link.known < moment or (links_at_moment and link.known == moment)]
    found = set()
    for row_id in {row.row_id for row in rows}:
        versions = [row for row in rows if row.row_id == row_id and row.known < moment]
        if versions:
            newest = max(versions, key=lambda row: row.known if row.recorded is None else row.recorded)
            lead = owner(newest, known_links)
            if lead is not None:
                found.add((lead, row_id, newest.item))
    return found


def seen_in(timelines: Timelines, tick: timedelta, moment: int, *, as_label: bool) -> set[tuple[str, str, str]]:
    """Return the same from resolved rows, by the rule that readers apply."""
    table = timelines.tables["events"]
    bits = table["link_bits"].to_numpy()
    known, superseded = microseconds(table["known_at"]), microseconds(table["superseded_at"])
    if as_label:
        known = known + ((bits & LINK_MADE_KNOWN) != 0)
        superseded = superseded + (((bits & LINK_TOOK_AWAY) != 0) & (superseded != NEVER))
    at = to_us(BASE + moment * tick)
    visible = (known < at) & (at <= superseded)
    leads = dict(zip(timelines.leads["lead_no"].to_pylist(), timelines.leads["lead_id"].to_pylist(), strict=True))
    rows = table.filter(pa.array(visible))
    found = list(zip(rows["lead_no"].to_pylist(), rows["row_id"].to_pylist(), rows["item"].to_pylist(), strict=True))
    assert len(found) == len(set(found))
    return {(leads[lead], row_id, item) for lead, row_id, item in found}


def resolved(rows: list[Row], links: list[Link], tick: timedelta) -> Timelines:
    """Resolve *rows* and *links* in memory."""
    at = lambda ticks: None if ticks is None else BASE + ticks * tick  # noqa: E731
    moment = pa.timestamp("us", tz="UTC")
    events = pa.table(
        {
            "event_id": pa.array([row.row_id for row in rows], pa.string()),
            "lead_id": pa.array([row.lead for row in rows], pa.string()),
            "visitor_id": pa.array([row.visitor for row in rows], pa.string()),
            "occurred_at": pa.array([at(row.occurred) for row in rows], moment),
            "recorded_at": pa.array([at(row.recorded) for row in rows], moment),
            "type": pa.array(["view"] * len(rows), pa.string()),
            "item": pa.array([row.item for row in rows], pa.string()),
        }
    )
    identities = pa.table(
        {
            "visitor_id": pa.array([link.visitor for link in links], pa.string()),
            "lead_id": pa.array([link.lead for link in links], pa.string()),
            "linked_at": pa.array([at(link.linked) for link in links], moment),
            "recorded_at": pa.array([at(link.recorded) for link in links], moment),
        }
    )
    options = ResolveOptions(max_leads_per_visitor=MOST)
    return resolve({"events": events, "identities": identities}, loaded_at=LOADED, options=options)


TICKS = st.integers(0, 8)
LATE = st.one_of(st.none(), st.integers(0, 10))
LINKS = st.lists(
    st.builds(Link, st.sampled_from("vw"), st.sampled_from(["Ann", "Bob", "Cid"]), TICKS, LATE), max_size=6, unique=True
)


@st.composite
def histories(draw):
    """Draw events with versions: every version of an id has its own time of recording."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        whose = draw(st.sampled_from([("Ann", None), (None, "v"), (None, "w"), ("Bob", "v")]))
        recorded = draw(st.lists(st.integers(0, 10), max_size=3, unique=True))
        for version, moment in enumerate(recorded or [None]):
            row = Row(str(number), *whose, draw(TICKS), moment, item=f"{number}.{version}")
            rows.append(row)
    return rows


@pytest.mark.parametrize("tick", [timedelta(microseconds=1), timedelta(hours=1)], ids=["microseconds", "hours"])
@settings(max_examples=40)
@given(rows=histories(), links=LINKS)
def test_timelines_show_at_every_moment_what_was_known_and_whose_it_was(tick, rows, links):
    """At every as_of the resolved rows are the newest versions known before, under the owner known by then."""
    timelines = resolved(rows, links, tick)
    for moment in range(13):
        expected = seen(rows, links, moment, links_at_moment=True)
        assert seen_in(timelines, tick, moment, as_label=False) == expected, moment


@settings(max_examples=40)
@given(rows=histories(), links=LINKS)
def test_labels_count_links_strictly_before_the_decision(rows, links):
    """With the microsecond of links taken back, rows are those whose link was known before the moment."""
    tick = timedelta(microseconds=1)
    timelines = resolved(rows, links, tick)
    for moment in range(13):
        expected = seen(rows, links, moment, links_at_moment=False)
        assert seen_in(timelines, tick, moment, as_label=True) == expected, moment


def test_a_row_lost_to_a_link_a_microsecond_after_it_was_known_was_its_first_owners_until_then():
    """A visit of a day is known at its last microsecond; a link made at the midnight after it takes it away then."""
    tick = timedelta(microseconds=1)
    rows = [Row("visit", None, "v", occurred=3, recorded=None, item="x")]
    links = [Link("v", "Ann", linked=1, recorded=None), Link("v", "Bob", linked=2, recorded=4)]
    timelines = resolved(rows, links, tick)
    for moment in range(7):
        for as_label in (False, True):
            expected = seen(rows, links, moment, links_at_moment=not as_label)
            assert seen_in(timelines, tick, moment, as_label=as_label) == expected, (moment, as_label)


@settings(max_examples=25)
@given(rows=histories(), links=LINKS, moment=st.integers(1, 10), data=st.data())
def test_what_becomes_known_at_a_moment_changes_nothing_before_it(rows, links, moment, data):
    """Leaving out any rows and links known at or after a moment leaves everything visible before it as it was."""
    tick = timedelta(hours=1)
    kept_rows = [row for row in rows if row.known < moment or data.draw(st.booleans())]
    kept_links = [link for link in links if link.known < moment or data.draw(st.booleans())]
    whole, part = resolved(rows, links, tick), resolved(kept_rows, kept_links, tick)
    for earlier in range(moment):
        assert seen_in(whole, tick, earlier, as_label=False) == seen_in(part, tick, earlier, as_label=False)


@settings(max_examples=15)
@given(rows=histories(), links=LINKS, data=st.data())
def test_the_order_of_rows_changes_nothing(rows, links, data):
    """Shuffled tables resolve to equal timelines."""
    tick = timedelta(hours=1)
    shuffled = resolved(data.draw(st.permutations(rows)), data.draw(st.permutations(links)), tick)
    assert shuffled.tables["events"].equals(resolved(rows, links, tick).tables["events"])
