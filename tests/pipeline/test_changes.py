"""What changed for the leads of a shop small enough to check in the head, scored by a points card, load after load."""

import io
import json
import shutil
from datetime import UTC, datetime

import pytest
from rich.console import Console
from typer.testing import CliRunner

from features.errors import LeadlightError
from models import what_changed as why
from pipeline.change_table import CHANGES
from pipeline.changes import Versions, all_changes, change_between, what_changed
from pipeline.cli.app import app
from pipeline.cli.show_change import show_change
from pipeline.score_store import ScoreStore
from pipeline.scored_twice import StoredScore, stored_score
from pipeline.settings import parse
from pipeline.stages.explain_change import explain_change
from pipeline.stages.ingest import ingest
from pipeline.stages.score import score
from pipeline.timeline_files import bucket_of
from pipeline.workspace import Workspace

OLD, NEW = "2024-05-10", "2024-05-20"
CARD = """
base: 5
rules:
  - {name: ordered, group: engagement, points: 10, table: orders, where: {is_cancelled: false}, within: 14}
  - {name: visited, group: engagement, points: 3, table: sessions, within: 14}
  - {name: pro, group: fit, points: 7, attribute: plan, is: pro}
"""
LEADS = [
    "ann,2024-01-01,2024-01-01,free", "bob,2024-01-01,2024-01-01,free", "cat,2024-01-01,2024-01-01,free",
    "dan,2024-01-01,2024-01-01,pro", "eve,2024-01-01,2024-01-01,free",
]  # fmt: skip
ORDERS = [
    "1,ann,2024-05-01T10:00:00,2024-05-01T10:00:00,,20",  # leaves the window of 14 days by the 20th
    "2,bob,2024-05-08T10:00:00,2024-05-08T10:00:00,,20",
    "3,cat,2024-05-09T10:00:00,2024-05-09T10:00:00,2024-05-12T00:00:00,20",  # cancelled between the two runs
]
VISITS = ["v1,,x,2024-05-08T08:00:00"]
LINKS = ["y,ann,2024-01-05T00:00:00"]
EARLIER = {"leads": LEADS, "orders": ORDERS, "sessions": VISITS, "identities": LINKS}
LATER = {
    "leads": ["bob,2024-01-01,2024-05-11,pro", "fay,2024-05-15,2024-05-15,pro"],
    "orders": [
        "4,bob,2024-05-15T10:00:00,2024-05-15T10:00:00,,20",
        "5,dan,2024-05-09T10:00:00,2024-05-14T10:00:00,,20",  # recorded late
    ],
    "sessions": ["v2,eve,,2024-05-16T08:00:00"],
    "identities": ["x,eve,2024-05-13T00:00:00"],  # makes the visit of the 8th known as Eve's
}
HEADS = {
    "leads": "who,since,recorded_at,plan",
    "orders": "id,who,at,recorded_at,cancelled_at,amount",
    "sessions": "id,who,visitor,at",
    "identities": "visitor,who,linked",
}
COLUMNS = {
    "leads": {"lead_id": "who", "created_at": "since"},
    "orders": {"order_id": "id", "lead_id": "who", "ordered_at": "at"},
    "sessions": {"session_id": "id", "lead_id": "who", "visitor_id": "visitor", "started_at": "at"},
    "identities": {"visitor_id": "visitor", "lead_id": "who", "linked_at": "linked"},
}
COVERED = {"data_from": "2024-01-01T00:00:00Z", "data_until": "2024-06-01T00:00:00Z"}
EXPECTED = {
    # lead: (old total, time, activity, facts, model), whole points; 10 an order, 3 a visit, 7 the plan
    "ann": (10, -10, 0, 0, 0),
    "bob": (10, 0, 10, 7, 0),
    "cat": (10, 0, -10, 0, 0),
    "dan": (7, 0, 10, 0, 0),
    "eve": (0, 0, 6, 0, 0),
}


