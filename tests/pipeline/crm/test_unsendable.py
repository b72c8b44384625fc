"""A lead whose id has a NUL, as scores of before may hold one, is turned away with words, and is never another lead."""

from dataclasses import replace

import pyarrow as pa
import pytest

from pipeline.crm.ledger import opening
from pipeline.crm.promise import Answer, Outcome
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, published

LEADS = 20
CUT = "lead-00000007"
SPOILT = f"{CUT}\0x"


@pytest.fixture(params=["file", "server"])
def world(request, tmp_path):
    """Return where the ledger lies: in a file, and on a server that takes no NUL."""
    if request.param == "file":
        return {"environment": {opening.LEDGER: f"sqlite:///{tmp_path / 'ledger.db'}"}}
    return {"environment": {opening.LEDGER: request.getfixturevalue("postgresql").database()}}


@pytest.fixture
def shop(tmp_path) -> LittleShop:
    """Return a shop of whose leads one has an id that begins as another's."""
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {"fields": FIELDS}})
    scores = made.free_scores(0)
    ids = [SPOILT if lead_id == "lead-00000003" else lead_id for lead_id in scores["lead_id"].to_pylist()]
    made.score(0, scores.set_column(scores.schema.get_field_index("lead_id"), "lead_id", pa.array(ids)))
    return made


def test_it_is_accounted_for_every_time_and_never_sent(shop, memory, world):
    """It counts as rejected, stands in the letters with its NUL shown, and no asking again sends it."""
    for wish in (YES, YES, replace(YES, retry_rejected=True), replace(YES, resend=True)):
        report = published(shop, wish, **world)
        assert (report.tally.given, report.tally.rejected, report.exit_code) == (LEADS, 1, 1)
        letters = report.dead_letters.read_text(encoding="utf-8").splitlines()
        assert letters[1:] == [f"{CUT}␀x,,its id has a NUL character; nothing was sent,,"]
    assert SPOILT not in memory.records
    assert len(memory.records) == LEADS - 1


def test_what_the_crm_says_of_the_lead_that_it_looks_like_is_kept_apart(shop, memory, world):
    """A refusal of the other lead is one letter beside it, night after night."""
    memory.on_send = lambda rows: [
        Answer(row.key, Outcome.REJECTED, "no such record", "NOT_FOUND") for row in rows if row.key == CUT
    ]
    for wish in (YES, YES, replace(YES, retry_rejected=True), YES):
        report = published(shop, wish, **world)
        assert (report.tally.rejected, report.tally.pending) == (2, 0)
        assert [line.split(",")[0] for line in report.dead_letters.read_text("utf-8").splitlines()[1:]] == [
            CUT,
            f"{CUT}␀x",
        ]


def test_a_plan_counts_it_as_it_will_be(shop, memory, world):
    """A dry run sends nothing and shows the same sums."""
    tally = published(shop, replace(YES, is_dry=True), **world).tally
    assert (tally.pending, tally.rejected) == (LEADS - 1, 1)
