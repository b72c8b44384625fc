"""What was heard from a CRM reaches the tables right about time, and nothing else changes."""

import shutil
from dataclasses import replace

import pytest

from features.errors import LeadlightError
from features.moments import from_us
from pipeline.histories import asked
from pipeline.holds import held_in_crms, overridden
from pipeline.marks import marks_of
from pipeline.stages.ingest import ingest
from support.told_shop import ToldShop, moment

NOON = "2024-06-01T12:00"
STAGE = {
    "name": "sales_stage", "family": "fit", "kind": "category", "unit": "category", "windows": ["ever"],
    "phrase": {"many": "sales stage: {n}", "missing": "sales stage not known"},
    "measure": {"kind": "last", "table": "lead_states", "column": "stage"},
}  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    """Return a shop beside a CRM."""
    return ToldShop(tmp_path)


def test_an_outcome_occurred_then_and_is_known_since_it_was_heard(shop):
    """The CRM says when, the reading says since when that is known; values without a meaning are no outcomes."""
    shop.crm.tell("Ann", moment("2024-05-10"), deal="ClosedWon ")
    shop.crm.tell("Bob", None, deal="closedlost")
    shop.crm.tell("Cat", moment("2024-05-12"), deal="negotiating")
    shop.hear("2024-05-15T03:00")
    shop.ingest(NOON)
    assert shop.rows("outcomes", "occurred_at", "known_at", "outcome") == [
        ("Ann", "05-10 00:00", "05-15 03:00", "won"),
        ("Bob", "05-15 03:00", "05-15 03:00", "lost"),
    ]


def test_values_without_a_list_are_outcomes_as_they_stand(shop):
    """A CRM that has the words needs no mapping."""
    shop.read["outcomes"] = ["lifecycle"]
    shop.crm.tell("Ann", moment("2024-05-10"), lifecycle=" customer ")
    shop.crm.tell("Bob", moment("2024-05-10"), lifecycle=" ")
    shop.hear("2024-05-15")
    shop.ingest(NOON)
    assert shop.rows("outcomes", "outcome") == [("Ann", "customer")]


def test_a_state_is_owner_and_stage_after_every_change(shop):
    """What a change does not speak of stands as it stood; what was emptied is empty."""
    shop.crm.tell("Ann", moment("2024-05-01"), owner="Max", stage="new", do_not_call="no")
    shop.hear("2024-05-02")
    shop.crm.tell("Ann", moment("2024-05-03"), stage="talking")
    shop.hear("2024-05-04")
    shop.crm.tell("Ann", moment("2024-05-05"), owner="")
    shop.crm.tell("Ann", moment("2024-05-05"), do_not_call="yes")
    shop.hear("2024-05-06")
    shop.ingest(NOON)
    assert shop.rows("lead_states", "occurred_at", "known_at", "owner", "stage") == [
        ("Ann", "05-01 00:00", "05-02 00:00", "Max", "new"),
        ("Ann", "05-03 00:00", "05-04 00:00", "Max", "talking"),
        ("Ann", "05-05 00:00", "05-06 00:00", None, "talking"),
    ]


def test_what_was_heard_later_did_not_occur_earlier(shop):
    """A CRM that tells an old time for a new value does not make the former value the newest."""
    shop.crm.tell("Ann", None, stage="new")
    shop.hear("2024-05-02")
    shop.crm.tell("Ann", moment("2024-05-01"), stage="won")
    shop.hear("2024-05-03")
    shop.ingest(NOON)
    assert shop.rows("lead_states", "occurred_at", "stage") == [
        ("Ann", "05-02 00:00", "new"),
        ("Ann", "05-02 00:00", "won"),
    ]


def test_reading_the_ledger_again_adds_nothing(shop):
    """Rows that a later load finds again are the same rows; only what was heard since is new."""
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedwon", stage="won")
    shop.hear("2024-05-15")
    shop.ingest("2024-05-16")
    assert not shop.ingest("2024-05-17").is_changed
    shop.crm.tell("Bob", moment("2024-05-18"), deal="closedlost")
    shop.hear("2024-05-19")
    again = shop.ingest("2024-05-20")
    assert (again.tables["outcomes"].kept, again.tables["outcomes"].new_versions) == (1, 0)
    assert (again.tables["lead_states"].kept, again.tables["lead_states"].new_versions) == (0, 0)


def lose_the_ledger(shop):
    """Remove it, so that the CRM is read from the beginning."""
    for file in (shop.folder / "workspace").glob("*ledger.db*"):
        file.unlink()