class Shop:
    """The shop's files, its config and its workspace in a folder of their own."""

    def __init__(self, folder, *, cohort="everyone", buckets=3):
        self.folder, self.cohort, self.buckets = folder, cohort, buckets
        self.write(**EARLIER)
        self.card(CARD)

    def write(self, **tables):
        for name, lines in tables.items():
            (self.folder / f"{name}.csv").write_text("\n".join([HEADS[name], *lines]) + "\n")

    def card(self, text):
        (self.folder / "points.yaml").write_text(text)

    def settings(self, **question):
        tables = {name: {"path": f"{name}.csv", "columns": columns, **COVERED} for name, columns in COLUMNS.items()}
        tables["leads"]["attributes"] = {"plan": {"type": "text"}}
        raw = {
            "shop": {"name": "By hand"},
            "tables": tables,
            "ingest": {"buckets": self.buckets},
            "question": {"conversion": {"table": "orders"}, "cohort": {"who": self.cohort}, **question},
            "points": {"card": "points.yaml"},
        }
        return parse(raw, place=self.folder / "leadlight.yaml")

    def run(self, day):
        """Score as of a day."""
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        report = score(self.settings(), as_of=at, scored_at=datetime(2024, 6, 2, tzinfo=UTC))
        return self.store.find(int(at.timestamp()) * 1_000_000, report.model_version)

    def load(self, day="2024-06-01", *, rebuild=False):
        ingest(self.settings(), now=datetime.fromisoformat(f"{day}T01:00:00Z"), rebuild=rebuild)

    def grow(self):
        """Add what became known after the older run."""
        self.write(**{name: [*EARLIER[name], *more] for name, more in LATER.items()})

    @property
    def store(self):
        return ScoreStore(Workspace(self.folder / "workspace"))

    def changes(self, old, new):
        """Return every lead's row of what changed."""
        table = all_changes(self.settings(), old, new)
        assert table.schema == CHANGES
        return {row["lead_id"]: row for row in table.to_pylist()}


@pytest.fixture
def shop(tmp_path):
    """Return the shop with everything known, scored at both moments."""
    made = Shop(tmp_path)
    made.grow()
    made.load()
    return made


