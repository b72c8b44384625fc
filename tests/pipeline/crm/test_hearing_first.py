"""Before anything is written to a CRM, whom its people want left alone by now is heard."""

from dataclasses import replace

import pytest

from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish import Wish
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.memory import Memory, kind_for
from support.publishing import YES, outside, published
from support.told import Telling


@pytest.fixture
def crm(memory) -> Telling:
    """Return what people do in the CRM."""
    told = Telling()
    memory.changes = told.changes
    return told


@pytest.fixture
def shop(tmp_path, crm) -> LittleShop:
    """Return a shop with scores of a night in which nobody is held, and an override that is read."""
    made = LittleShop(tmp_path / "shop", leads=60, crm={"crm": {"fields": FIELDS, "read": {"override": "stop"}}})
    made.score_all_free(0)
    return made


def test_who_is_to_be_left_alone_by_now_is_not_written(shop, memory, crm):
    """An override that was set after the last reading counts for the publication."""
    lead = shop.leads.ids[7].as_py()
    crm.tell(lead, stop="yes")
    assert published(shop).tally.held == 1
    assert lead not in memory.records


def test_a_connector_knows_by_which_property_leads_are_held(shop, monkeypatch):
    """Where it cannot hear that one, it must not write."""
    told = []
    kind = kind_for(Memory())
    monkeypatch.setattr(
        "pipeline.crm.targets.kind_of",
        lambda _: replace(kind, connect=lambda options, around: told.append(around) or kind.connect(options, around)),
    )
    published(shop)
    assert [around.override for around in told] == ["stop"]


def test_a_hold_counts_however_the_crm_spells_the_id(shop, memory, crm):
    """What it finds in any case, it tells in its own."""
    lead = shop.leads.ids[7].as_py()
    crm.tell(lead.upper(), stop="yes")
    assert published(shop).tally.held == 1
    assert lead not in memory.records


@pytest.mark.parametrize("where", ["in the CRM", "in Leadlight"])
def test_who_is_named_while_a_question_stands_is_left_alone(shop, memory, crm, where):
    """A person may think for hours before saying yes."""
    from pipeline.marks import marks_of

    lead = shop.leads.ids[7].as_py()

    def may(_question):
        if where == "in the CRM":
            crm.tell(lead, stop="yes")
        else:
            marks_of(shop.settings, {}).hold(lead, by="ana", at=shop.morning(0))
        return True

    report = published(shop, Wish(may=may))
    assert (report.tally.held, report.tally.written) == (1, 59)
    assert lead not in memory.records


def test_who_is_named_while_an_undoing_asks_is_left_alone(shop, memory, crm):
    """What it wrote there before stays."""
    first, lead = published(shop, YES).run, shop.leads.ids[7].as_py()
    stood = dict(memory.records[lead])

    def may(_question):
        crm.tell(lead, stop="yes")
        return True

    assert undo(shop.settings, first, may=may, outside=outside(shop)).tally.held == 1
    assert memory.records[lead] == stood


@pytest.mark.parametrize("is_taken_up", [False, True], ids=["begun", "taken up again"])
def test_who_is_to_be_left_alone_by_now_is_not_restored(shop, memory, crm, is_taken_up):
    """Taking a run back writes too: an override that was set since the run keeps the record as it is."""
    first, lead = published(shop, YES).run, shop.leads.ids[7].as_py()
    stood = dict(memory.records[lead])
    if is_taken_up:
        memory.on_send = _cut
        assert undo(shop.settings, first, may=lambda _: True, outside=outside(shop)).tally.pending == 60
        memory.on_send = lambda _: None
    crm.tell(lead, stop="yes")
    report = undo(shop.settings, first, may=lambda _: True, outside=outside(shop))
    assert (report.tally.written, report.tally.held, report.exit_code) == (59, 1, 0)
    assert memory.records.pop(lead) == stood
    assert {value for record in memory.records.values() for value in record.values()} == {None}


def _cut(_rows: object) -> None:
    raise StopError("the connection was cut", reason=StopReason.NETWORK)