def test_a_ledger_that_was_lost_tells_nothing_twice(shop):
    """The rows are known by what they say, and stay known since they were first heard."""
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedwon", owner="Max", stage="new")
    shop.crm.tell("Bob", moment("2024-05-11"), stage="new")
    shop.hear("2024-05-15")
    shop.crm.tell("Ann", moment("2024-05-16"), stage="won")
    shop.hear("2024-05-17")
    shop.ingest("2024-05-18")
    held = {table: shop.rows(table, "occurred_at", "known_at") for table in ("outcomes", "lead_states")}
    lose_the_ledger(shop)
    shop.hear("2024-05-20")
    again = shop.ingest("2024-05-21").tables
    assert [(again[table].kept, again[table].new_versions) for table in held] == [(0, 0), (0, 0)]
    assert {table: shop.rows(table, "occurred_at", "known_at") for table in held} == held


@pytest.mark.parametrize("changed", [None, "2024-05-19"])
def test_how_everybody_stands_is_no_news_for_a_new_ledger(shop, changed):
    """What a CRM tells again under no time, or under a later one, is no news; what changes afterwards is."""
    shop.crm.tell("Ann", None if changed is None else moment("2024-05-10"), deal="closedlost", owner="Max")
    shop.hear("2024-05-15")
    shop.crm.tell("Ann", None if changed is None else moment("2024-05-16"), deal="closedwon", stage="won")
    shop.hear("2024-05-17")
    shop.ingest("2024-05-18")
    held = {table: shop.rows(table, "occurred_at", "known_at") for table in ("outcomes", "lead_states")}
    assert [len(rows) for rows in held.values()] == [2, 2]
    lose_the_ledger(shop)
    shop.crm.records.clear()
    shop.crm.tell("Ann", changed and moment(changed), deal="closedwon", owner="Max", stage="won")
    shop.hear("2024-05-20")
    shop.ingest("2024-05-21")
    assert {table: shop.rows(table, "occurred_at", "known_at") for table in held} == held
    shop.crm.tell("Ann", changed and moment("2024-05-22"), deal="closedlost", stage="new")
    shop.hear("2024-05-23")
    shop.crm.tell("Ann", changed and moment("2024-05-24"), deal="closedwon", stage="won")
    shop.hear("2024-05-25")
    for load in ("2024-05-26", "2024-05-27"):
        shop.ingest(load)
        assert shop.rows("outcomes", "known_at", "outcome")[2:] == [
            ("Ann", "05-23 00:00", "lost"), ("Ann", "05-25 00:00", "won"),
        ]  # fmt: skip
        assert shop.rows("lead_states", "known_at", "stage")[2:] == [
            ("Ann", "05-23 00:00", "new"), ("Ann", "05-25 00:00", "won"),
        ]  # fmt: skip


def test_what_changed_while_there_was_no_ledger_is_news(shop):
    """A new ledger tells what stands otherwise than the lost one knew, known since it was heard."""
    shop.crm.tell("Ann", None, deal="closedlost", stage="lost")
    shop.hear("2024-05-15")
    shop.ingest("2024-05-16")
    lose_the_ledger(shop)
    shop.crm.records.clear()
    shop.crm.tell("Ann", None, deal="closedwon", stage="won")
    shop.hear("2024-05-20")
    shop.ingest("2024-05-21")
    assert shop.rows("outcomes", "known_at", "outcome")[1:] == [("Ann", "05-20 00:00", "won")]
    assert shop.rows("lead_states", "known_at", "stage")[1:] == [("Ann", "05-20 00:00", "won")]


DAYS = ("2024-05-01", "2024-05-05", "2024-06-01")


@pytest.mark.parametrize("is_timed", [False, True])
@pytest.mark.parametrize(
    "outcomes", [["deal"], ["deal", "lifecycle"], [{"property": "deal", "values": {"yes": "yes", "no": "no"}}]]
)
def test_what_stood_once_and_stands_again_is_news(shop, outcomes, is_timed):
    """A new ledger's first word is compared with the last one of the lost ledger on that property alone."""
    shop.read["outcomes"] = outcomes
    for day, said in zip(DAYS[:2], ("yes", "no"), strict=True):
        shop.crm.tell("Ann", moment(day) if is_timed else None, deal=said)
        shop.hear(day)
    shop.crm.tell("Ann", None, lifecycle="vip")
    shop.hear("2024-05-06")
    shop.ingest("2024-05-07")
    held = shop.rows("outcomes", "outcome")
    lose_the_ledger(shop)
    shop.crm.records.clear()
    shop.crm.tell("Ann", moment(DAYS[2]) if is_timed else None, deal="yes", lifecycle="vip")
    shop.hear(DAYS[2])
    for load in ("2024-06-02", "2024-06-03"):
        shop.ingest(load)
        assert shop.rows("outcomes", "known_at", "outcome")[len(held) :] == [("Ann", "06-01 00:00", "yes")]