def steps_of(row):
    """Return a row's steps in whole points."""
    return tuple(row[name] // 100 for name in why.STEPS)


def test_each_step_is_what_a_person_would_count(shop):
    """An order grows old, another is cancelled, recorded late or linked: each counts where it belongs."""
    found = shop.changes(shop.run(OLD), shop.run(NEW))
    for lead, (old, *steps) in EXPECTED.items():
        row = found[lead]
        assert (row["old_hundredths"], *steps_of(row)) == (100 * old, *steps), lead
        assert row["new_hundredths"] == 100 * (old + sum(steps))
        assert row["why_not"] is None
    assert (found["fay"]["why_not"], found["fay"]["time"]) == (why.NOT_SCORED_THEN, None)


def test_a_new_card_is_the_model_s_step(shop):
    """The card of then reads the lead as it is now; what the new card says beyond that is the last step."""
    old = shop.run(OLD)
    shop.card(CARD.replace("points: 10", "points: 4").replace("base: 5", "base: 9"))
    new = shop.run(NEW)
    found = shop.changes(old, new)
    for lead, (_, time, activity, facts, _) in EXPECTED.items():
        orders = {"bob": 2, "dan": 1}.get(lead, 0)
        assert steps_of(found[lead]) == (time, activity, facts, -6 * orders), lead
    told = explain_change(shop.settings(), "bob", since=datetime(2024, 5, 10))[0]
    assert (told.old_score, told.new_score) == (5 + 10, 9 + 4 + 4 + 7)
    assert told.old_score + sum(line.points for line in told.steps) + told.limits == told.new_score
    assert told.steps[-1].points == -12 + 4


def test_between_two_runs_of_one_moment_only_the_model_moves(shop):
    """Nothing passes and nothing is learned within a moment."""
    old = shop.run(NEW)
    shop.card(CARD.replace("points: 3", "points: 5"))
    found = shop.changes(old, shop.run(NEW))
    assert {lead: steps_of(row) for lead, row in found.items()} == {
        lead: (0, 0, 0, 4 if lead == "eve" else 0) for lead in (*EXPECTED, "fay")
    }


def test_news_that_came_with_a_later_load_changes_no_step(tmp_path):
    """What counts is when a row was known, not in which load it came: two loads give the steps of one."""
    shop = Shop(tmp_path)
    shop.write(orders=[line.replace("2024-05-12T00:00:00", "") for line in ORDERS])
    shop.load(OLD)
    old = shop.run(OLD)
    shop.grow()
    shop.load("2024-05-19")
    found = shop.changes(old, shop.run(NEW))
    for lead, (_, *steps) in EXPECTED.items():
        assert steps_of(found[lead]) == tuple(steps), lead


def test_a_lead_alone_gets_the_steps_that_it_gets_among_all(shop):
    """One lead read from its own rows is bitwise the row of the whole shop's table, and so is an order of rows."""
    old, new = shop.run(OLD), shop.run(NEW)
    for lead, row in shop.changes(old, new).items():
        alone = what_changed(shop.settings(), lead, None, old=old, new=new)
        assert (alone.old_hundredths, alone.new_hundredths) == (row["old_hundredths"], row["new_hundredths"])
        assert alone.why_not == (row["why_not"] or "")
        assert alone.steps == (None if row["why_not"] else {name: row[name] for name in why.STEPS})


def test_the_order_of_rows_and_the_number_of_buckets_change_nothing(shop, tmp_path_factory):
    """The same shop in files turned upside down, in another number of buckets, gives the same table."""
    other = Shop(tmp_path_factory.mktemp("turned"), buckets=1)
    other.write(**{name: [*EARLIER[name], *more][::-1] for name, more in LATER.items()})
    other.load()
    assert other.changes(other.run(OLD), other.run(NEW)) == shop.changes(shop.run(OLD), shop.run(NEW))


def test_a_lead_that_left_the_cohort_on_the_way_keeps_its_steps(tmp_path):
    """Whoever was scored twice is looked at twice: the cohort hides nobody in between, and says who left."""
    shop = Shop(tmp_path, cohort="prospects")
    shop.grow()
    shop.load()
    old, new = shop.run(OLD), shop.run(NEW)
    found = shop.changes(old, new)
    # Dan's order was recorded after the 10th; what is known now makes him a customer.
    assert {lead: row["why_not"] for lead, row in found.items()} == {
        "dan": why.NOT_SCORED_NOW, "eve": None, "cat": why.NOT_SCORED_THEN, "fay": why.NOT_SCORED_THEN
    }  # fmt: skip
    assert steps_of(found["eve"]) == (0, 6, 0, 0)


@pytest.mark.parametrize("whose", ["old", "new"])
def test_a_card_that_is_gone_leaves_the_total(shop, whose):
    """Without what scored then (or now) the total alone is told, and why, in both forms."""
    old = shop.run(OLD)
    shop.card(CARD.replace("points: 3", "points: 4"))
    new = shop.run(NEW)
    gone = old if whose == "old" else new
    (shop.folder / "workspace" / "points" / f"{gone.model_version}.json").unlink()
    code = why.MODEL_GONE if whose == "old" else why.NEW_MODEL_GONE
    assert {row["why_not"] for lead, row in shop.changes(old, new).items() if lead != "fay"} == {code}
    alone = what_changed(shop.settings(), "bob", None, old=old, new=new)
    assert (alone.steps, alone.why_not, alone.old_hundredths, alone.new_hundredths) == (None, code, 1000, 2700)
    assert (alone.shown.old, alone.shown.lines, alone.shown.new) == (15, (17,), 32)


def test_rows_that_were_changed_behind_a_score_leave_the_total(shop):
    """Loaded anew with another past, a lead's scores cannot be told apart; those of others can."""
    old, new = shop.run(OLD), shop.run(NEW)
    lines = (shop.folder / "orders.csv").read_text()
    (shop.folder / "orders.csv").write_text(lines.replace("2,bob,2024-05-08", "2,bob,2024-04-08"))
    shop.load(rebuild=True)
    found = shop.changes(old, new)
    assert found["bob"]["why_not"] == why.ROWS_CHANGED_THEN
    assert what_changed(shop.settings(), "bob", None, old=old, new=new).shown.lines == (17,)
    assert steps_of(found["ann"]) == EXPECTED["ann"][1:]
    (shop.folder / "orders.csv").write_text(lines.replace("4,bob,2024-05-15", "4,bob,2024-05-25"))
    shop.load(rebuild=True)
    assert shop.changes(old, new)["bob"]["why_not"] == why.ROWS_CHANGED_NOW


def test_rows_that_are_gone_leave_the_total(shop):
    """A lead that the tables no longer hold, a column that is gone, tables that are gone: the total alone."""
    old, new = shop.run(OLD), shop.run(NEW)
    shop.write(**{**EARLIER, "leads": [line for line in LEADS if not line.startswith("dan")]})
    shop.load(rebuild=True)
    assert shop.changes(old, new)["dan"]["why_not"] == why.ROWS_GONE
    assert what_changed(shop.settings(), "dan", None, old=old, new=new).why_not == why.ROWS_GONE
    shutil.rmtree(shop.folder / "workspace" / "tables")
    alone = what_changed(shop.settings(), "bob", None, old=old, new=new)
    assert (alone.why_not, alone.shown.lines) == (why.ROWS_GONE, (17,))
    assert shop.changes(old, new)["bob"]["why_not"] == why.ROWS_GONE


def test_a_score_whose_run_is_gone_leaves_the_total(shop):
    """A history that kept the points alone still gives the total."""
    new = shop.run(NEW)
    kept = StoredScore(datetime(2024, 5, 10, tzinfo=UTC), 15, 1000, None, {})
    now = stored_score(shop.store.path(new), "bob", None)
    versions = Versions(new.model_version, new.model_version)
    found = change_between(shop.settings(), "bob", None, old=kept, new=now, versions=versions)
    assert (found.why_not, found.shown.lines) == (why.RUN_GONE, (17,))


def test_triggers_keep_their_moment_so_only_the_model_moves(shop):
    """A trigger is asked about at its own moment in every run: what was recorded since is not read there."""
    asks = {"snapshots": {"trigger": {"table": "orders"}}, "horizon_days": 30}
    settings = shop.settings(**asks)
    shop.settings = lambda: settings
    old = shop.run(OLD)
    shop.card(CARD.replace("points: 7", "points: 9").replace("points: 3", "points: 4"))
    new = shop.run(NEW)
    table = all_changes(settings, old, new).to_pylist()
    found = {(row["lead_id"], row["trigger_id"]): row for row in table}
    both = {key: steps_of(row) for key, row in found.items() if row["why_not"] is None}
    assert both
    assert {steps[:3] for steps in both.values()} == {(0, 0, 0)}
    assert {row["why_not"] for row in table} == {None, why.NOT_SCORED_THEN, why.NOT_SCORED_NOW}
    for (lead, trigger), steps in both.items():
        alone = what_changed(settings, lead, trigger, old=old, new=new)
        assert tuple(alone.steps[name] // 100 for name in why.STEPS) == steps


def test_runs_in_the_wrong_order_and_unknown_leads_are_refused(shop):
    """Time does not run backwards, and a lead of neither run has no change."""
    old, new = shop.run(OLD), shop.run(NEW)
    with pytest.raises(LeadlightError, match="later moment"):
        all_changes(shop.settings(), new, old)
    with pytest.raises(LeadlightError, match="Neither run"):
        what_changed(shop.settings(), "nobody", None, old=old, new=new)


def test_a_lead_lies_in_the_bucket_that_its_id_says(shop):
    """The bucket of one lead, told in Python, is the one in which the load put it."""
    tables = shop.store._workspace.tables()
    for bucket in range(tables.buckets):
        for lead in tables.timelines(bucket, columns={}).leads["lead_id"].to_pylist():
            assert bucket_of(lead, buckets=tables.buckets) == bucket
    assert tables.timelines_of("nobody", columns={}) is None


def test_people_read_a_sum_that_adds_up(shop):
    """The printed lines are the old score, each step in words, and the new score; JSON says the same."""
    shop.run(OLD)
    shop.run(NEW)
    console = Console(file=io.StringIO(), width=100)
    show_change(console, explain_change(shop.settings(), "bob", since=datetime(2024, 5, 12)))
    lines = [line.split(maxsplit=1) for line in console.file.getvalue().splitlines() if line.startswith("  ")]
    assert [text for _, text in lines] == [
        "score of May 10, 2024", "time passed", "what the lead did", "what we know about the lead", "the model",
        "score of May 20, 2024",
    ]  # fmt: skip
    numbers = [int(number) for number, _ in lines]
    assert sum(numbers[:-1]) == numbers[-1]
    folder = shop.folder
    raw = {"shop": {"name": "By hand"}, "tables": {"orders": {"path": "orders.csv", "columns": COLUMNS["orders"]}}}
    (folder / "leadlight.yaml").write_text(json.dumps(raw))
    answer = CliRunner().invoke(
        app, ["explain", "bob", "--since", "2024-05-12", "--json", "--config", str(folder / "leadlight.yaml")]
    )
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)[0]
    assert (told["old_score"], told["new_score"]) == (15, 32)


def test_since_a_day_before_all_runs_says_which_there_are(shop):
    """Without an older run nothing can be compared: the moments that are stored are told."""
    shop.run(NEW)
    with pytest.raises(LeadlightError, match=r"No older scores are stored of 2024-05-01 or before\."):
        explain_change(shop.settings(), "bob", since=datetime(2024, 5, 1))
    shop.run(OLD)
    shop.run(NEW)
    with pytest.raises(LeadlightError, match="2024-05-10T00:00:00"):
        explain_change(shop.settings(), "bob", since=datetime(2024, 5, 1))
