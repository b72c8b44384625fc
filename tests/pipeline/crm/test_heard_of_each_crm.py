"""What people did in a CRM comes back whole: from its stand-in through the connector to holds, tables and scores."""

from datetime import timedelta

import pytest
import yaml

from pipeline.crm.patience import Patience
from pipeline.crm.session import Outside
from pipeline.holds import held_in_crms
from pipeline.stages.listen import listen
from pipeline.stages.publish_checks import set_up
from pipeline.stages.run import run
from pipeline.stages.run_steps import NightWish
from pipeline.workspace import Workspace
from support.night_shop import HISTORY, LEADS, NightShop, before_dawn
from support.people import PEOPLE
from support.places import place_called
from support.told_shop import moment, rows_of

IDS = [f"L{number:02d}" for number in range(LEADS)]
LEAD, WHEN = "L03", moment("2024-04-05T10:00")
DAWN = before_dawn(HISTORY - 1)


@pytest.fixture(params=PEOPLE)
def place(request, tmp_path):
    """Return each CRM in turn, in which every lead has a record."""
    with place_called(request.param, tmp_path / "place", IDS) as made:
        yield made


@pytest.fixture
def people(place):
    """Return those who work in it."""
    return PEOPLE[place.name](place)


@pytest.fixture
def shop(place, people, tmp_path):
    """Return a shop whose nights hear the CRM, and write to it."""
    made = NightShop(tmp_path / "shop")
    told = {table: {"crm": place.name} for table in ("outcomes", "lead_states")}
    tables = yaml.safe_load(made.path.read_text(encoding="utf-8"))["tables"] | told
    made.configure(crm=place.crm(read=people.read), tables=tables)
    (done,) = set_up(made.settings, "", outside=around(place)).set_up
    assert done.faults == ()
    return made


def around(place, hours=0):
    """Return the world some hours after the night begins, in which nobody waits for long."""
    quick = Patience(most_s=20, first_s=0.01, longest_s=0.05)
    return Outside(place.environment, quick, lambda: DAWN + timedelta(hours=hours))


def night(shop, place, hours):
    """Run a night to its end."""
    report = run(shop.settings, NightWish(may=lambda _: True), outside=around(place, hours))
    assert report.exit_code == 0, [step.words for step in report.steps]


def told(shop):
    """Return what the tables know of what happened in the CRM: when, since when that is known, what."""
    tables = Workspace(shop.settings.shop.workspace).tables()
    return {
        "outcomes": rows_of(tables, "outcomes", "occurred_at", "known_at", "outcome"),
        "lead_states": rows_of(tables, "lead_states", "occurred_at", "known_at", "owner", "stage"),
    }


def test_what_people_did_holds_the_lead_and_fills_the_tables_once(shop, place, people):
    """An override, an owner, a stage and an outcome are heard once, known since then, and the lead is left alone."""
    people.say(LEAD, WHEN, hold="yes", owner="Eve", stage="Working", outcome=people.won)
    (first,) = listen(shop.settings, "", outside=around(place)).heard
    assert first.changes == 4
    assert held_in_crms(shop.settings, {}).to_pylist() == [LEAD]
    night(shop, place, hours=1)
    occurred = "04-05 10:00" if people.tells_when else "04-06 03:00"
    known = {
        "outcomes": [(LEAD, occurred, "04-06 03:00", "won")],
        "lead_states": [(LEAD, occurred, "04-06 03:00", "Eve", "Working")],
    }
    assert told(shop) == known
    (scores,) = shop.stored().values()
    assert {row["lead_id"]: row["held"] for row in scores if row["held"]} == {LEAD: ["held_in_crm"]}
    assert set(place.state()) == set(IDS) - {LEAD}
    (second,) = listen(shop.settings, "", outside=around(place, hours=2)).heard
    assert second.changes == 0
    night(shop, place, hours=3)
    assert told(shop) == known


def test_who_is_let_go_is_written_again(shop, place, people):
    """The newest word counts: an override that was taken back holds nobody in the next night."""
    people.say(LEAD, WHEN, hold="yes")
    night(shop, place, hours=1)
    assert LEAD not in place.state()
    people.say(LEAD, DAWN + timedelta(hours=7), hold="no")
    shop.write_days([HISTORY])
    night(shop, place, hours=24)
    assert set(place.state()) == set(IDS)


def test_a_misspelt_override_stops_before_anybody_is_written_to(shop, place, people):
    """A CRM that lacks the property would be read as if nobody were held."""
    people.say(LEAD, WHEN, hold="yes")
    misspelt = {**people.read, "override": people.read["override"].replace("o", "oo", 1)}
    shop.configure(crm=place.crm(read=misspelt))
    report = run(shop.settings, NightWish(may=lambda _: True), outside=around(place))
    assert report.exit_code == 2
    assert any(misspelt["override"] in step.words for step in report.steps)
    assert place.state() == {}


def test_an_override_that_goes_away_releases_nobody(shop, place, people):
    """Where its property is removed, the lead stays held, and nobody is written to until a person mends it."""
    people.say(LEAD, WHEN, hold="yes")
    night(shop, place, hours=1)
    people.say(LEAD, DAWN + timedelta(hours=7), stage="OPEN")
    people.remove_hold()
    shop.write_days([HISTORY])
    before = place.state()
    report = run(shop.settings, NightWish(may=lambda _: True), outside=around(place, 24))
    assert report.exit_code == 2
    assert place.state() == before
    assert held_in_crms(shop.settings, {}).to_pylist() == [LEAD]