def test_a_ledger_put_back_from_a_copy_tells_what_it_lacks_once(shop):
    """What was heard after the copy was made is no news when it is told again; what people change from then on is."""
    workspace = shop.folder / "workspace"
    shop.crm.tell("Ann", moment("2024-05-01"), deal="closedwon", stage="won")
    shop.hear("2024-05-01T06:00")
    shutil.copy(workspace / "ledger.db", shop.folder / "copy.db")
    shop.crm.tell("Ann", moment("2024-05-05"), deal="closedlost", stage="lost")
    shop.hear("2024-05-05T06:00")
    shop.ingest("2024-05-06")
    held = {table: shop.rows(table, "occurred_at", "known_at") for table in ("outcomes", "lead_states")}
    lose_the_ledger(shop)
    shutil.copy(shop.folder / "copy.db", workspace / "ledger.db")
    shop.crm.records[1] = replace(shop.crm.records[1], changed_at=moment("2024-05-07"))
    shop.hear("2024-05-08")
    shop.ingest("2024-05-09")
    assert {table: shop.rows(table, "occurred_at", "known_at") for table in held} == held
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedwon", stage="won")
    shop.hear("2024-05-11")
    shop.ingest("2024-05-12")
    assert shop.rows("outcomes", "known_at", "outcome")[2:] == [("Ann", "05-11 00:00", "won")]
    assert shop.rows("lead_states", "known_at", "stage")[2:] == [("Ann", "05-11 00:00", "won")]


def test_an_outcome_that_came_twice_in_what_the_crm_calls_one_moment_came_twice(shop):
    """A CRM whose moments are coarse tells won, lost and won as three outcomes, and after a loss none of them again."""
    for day, said in (("2024-05-15", "closedwon"), ("2024-05-16", "closedlost"), ("2024-05-17", "closedwon")):
        shop.crm.tell("Ann", moment("2024-05-10"), deal=said)
        shop.hear(day)
    told = shop.ingest("2024-05-18").tables["outcomes"]
    assert (told.kept, told.new_versions) == (3, 0)
    assert shop.rows("outcomes", "outcome") == [("Ann", "won"), ("Ann", "lost"), ("Ann", "won")]
    lose_the_ledger(shop)
    shop.crm.records = [replace(shop.crm.records[-1], changed_at=None)]
    shop.hear("2024-05-20")
    shop.ingest("2024-05-21")
    assert len(shop.rows("outcomes")) == 3


def test_texts_are_told_apart_where_they_meet(shop):
    """What stands between two texts in a row's id may stand in the texts as well."""
    shop.read["outcomes"] = ["a", "a|Ann"]
    shop.write(
        "orders3.csv", "order_id,lead_id,ordered_at,amount", "3,Ann|x,2024-05-01 10:00,1", "4,x,2024-05-01 10:00,1"
    )
    shop.crm.tell("Ann|x", moment("2024-05-10"), a="y")
    shop.crm.tell("x", moment("2024-05-10"), **{"a|Ann": "y"})
    shop.crm.tell("Bob", moment("2024-05-10"), owner="a|=b", stage="c")
    shop.hear("2024-05-15")
    shop.crm.tell("Bob", moment("2024-05-10"), owner="a", stage="b|=c")
    shop.hear("2024-05-16")
    shop.ingest("2024-05-17")
    assert shop.rows("outcomes", "outcome") == [("Ann|x", "y"), ("x", "y")]
    assert shop.rows("lead_states", "owner", "stage") == [("Bob", "a|=b", "c"), ("Bob", "a", "b|=c")]


def test_a_lead_that_stands_as_before_at_the_same_moment_stands_so_again(shop):
    """A CRM whose moments are coarse does not make the value in between the newest."""
    for day, stage in (("2024-05-15", "new"), ("2024-05-16", "won"), ("2024-05-17", "new")):
        shop.crm.tell("Ann", moment("2024-05-10"), stage=stage)
        shop.hear(day)
    shop.ingest("2024-05-18")
    assert shop.rows("lead_states", "stage") == [("Ann", "new"), ("Ann", "won"), ("Ann", "new")]


