"""After `--resend` the ledger believes only what was answered since: whatever stood before may be lost."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.errors import LeadlightError
from pipeline.crm.given import Filters
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_checks import verify
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published

RESEND = replace(YES, resend=True)
LEADS = 300
LEFT = 20
"""Leads that left after the first night and were emptied."""


@pytest.fixture
def shop(tmp_path, memory) -> LittleShop:
    """Return a shop whose CRM lost all that was written in two nights; some leads left after the first."""
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {"fields": FIELDS}})
    made.score_all_free(0)
    published(made)
    made.score(1, without_the_first(made.free_scores(0)))
    published(made)
    memory.records.clear()
    return made


def without_the_first(scores):
    """Return scores without the leads that left."""
    return scores.filter(pc.greater_equal(scores["lead_id"], f"lead-{LEFT:08d}"))


def cut_after(memory, batches):
    """Let the connection be cut once so many batches were written."""
    sent = []

    def cut(_rows):
        with memory.lock:
            sent.append(1)
            if len(sent) > batches:
                raise StopError("cut", reason=StopReason.NETWORK)

    memory.on_send = cut


def mended(memory):
    """Let everything arrive from now on."""
    memory.on_send = lambda _: None


def believed_and_true(shop):
    """Return how many leads the ledger believes something of, and of how many that is true."""
    (found,) = verify(shop.settings, "", sample=10 * LEADS, outside=outside(shop)).verified
    return found.read, found.agree


def test_all_is_written_anew_and_the_next_run_has_no_news(shop, memory):
    """Leads that were emptied are emptied again, since a restored target may hold old scores of them."""
    memory.records.update({f"lead-{number:08d}": {"leadlight_score": 7} for number in range(LEFT)})
    assert published(shop, RESEND).tally.written == LEADS
    assert {memory.records[f"lead-{number:08d}"]["leadlight_score"] for number in range(LEFT)} == {None}
    assert believed_and_true(shop) == (LEADS, LEADS)
    again = published(shop)
    assert (again.tally.written, again.tally.unchanged) == (0, LEADS - LEFT)


def test_newer_scores_after_a_resending_that_was_cut_short_send_the_rest(shop, memory):
    """What the run that was given up had not written is sent, though its scores did not move."""
    cut_after(memory, 5)
    before = published(shop, RESEND).tally
    assert 0 < before.written < LEADS
    mended(memory)
    shop.score(2, without_the_first(shop.free_scores(0)))
    assert published(shop).tally.written == LEADS - before.written
    assert believed_and_true(shop) == (LEADS, LEADS)
    assert len(memory.records) == LEADS


def test_a_resending_that_was_cut_short_goes_on_by_itself(shop, memory):
    """A plain run of the same scores looks for nothing that the target lost, and sends what is pending."""
    shop.score(2, held(without_the_first(shop.free_scores(0)), "lead-00000020"))
    cut_after(memory, 5)
    before = published(shop, RESEND)
    mended(memory)
    again = published(shop)
    assert (again.is_resumed, again.run) == (True, before.run)
    assert again.tally.written == LEADS - 1
    assert believed_and_true(shop) == (LEADS - 1, LEADS - 1)


def held(scores, *leads):
    """Return scores in which some leads are held."""
    reasons = [["no consent"] if lead in leads else [] for lead in scores["lead_id"].to_pylist()]
    column = scores.schema.get_field_index("held")
    return scores.set_column(column, "held", pa.array(reasons, scores.schema.field("held").type))


@pytest.mark.parametrize("filters", [Filters(limit=10), Filters(only_grades=("A",))])
def test_a_resending_of_some_believes_nothing_of_the_others(shop, memory, filters):
    """The target lost them as well: the next run writes the rest."""
    some = published(shop, replace(RESEND, filters=filters)).tally.written
    assert 0 < some < LEADS - LEFT
    assert believed_and_true(shop) == (some, some)
    rest = published(shop).tally
    assert (rest.written, rest.unchanged) == (LEADS - some, some)
    assert believed_and_true(shop) == (LEADS, LEADS)


def test_who_was_held_is_written_once_it_is_free(shop, memory):
    """A resending leaves it alone; what stood for it before is no reason to leave it out later."""
    lead = "lead-00000042"
    shop.score(2, held(without_the_first(shop.free_scores(0)), lead))
    assert published(shop, RESEND).tally.held == 1
    assert lead not in memory.records
    shop.score(3, without_the_first(shop.free_scores(0)))
    assert published(shop).tally.written == 1
    assert memory.records[lead]["leadlight_score"] is not None


@pytest.mark.parametrize("wish", [replace(RESEND, is_dry=True), Wish(resend=True)])
def test_what_did_not_happen_changes_no_belief(shop, memory, wish):
    """A dry run, and one to which a person said no, leave the ledger as it was: the loss is still noticed."""
    publish(shop.settings, wish, outside=outside(shop))
    report = publish(shop.settings, YES, outside=outside(shop))
    assert "no longer holds what was written" in report.failures[0].message


def test_another_target_is_believed(shop, memory):
    """Only what stands at the place of the resending is in doubt."""
    fields = {f"other_{name}": source for name, source in FIELDS.items()}
    shop.configure({"crm": {"fields": FIELDS}, "other": {"fields": fields}})
    published(shop, replace(RESEND, to="other"))
    published(shop, replace(RESEND, to="crm"))
    assert published(shop, replace(YES, to="other")).tally.unchanged == LEADS - LEFT


def test_a_resending_that_was_cut_short_is_taken_back(shop, memory):
    """What it wrote is restored as the ledger knew it; what it had not written stays in doubt, and is sent later."""
    cut_after(memory, 5)
    cut = published(shop, RESEND)
    mended(memory)
    restored = undo(shop.settings, cut.run, may=lambda _: True, outside=outside(shop)).tally.written
    assert cut.tally.written <= restored < LEADS
    assert believed_and_true(shop) == (restored, restored)
    published(shop)
    assert believed_and_true(shop) == (LEADS, LEADS)


def test_an_earlier_run_is_looked_for_though_it_is_in_doubt(shop, memory):
    """Rows that a resending did not reach may still stand: taking back the run that wrote them finds them."""
    first = published(shop, RESEND).run
    published(shop, replace(RESEND, filters=Filters(limit=10)))
    assert undo(shop.settings, first, may=lambda _: True, outside=outside(shop)).tally.given == LEADS - 10


def test_a_target_that_refuses_at_once_is_still_in_doubt(shop, memory):
    """A resending that wrote nothing was asked for all the same: the next run does not call its leads unchanged."""
    cut_after(memory, 0)
    assert published(shop, RESEND).tally.written == 0
    mended(memory)
    assert published(shop).tally.written == LEADS
    with pytest.raises(LeadlightError):
        undo(shop.settings, 99, outside=outside(shop))
