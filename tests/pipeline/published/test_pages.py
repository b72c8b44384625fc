"""Pages of the list against a slow oracle, and the laws that any paging must keep."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from pipeline.published import keys
from pipeline.published.asks import SORTS, Ask, Cursor
from pipeline.published.editions import Published
from pipeline.published.row_files import UNTOLD
from pipeline.published.run_files import SHOWN

BY_PEOPLE = frozenset(keys.of_lead(f"lead-{n}@shop.example") for n in (0, 7, 9, 40))
ASKS = (
    Ask(),
    Ask(grades=("A", "B")),
    Ask(grades=("",), temperatures=("hot", "warm")),
    Ask(stages=("cart",), sources=("ads", "")),
    Ask(segments=("new",)),
    Ask(segments=("new buyers", "nobody's")),
    Ask(held=True),
    Ask(held=True, overridden=frozenset()),
    Ask(held=True, overridden=BY_PEOPLE),
    Ask(held=False, overridden=BY_PEOPLE, sort="name"),
    Ask(held=False, actions=("call",)),
    Ask(held_codes=("override",)),
    Ask(reason_codes=("no_history",)),
    Ask(owners=("Rui",), text="ZOE"),
    Ask(text="żak"),
    Ask(text="jose da silva"),
    Ask(text="café"),
    Ask(text="nobody is called so"),
    Ask(grades=("Z",)),
)
_WHOLE = str.maketrans({"ł": "l", "\u0131": "i"})


def folded(text):
    """Fold text letter by letter, as a person would."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text).lower() if not unicodedata.combining(one))
    spaced = "".join(" " if unicodedata.category(one)[0] in "ZC" else one for one in bare)
    return " ".join(spaced.translate(_WHOLE).split())


def oracle(made, ask):
    """Return (lead_id, trigger_id) of all that *ask* leaves, in order, found row by row in Python."""
    people = {row["lead_id"]: row for row in made.people.to_pylist()}
    before = {(row["lead_id"], row["trigger_id"]): row for row in made.before.to_pylist()}
    rows = made.scores.to_pylist()
    rows.sort(key=lambda row: (row["rank"] is None, row["rank"] or 0, row["lead_id"], row["trigger_id"] or "~"))
    kept = []
    for place, row in enumerate(rows):
        person = people[row["lead_id"]]
        old = before.get((row["lead_id"], row["trigger_id"]), {}).get("score")
        row |= {
            "name": folded(person["display_name"] or "") or None,
            "company": folded((person["company"] or "")[:199] + ("…" * (len(person["company"] or "") > 200))) or None,
            "source": person["source"],
            "owner": person["owner"],
            "previous_score": old,
            "change": None if None in (old, row["score"]) else row["score"] - old,
            "place": place,
        }
        if is_asked(row, ask):
            kept.append(row)
    name, sign = ask.sort.removeprefix("-"), -1 if ask.sort.startswith("-") else 1
    known = [row for row in kept if row[name] is not None]
    known.sort(key=lambda row: row["place"])
    known.sort(key=lambda row: row[name], reverse=sign < 0)
    unknown = [row for row in kept if row[name] is None]
    return [(row["lead_id"], row["trigger_id"]) for row in [*known, *unknown]]


def is_asked(row, ask):
    """Say whether a row passes every filter."""
    one_of = {"grades": "grade", "temperatures": "temperature", "stages": "stage", "sources": "source",
              "owners": "owner", "actions": "action"}  # fmt: skip
    if any(getattr(ask, name) and (row[of] or "") not in getattr(ask, name) for name, of in one_of.items()):
        return False
    held, codes = row["held"] or [], (row["reason_code"] or "").split(",")
    sets = ((ask.segments, row["segments"] or []), (ask.held_codes, held), (ask.reason_codes, codes))
    if any(wanted and not set(wanted) & set(there) for wanted, there in sets):
        return False
    if ask.overridden is not None:
        held = {*held} - {"override"} | ({"override"} if keys.of_lead(row["lead_id"]) in ask.overridden else set())
    if ask.held is not None and bool(held) != ask.held:
        return False
    texts = [folded(row["lead_id"]), row["name"] or "", row["company"] or ""]
    return any(folded(ask.text) in text for text in texts)


def all_pages(edition, ask, size):
    """Walk to the last page and return its rows and those before, page by page."""
    pages, after = [], None
    while True:
        page = edition.page(with_(ask, after=after, size=size))
        pages.append(page)
        if page.next is None:
            return pages
        after = page.next


def with_(ask, **more):
    """Return *ask* with other values."""
    return Ask(**{**ask.__dict__, **more})


def named(rows):
    """Return what tells rows apart."""
    return [(row.lead_id, row.trigger_id) for row in rows]


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_laid_end_to_end_are_what_the_oracle_finds_forward_and_backward(shop, sort):
    """Under every order and filter, with ties and gaps, each lead is shown exactly once, and in place."""
    made = shop()
    edition = Published(made.workspace).open()
    for plain in ASKS:
        ask = with_(plain, sort=sort)
        expected = oracle(made, ask)
        pages = all_pages(edition, ask, 7)
        assert named(row for page in pages for row in page.rows) == expected, ask
        assert {page.total for page in pages} == {len(expected)}
        assert pages[0].previous is None
        backward, before = [], pages[-1].previous
        while before is not None:
            page = edition.page(with_(ask, before=before, size=7))
            backward = [*page.rows, *backward]
            before = page.previous
        assert named([*backward, *pages[-1].rows]) == expected