def test_what_is_heard_after_the_load_waits_for_the_next(shop):
    """A reading whose moment lies after the load's is no fault, and is let in later."""
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedwon")
    shop.hear("2024-05-15")
    first = shop.ingest("2024-05-14")
    assert (first.has_rejects, shop.rows("outcomes")) == (False, [])
    shop.ingest("2024-05-16")
    assert shop.rows("outcomes", "outcome") == [("Ann", "won")]


def test_leads_that_only_the_crm_knows_do_not_come_to_exist(shop):
    """A stranger's outcome is no lead, and a lead does not exist since a CRM spoke of it."""
    shop.crm.tell("Stranger", moment("2024-05-10"), deal="closedwon", stage="won", owner="Max")
    shop.crm.tell("Ann", moment("2020-01-01"), deal="closedwon", stage="won")
    shop.hear("2023-06-01")
    assert shop.ingest(NOON).leads == 3
    leads = shop.ingested.timelines(0).leads
    assert leads["lead_id"].to_pylist() == ["Ann", "Bob", "Cat"]
    assert min(leads["exists_from"].to_pylist()) == moment("2024-01-01T23:59:59.999999")
    assert [row[0] for row in shop.rows("lead_states")] == ["Ann"]


def test_a_lead_that_comes_later_brings_what_was_heard_of_it(shop):
    """The rows of a stranger are kept, and belong to the lead once there is one."""
    shop.crm.tell("Dan", moment("2024-05-10"), deal="closedwon")
    shop.hear("2024-05-11")
    shop.ingest("2024-05-12")
    shop.write("orders2.csv", "order_id,lead_id,ordered_at,amount", "3,Dan,2024-05-15 10:00,10")
    shop.ingest("2024-05-16")
    assert shop.rows("outcomes", "known_at") == [("Dan", "05-11 00:00")]


def test_a_feature_sees_nothing_before_it_was_heard(shop):
    """Though it happened weeks before, at the moment of the reading it is not known yet, and right after it is."""
    shop.features = {"add": [STAGE]}
    shop.crm.tell("Ann", moment("2024-02-01"), stage="new")
    shop.hear("2024-04-01")
    shop.crm.tell("Ann", moment("2024-05-01"), stage="won")
    shop.hear("2024-05-15T03:00")
    shop.ingest(NOON)
    features = [one for one in asked(shop.settings, shop.ingested)[1] if one.concept == "sales_stage"]
    stage = lambda when: shop.asked(when, features)["Ann"]  # noqa: E731 - asked again and again
    assert stage("2024-03-01") == [None]
    assert stage("2024-05-10") == ["new"]
    assert stage("2024-05-15T03:00") == ["new"]
    assert stage("2024-05-15T03:00:00.000001") == ["won"]


def test_an_owner_is_known_from_the_reading_on(shop):
    """Before it the list of leads is asked, and where the CRM names nobody it is asked again."""
    shop.crm.tell("Ann", moment("2024-05-01"), owner="Max")
    shop.crm.tell("Cat", moment("2024-05-01"), owner="Max")
    shop.hear("2024-05-10")
    shop.crm.tell("Ann", moment("2024-05-12"), owner=None)
    shop.hear("2024-05-13")
    shop.ingest(NOON)
    assert shop.owners("2024-05-10") == {"Ann": "Eve", "Bob": "Eve", "Cat": None}
    assert shop.owners("2024-05-11") == {"Ann": "Max", "Bob": "Eve", "Cat": "Max"}
    assert shop.owners("2024-05-14") == {"Ann": "Eve", "Bob": "Eve", "Cat": "Max"}


def test_a_shop_whose_leads_have_no_owner_has_those_of_the_crm(shop):
    """The column comes with the states."""
    shop.write("leads.csv", "lead_id,created_at", "Ann,2024-01-01", "Bob,2024-01-01")
    shop.crm.tell("Ann", moment("2024-05-01"), owner="Max")
    shop.hear("2024-05-10")
    shop.ingest(NOON)
    assert shop.owners(NOON) == {"Ann": "Max", "Bob": None}


def until(shop, table="outcomes"):
    """Return until when a table's data reach."""
    return from_us(shop.ingested.coverage[table].data_until)


