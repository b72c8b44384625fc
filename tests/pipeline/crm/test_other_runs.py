"""What other runs wrote to a lead is known to a ledger in a file and on a server alike."""

from dataclasses import replace

from pipeline.crm.ledger import opening
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published


def test_an_undoing_knows_what_other_runs_wrote_before_and_perhaps_after(tmp_path, url, memory):
    """A field that the run between did not know is restored, and what a later run left on its way is not emptied."""
    shop = LittleShop(tmp_path / "shop", leads=40, crm={"crm": {"fields": FIELDS}})
    there, resend = {opening.LEDGER: url}, replace(YES, resend=True)
    memory.at_once = 1
    for night, fields in enumerate([FIELDS, {"leadlight_score": "score"}, FIELDS]):
        shop.configure({"crm": {"fields": fields}})
        shop.score_all_free(20 * night)
        before = {lead: dict(record) for lead, record in memory.records.items()}
        run = published(shop, resend, 20 * night, environment=there).run
    shop.score_all_free(60)
    memory.on_send = memory.takes_and_is_cut
    later = published(shop, resend, 60, environment=there).run
    memory.on_send = lambda _: None
    arrived = {lead: dict(memory.records[lead]) for lead in memory.sent[-1]}

    def taken_back(number):
        undo(shop.settings, number, may=lambda _: True, outside=outside(shop, 60, environment=there))

    taken_back(run)
    assert memory.records == {**before, **arrived}
    taken_back(later)
    taken_back(run)
    assert memory.records == before