def test_rows_of_a_list_with_the_blocks_of_before_are_the_same(shop):
    """A list that does not say how long its blocks are has those of 128, and is read in place."""
    made = shop(300)
    before = Published(made.workspace).open().page(Ask(size=500))
    path = made.store.folder_of(made.run) / SHOWN
    with pa.ipc.open_file(path) as file:
        rows = file.read_all().replace_schema_metadata(None)
    with pa.ipc.new_file(path, rows.schema) as file:
        file.write_table(rows.combine_chunks(), max_chunksize=128)
    edition = Published(made.workspace).open()
    assert edition.page(Ask(size=500)) == before
    assert [edition.listed(row.lead_key)[0].lead_id for row in before.rows] == [row.lead_id for row in before.rows]


@pytest.mark.parametrize("sort", ["rank", "-change", "name"])
def test_an_export_is_all_pages(shop, sort):
    """What is exported is what is shown, column by column."""
    edition = Published(shop().workspace).open()
    for plain in ASKS:
        ask = with_(plain, sort=sort)
        exported = [row for batch in edition.export(ask) for row in batch.to_pylist()]
        shown = [row for page in all_pages(edition, ask, 7) for row in page.rows]
        assert [row.__dict__ for row in shown] == exported


def test_the_list_says_of_a_lead_what_its_full_row_says(shop):
    """Rows of the list and of the part lie at the same place; a lead is found by its key."""
    made = shop()
    edition = Published(made.workspace).open()
    rows = made.scores.select([name for name in made.scores.column_names if name not in UNTOLD]).to_pylist()
    stored = {(row["lead_id"], row["trigger_id"]): row for row in rows}
    for row in edition.page(Ask(size=500)).rows:
        full = [one for one in edition.lead(row.lead_key) if one["trigger_id"] == row.trigger_id]
        assert full == [stored[row.lead_id, row.trigger_id]]
        for name in ("rank", "score", "grade", "fit", "segments", "held", "as_of", "reason_code"):
            assert getattr(row, name) == full[0][name]
        assert row.reasons == full[0]["reasons"][:3]
        assert row.lead_key == keys.of_lead(row.lead_id) == keys.key_of(row.key)
    assert edition.lead(12345) == []
    assert edition.listed(12345) == []


@given(st.text())
def test_only_a_cursor_made_here_is_taken_for_one(text):
    """Any other text is refused with one clear error."""
    refused = ""
    try:
        assert Cursor.parse(Cursor.parse(text).text) == Cursor.parse(text)
    except LeadlightError as error:
        refused = str(error)
    assert not refused or "no place in this list" in refused


@given(st.sampled_from(SORTS), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_survives_the_url(sort, key):
    """Text and back is the same place."""
    assert Cursor.parse(Cursor(sort, key).text) == Cursor(sort, key)


def test_what_cannot_be_asked_is_refused(shop):
    """Unknown orders, places of another order, two places at once and pages of any size are named."""
    with pytest.raises(LeadlightError, match="did you mean 'change'"):
        Ask(sort="-chance")
    with pytest.raises(LeadlightError, match="no place in this list"):
        Ask(sort="name", after=Cursor("rank", 3))
    with pytest.raises(LeadlightError, match="not both"):
        Ask(after=Cursor("rank", 3), before=Cursor("rank", 3))
    with pytest.raises(LeadlightError, match="1 to 500 rows"):
        Ask(size=501)


def test_a_page_beyond_the_end_is_empty_and_leads_back(shop):
    """A cursor of a longer list of yesterday gives no rows today, and the way to the last ones."""
    edition = Published(shop().workspace).open()
    beyond = edition.page(Ask(after=Cursor("rank", 10_000)))
    assert (beyond.rows, beyond.next) == ([], None)
    assert edition.page(Ask(before=beyond.previous, size=500)).rows == edition.page(Ask(size=500)).rows


@pytest.mark.parametrize("text", ["\\", "%", "_", "' OR 1=1 --", '"', "\x00", "\n", "🦊" * 9, "x" * 10_000])
def test_a_search_is_compared_and_never_obeyed(shop, text):
    """Quotes, wildcards, control characters and great length find what they spell, which is nothing here."""
    edition = Published(shop().workspace).open()
    found = edition.page(Ask(text=text)).total
    assert found == (60 if not folded(text) else len(oracle(shop(), Ask(text=text))))


def test_a_search_finds_neither_mail_address_nor_phone(shop):
    """Only id, name and company are searched, even where the config lets the address be shown."""
    made = shop(personal=("display_name", "email"))
    edition = Published(made.workspace).open()
    row = next(row for row in edition.page(Ask(size=500)).rows if row.email)
    assert row.email.startswith("hidden")
    assert edition.page(Ask(text="hidden")).total == 0
    assert edition.page(Ask(text="cafe")).total == 0  # a company that may not be shown cannot be found either