def test_a_quiet_crm_holds_no_moment_of_scoring_back(shop):
    """A table reaches to the last whole reading, however long ago its last row is."""
    shop.crm.tell("Ann", moment("2024-02-01"), deal="closedwon", stage="won")
    shop.hear("2024-02-02")
    shop.ingest("2024-05-21")
    assert until(shop) == moment("2024-02-02")
    shop.hear("2024-05-22")
    report = shop.ingest("2024-05-23")
    assert report.is_changed
    assert (until(shop), until(shop, "lead_states")) == (moment("2024-05-22"),) * 2
    assert until(shop, "orders") == moment("2024-05-03T10:00")
    assert not shop.ingest("2024-05-24").is_changed


def test_a_crm_in_which_nothing_ever_happened_was_read_all_the_same(shop):
    """Its tables are there without rows, with a span, and later rows come as they would anyway."""
    shop.features = {"add": [STAGE]}
    shop.hear("2024-05-22")
    report = shop.ingest("2024-05-23")
    assert (report.tables["outcomes"].total, until(shop)) == (0, moment("2024-05-22"))
    asked(shop.settings, shop.ingested)
    for day in (24, 26):
        shop.crm.tell("Ann", moment(f"2024-05-{day}"), deal="closedwon", stage=f"{day}")
        shop.crm.tell("Ann", moment(f"2024-05-{day}T01:00"), deal="")
        shop.hear(f"2024-05-{day}T12:00")
        shop.ingest(f"2024-05-{day + 1}")
    assert shop.rows("outcomes", "occurred_at") == [("Ann", "05-24 00:00"), ("Ann", "05-26 00:00")]
    assert shop.rows("lead_states", "stage") == [("Ann", "24"), ("Ann", "26")]


def test_a_crm_that_was_never_read_stops_nothing(shop):
    """No ledger is made by asking for it, and the second load finds nothing new."""
    shop.ingest("2024-05-23")
    assert not list((shop.folder / "workspace").glob("*ledger*"))
    assert until(shop) == moment("2024-05-23")
    assert not shop.ingest("2024-05-24").is_changed


def test_a_file_beside_the_crm_is_read_as_ever(shop):
    """A table may have both; the rows of the file make leads, those of the CRM do not."""
    shop.write("outcomes.csv", "outcome_id,lead_id,occurred_at,outcome", "1,Fay,2024-03-01 10:00,won")
    shop.tables["outcomes"] = [{"path": "outcomes.csv"}, {"crm": "hubspot"}]
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedlost")
    shop.crm.tell("Stranger", moment("2024-05-10"), deal="closedlost")
    shop.hear("2024-05-15")
    assert shop.ingest(NOON).leads == 4
    assert shop.rows("outcomes", "outcome") == [("Ann", "lost"), ("Fay", "won")]
    assert until(shop) == moment("2024-05-15")


def test_other_words_for_outcomes_are_read_from_the_ledger_anew(shop):
    """What the ledger kept is mapped anew, known since it was heard, without forgetting any other table."""
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedwon")
    shop.hear("2024-05-15")
    shop.ingest("2024-05-16")
    shop.crm.tell("Bob", moment("2024-05-17"), deal="closedwon")
    shop.hear("2024-05-18")
    shop.ingest("2024-05-19")
    shop.read["outcomes"] = [{"property": "deal", "values": {"closedwon": "customer"}}]
    shop.ingest("2024-05-20")
    assert shop.rows("outcomes", "known_at", "outcome") == [
        ("Ann", "05-15 00:00", "customer"), ("Bob", "05-18 00:00", "customer"),
    ]  # fmt: skip


@pytest.mark.parametrize("loads", [1, 2])
def test_a_mapping_that_changes_after_a_loss_forgets_nothing_unasked(shop, loads):
    """Where the ledger no longer tells all that is known, other words for outcomes are refused."""
    shop.crm.tell("Ann", moment("2024-05-10"), deal="closedlost")
    shop.hear("2024-05-11")
    shop.crm.tell("Ann", moment("2024-05-12"), deal="closedwon")
    shop.hear("2024-05-13")
    shop.ingest("2024-05-14")
    lose_the_ledger(shop)
    shop.crm.records = [replace(shop.crm.records[-1], changed_at=None)]
    shop.hear("2024-05-15")
    if loads > 1:
        shop.crm.tell("Bob", moment("2024-05-16"), deal="closedwon")
        shop.hear("2024-05-17")
        shop.ingest("2024-05-18")
    held = shop.rows("outcomes", "known_at", "outcome")
    shop.read["outcomes"] = [{"property": "deal", "values": {"closedwon": "customer"}}]
    with pytest.raises(LeadlightError, match=r"outcomes: .*the ledger no longer tells(?s:.*)--rebuild"):
        shop.ingest("2024-05-20")
    assert shop.rows("outcomes", "known_at", "outcome") == held
    ingest(shop.settings, now=moment("2024-05-20"), rebuild=True)
    assert ("Ann", "05-15 00:00", "customer") in shop.rows("outcomes", "known_at", "outcome")


