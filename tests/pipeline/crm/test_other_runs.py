"""What other runs wrote to a lead is known to a ledger in a file and on a server alike."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import insert, make_url, update

from pipeline.crm.ledger import opening, runs
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.other_runs import maybe_written, written_before
from pipeline.crm.ledger.tables import BATCHES, ROWS
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.publishing import YES, outside, published

LEADS = ["ada", "bo", "cy", "di", "ed", "flo", "gus"]
PLACES = [Destination("crm", "here"), Destination("crm", "there"), Destination("files", "here")]


def some_run(connection, random, earlier):
    """Write a run of any past down: return it, its rows, and the state of each of its batches."""
    undoes = random.choice([None, *(run.id for run, _, _ in earlier)])
    kind = runs.RunKind.PUBLISH if undoes is None else runs.RunKind.UNDO
    asked = runs.Asked(random.choice(PLACES), kind, 0, "model", {}, "mapping", (), undoes)
    number = runs.begin(connection, asked, at=datetime(2024, 1, 1, tzinfo=UTC))
    leads = random.sample(LEADS, random.randint(0, len(LEADS)))
    runs.seal(connection, number, runs.Planned(given=len(leads), rows=len(leads)), batch_size=3)
    rows = [
        {
            "run_id": number, "number": at, "lead_id": lead, "state": random.choice(["written", "pending", "rejected"]),
            "payload": json.dumps({name: random.randint(0, 99) for name in random.sample("abc", random.randint(1, 3))}),
        }
        for at, lead in enumerate(leads)
    ]  # fmt: skip
    batches = [random.choice(["pending", "in_flight", "done"]) for _ in range(-(-len(rows) // 3))]
    if rows:
        connection.execute(insert(ROWS), rows)
    for at, state in enumerate(batches):
        connection.execute(
            update(BATCHES).where(BATCHES.c.run_id == number, BATCHES.c.number == at).values(state=state)
        )
    return runs.get(connection, number), rows, batches


def accounted(past, run):
    """Return, run by run and lead by lead, what was written before *run*, and what is on its way since and by whom."""
    before, cut_short, after = {}, [], {}
    for other, rows, batches in past:
        if other.asked.destination != run.asked.destination:
            continue
        is_after = other.id > run.id and other.asked.undoes != run.id and "in_flight" in batches
        cut_short += [other] if is_after else []
        for row in rows:
            payload = json.loads(row["payload"])
            if other.id < run.id and row["state"] == "written":
                before.setdefault(row["lead_id"], {}).update(payload)
            if is_after and row["state"] == "pending" and batches[row["number"] // 3] == "in_flight":
                after.setdefault(row["lead_id"], []).append(payload)
    return before, cut_short, after


def in_any_order(found):
    """Return lists of payloads in an order of their own."""
    return {lead: sorted(map(json.dumps, payloads)) for lead, payloads in found.items()}


@pytest.mark.parametrize("seed", range(5))
def test_a_ledger_of_any_past_agrees_with_a_plain_account_of_it(url, seed):
    """Whichever run is asked about, and about whichever leads."""
    random, past = Random(seed), []
    engine = opening.opened(make_url(url))
    with engine.begin() as connection:
        for _ in range(14):
            past.append(some_run(connection, random, past))
        for run, _, _ in past:
            before, cut_short, after = accounted(past, run)
            asked = random.sample(LEADS, 5)
            assert written_before(connection, run, asked) == {lead: before[lead] for lead in asked if lead in before}
            assert runs.cut_short_after(connection, run) == cut_short
            found = maybe_written(connection, cut_short, asked)
            assert in_any_order(found) == in_any_order({lead: after[lead] for lead in asked if lead in after})
    engine.dispose()


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