def test_outcomes_of_a_crm_are_what_a_model_learns_from(shop):
    """A question about outcomes is judged by what sales did, as far as it was known when the label was decided."""
    shop.question = {
        "conversion": {"table": "outcomes", "where": {"outcome": "won"}}, "horizon_days": 7,
        "snapshots": {"every": "7d"},
    }  # fmt: skip
    shop.crm.tell("Cat", moment("2024-01-01"), deal="closedlost")
    shop.hear("2024-04-01")
    shop.crm.tell("Ann", moment("2024-05-07"), deal="closedwon")
    shop.hear("2024-05-08")
    shop.crm.tell("Bob", moment("2024-05-07"), deal="closedwon")
    shop.hear("2024-05-28")
    shop.ingest(NOON)
    table = shop.histories.training_table()
    converted = table.labels["converted"].to_pylist()
    found = {
        (lead, f"{as_of:%m-%d}")
        for lead, as_of, is_won in zip(
            table.keys["lead_id"].to_pylist(), table.keys["as_of"].to_pylist(), converted, strict=True
        )
        if is_won
    }
    # Nobody knew on 13 May that Bob had been won on the 7th.
    assert found == {("Ann", "05-06")}


def test_who_is_held_in_a_crm_is_held(shop):
    """The newest word of any CRM counts beside the marks; without a ledger no file is made."""
    at = moment(NOON)
    assert overridden(shop.settings, at=at).to_pylist() == []
    assert not (shop.folder / "workspace").exists()
    shop.crm.tell("Ann", moment("2024-05-10"), do_not_call="yes")
    shop.crm.tell("Bob", moment("2024-05-10"), do_not_call="yes")
    shop.hear("2024-05-15")
    marks_of(shop.settings).hold("Ann", by="Eve", at=moment("2024-05-16"))
    marks_of(shop.settings).hold("Cat", by="Eve", at=moment("2024-05-16"))
    assert sorted(overridden(shop.settings, at=at).to_pylist()) == ["Ann", "Bob", "Cat"]
    shop.crm.tell("Bob", moment("2024-05-17"), do_not_call="no")
    shop.hear("2024-05-18")
    assert held_in_crms(shop.settings).to_pylist() == ["Ann"]
    shop.read.pop("override")
    assert held_in_crms(shop.settings).to_pylist() == []


CRM = {"crm": "hubspot"}


@pytest.mark.parametrize(
    ("tables", "read", "words"),
    [
        ({"outcomes": {"crm": "hubspott"}}, {}, "no target 'hubspott' under crm (did you mean 'hubspot'?)"),
        ({"orders": CRM}, {}, "tables.orders.crm: a CRM tells outcomes and lead_states alone"),
        ({"outcomes": CRM}, {"outcomes": []}, "tables.outcomes.crm: crm.hubspot.read names no outcomes"),
        ({"lead_states": CRM}, {"owner": "", "stage": ""}, "crm.hubspot.read names no owner or stage"),
        ({"outcomes": CRM | {"mode": "full"}}, {}, "tables.outcomes.mode: has no meaning beside crm"),
        ({"outcomes": CRM | {"path": "x.csv"}}, {}, "give either path or query, or crm"),
        ({"leads": None, "orders": None}, {}, "name a table of the shop's own as well"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(shop, tables, read, words):
    """Every fault is told before any work."""
    shop.tables = {name: spec for name, spec in (shop.tables | tables).items() if spec is not None}
    shop.read |= read
    with pytest.raises(LeadlightError) as refused:
        _ = shop.settings
    assert words in str(refused.value)


def test_a_ledger_that_is_damaged_stops_the_load(shop):
    """Nothing is taken in without what people did in the CRM, and the way out is told."""
    (shop.folder / "workspace").mkdir()
    (shop.folder / "workspace" / "ledger.db").write_bytes(b"no database" * 500)
    with pytest.raises(LeadlightError, match=r"is damaged(?s:.*)restore it from a copy"):
        shop.ingest(NOON)
