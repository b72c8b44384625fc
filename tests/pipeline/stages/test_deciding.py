"""What `leadlight score` decides on a shop of three leads, from its tables to the stored run."""

import importlib
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from models.decision_columns import DECISION_COLUMNS
from pipeline import deciding
from pipeline.apart import apart
from pipeline.cli.show_lead import show_lead
from pipeline.cli.show_scores import show_scores
from pipeline.holding import held_by_tables, left_alone
from pipeline.marks import marks_of
from pipeline.score_store import ScoreStore
from pipeline.settings import parse
from pipeline.stages.explain import explain
from pipeline.stages.ingest import ingest
from pipeline.stages.score import score
from pipeline.workspace import Workspace

NOW = datetime(2024, 3, 12, tzinfo=UTC)
AS_OF = datetime(2024, 3, 11, tzinfo=UTC)
FILES = {
    "orders.csv": ["who,at,amount", "Ann,2024-03-01T10:00:00,20", "Ann,2024-03-02T10:00:00,30"],
    "events.csv": [
        "who,type,at,worth", "Bob,cart_add,2024-03-10T10:00:00,15", "Cat,unsubscribe,2024-03-09T10:00:00,",
        # The future: none of it may be seen.
        "Cat,cart_add,2024-03-11T00:00:00,99", "Bob,unsubscribe,2024-03-11T00:00:00,",
    ],
    "sessions.csv": ["who,at,from,why", "Bob,2024-03-05T10:00:00,google,spring", "Bob,2024-03-06T10:00:00,,"],
    "leads.csv": ["who,since,name,mail,agreed,country", "Ann,2024-02-01,Ann Lee,ann@x.example,yes,PL",
                  "Bob,2024-02-01,Bob,,no,PL"],
    "points.yaml": [
        "base: 40", "rules:", "  - name: in the cart", "    group: engagement", "    points: 30", "    table: events",
        "    where: {type: cart_add}", "    within: 30", "grades: {a: 70, b: 50, c: 20}",
    ],
}  # fmt: skip
TABLES = {
    "orders": {"path": "orders.csv", "columns": {"lead_id": "who", "ordered_at": "at"}},
    "events": {"path": "events.csv", "columns": {"lead_id": "who", "occurred_at": "at", "value": "worth"}},
    "sessions": {"path": "sessions.csv", "columns": {"lead_id": "who", "started_at": "at", "source": "from",
                                                     "campaign": "why"}},
    "leads": {"path": "leads.csv", "columns": {"lead_id": "who", "created_at": "since", "display_name": "name",
                                               "email": "mail", "consent": "agreed"},
              "attributes": {"country": {"type": "text", "static": True}}},
}  # fmt: skip


def shop_in(folder, decisions=None):
    """Write a shop, read it, and return its settings."""
    for name, lines in FILES.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    settings = shop_again(folder, decisions)
    ingest(settings, now=NOW)
    return settings


def shop_again(folder, decisions=None):
    """Return the settings of a shop that was read before."""
    raw = {"shop": {"name": "Shop"}, "tables": TABLES, "points": {"card": "points.yaml"}, "decisions": decisions or {}}
    return parse(raw, place=folder / "leadlight.yaml")


def decided(settings):
    """Score, and return what was stored by lead."""
    score(settings, as_of=AS_OF, scored_at=NOW)
    store = ScoreStore(Workspace(settings.shop.workspace))
    return {row["lead_id"]: row for row in store.read(store.published()).to_pylist()}


def test_each_lead_is_decided_by_what_was_known(tmp_path):
    """Ann has bought twice, Bob's cart is open but he said no, Cat unsubscribed; what came at as_of is not seen."""
    rows = decided(shop_in(tmp_path))
    assert {lead: (row["grade"], row["stage"], row["play"]) for lead, row in rows.items()} == {
        "Ann": ("C", "repeat_customer", "nurture"), "Bob": ("A", "cart", "call_best"), "Cat": ("C", "visitor", "wait"),
    }  # fmt: skip
    assert {lead: row["held"] for lead, row in rows.items()} == {
        "Ann": [], "Bob": ["no_consent"], "Cat": ["unsubscribed"],
    }  # fmt: skip
    assert (rows["Bob"]["action"], rows["Bob"]["channel"]) == ("call", "phone")
    assert "new_buyers" in rows["Ann"]["segments"]


def test_held_leads_are_scored_and_ranked_like_all(tmp_path):
    """Holding changes no score and drops nobody."""
    rows = decided(shop_in(tmp_path))
    assert sorted(row["rank"] for row in rows.values()) == [1, 2, 3]
    assert rows["Bob"]["rank"] == 1
    assert rows["Bob"]["score"] == 70


def test_a_person_s_hold_reaches_the_next_run(tmp_path):
    """A hold in force when the run happens is stored with its lead; other marks hold nobody."""
    settings = shop_in(tmp_path)
    marks, before = marks_of(settings), NOW - timedelta(hours=1)
    marks.hold("Ann", until=NOW + timedelta(days=1), reason="on holiday", by="rui", at=before)
    marks.hold("Bob", until=NOW - timedelta(minutes=1), by="rui", at=before)
    marks.contacted("Bob", by="rui", at=before)
    rows = decided(settings)
    assert {lead: row["held"] for lead, row in rows.items()} == {
        "Ann": ["override"], "Bob": ["no_consent"], "Cat": ["unsubscribed"],
    }  # fmt: skip


def test_what_tables_told_since_the_scores_holds_before_they_are_sent(tmp_path):
    """A word known after the moment of the scores, and by now, holds its lead; one that is yet to be known does not."""
    settings = shop_in(tmp_path)
    found = {day: set(held_by_tables(settings, at=day).to_pylist()) for day in (AS_OF, NOW, AS_OF - timedelta(days=5))}
    # Bob's consent has no version, so it counts at any moment at which he exists; he unsubscribed at AS_OF.
    assert found == {AS_OF: {"Bob", "Cat"}, NOW: {"Bob", "Cat"}, AS_OF - timedelta(days=5): {"Bob"}}
    assert set(apart(held_by_tables, settings, NOW).to_pylist()) == found[NOW]
    asked = shop_again(tmp_path, {"suppress": {"ignore": ["no_consent"]}})
    assert {day: set(held_by_tables(asked, at=day).to_pylist()) for day in (AS_OF, NOW)} == {
        AS_OF: {"Cat"}, NOW: {"Bob", "Cat"},
    }  # fmt: skip


@pytest.mark.parametrize("is_loaded", [True, False])
def test_tables_are_asked_in_another_process_unless_the_compiler_is_loaded(tmp_path, monkeypatch, is_loaded):
    """Its memory is not to be there while leads are written; where it is there already, a process would save none."""
    settings = shop_in(tmp_path)
    monkeypatch.setattr("pipeline.holding.apart", lambda work, *_: pa.array([f"{work.__name__}, elsewhere"]))
    if is_loaded:
        importlib.import_module("numba")
    else:
        monkeypatch.delitem(sys.modules, "numba", raising=False)
    told = {"Bob", "Cat"} if is_loaded else {"held_by_tables, elsewhere"}
    assert set(left_alone(settings, at=NOW).to_pylist()) == told


def test_before_an_ingest_tables_hold_nobody(tmp_path):
    """A shop whose scores came from elsewhere has no tables that could hold anybody."""
    assert len(left_alone(shop_again(tmp_path), at=NOW)) == 0


def test_rules_of_the_shop_s_own_read_attributes_and_the_latest_touch(tmp_path):
    """The latest visit that names a source counts; a lead without the attribute meets no condition on it."""
    segments = [
        {"name": "poles", "where": {"lead.country": "PL"}},
        {"name": "spring", "where": {"campaign": "spring", "source": {"contains": "goo"}}},
        {"name": "mailable", "where": {"has_email": True}},
        {"name": "unknown", "where": {"is_registered": False}},
    ]
    rows = decided(shop_in(tmp_path, {"segments": segments}))
    assert {lead: row["segments"] for lead, row in rows.items()} == {
        "Ann": ["poles", "mailable"], "Bob": ["poles", "spring"], "Cat": ["unknown"],
    }  # fmt: skip


def test_who_the_leads_are_goes_beside_their_scores(tmp_path, monkeypatch):
    """One row per lead with the same columns for every shop, null where nothing is known."""
    seen = []
    shown = deciding._shown
    monkeypatch.setattr(deciding, "_shown", lambda told: seen.append(shown(told)) or seen[-1])
    decided(shop_in(tmp_path))
    assert {row["lead_id"]: row for row in seen[0].to_pylist()} == {
        "Ann": {"lead_id": "Ann", "display_name": "Ann Lee", "company": None, "email": "ann@x.example", "phone": None,
                "owner": None, "consent": "yes", "source": None, "campaign": None},
        "Bob": {"lead_id": "Bob", "display_name": "Bob", "company": None, "email": None, "phone": None, "owner": None,
                "consent": "no", "source": "google", "campaign": "spring"},
        "Cat": dict.fromkeys(["display_name", "company", "email", "phone", "owner", "consent", "source", "campaign"])
        | {"lead_id": "Cat"},
    }  # fmt: skip


@pytest.mark.parametrize("ignored", [[], ["no_consent"], ["no_consent", "unsubscribed"]])
def test_a_shop_may_ignore_a_reason_to_hold(tmp_path, ignored):
    """Codes that the shop ignores hold nobody."""
    rows = decided(shop_in(tmp_path, {"suppress": {"ignore": ignored}}))
    found = {code for row in rows.values() for code in row["held"]}
    assert found == {"no_consent", "unsubscribed"} - set(ignored)


def test_the_report_counts_every_lead_once_in_the_funnel_and_tells_who_is_held(tmp_path, console_text):
    """Three leads: stages add up to them all, actions to those that may be reached, and the rest is held."""
    settings = shop_in(tmp_path, {"capacity_per_week": 2})
    report = score(settings, as_of=AS_OF, scored_at=NOW)
    assert list(report.stages.items()) == [
        ("visitor", 1), ("lead", 0), ("engaged", 0), ("cart", 1), ("customer", 0), ("repeat_customer", 1), ("lapsed", 0)
    ]  # fmt: skip
    assert sum(report.stages.values()) == report.leads
    assert sum(report.actions.values()) + report.held_leads == report.leads
    assert (report.held_leads, report.held) == (2, {"no_consent": 1, "unsubscribed": 1})
    assert (report.capacity.free, report.capacity.best.leads, report.capacity.best.expected) == (1, 1, None)
    text = console_text(show_scores, report)
    assert "Funnel: visitor 1, lead 0, engaged 0, cart 1, customer 0, repeat customer 1, lapsed 0." in text
    assert "Held, to be left alone: 2 (no consent 1, unsubscribed 1). They keep their scores." in text
    assert "You can call 2 a week; only 1 lead may be called." in text


def test_the_export_says_what_to_do_and_never_to_reach_a_held_lead(tmp_path):
    """Whoever filters the file by an action finds nobody who must be left alone; why stands beside."""
    report = score(shop_in(tmp_path), as_of=AS_OF, scored_at=NOW)
    rows = {row["lead_id"]: row for row in pa_csv.read_csv(report.csv).to_pylist()}
    told = ("stage", "next_action", "channel", "held")
    assert [rows["Ann"][name] for name in told] == ["Repeat customer", "E-mail nurture", "by e-mail", ""]
    assert [rows["Bob"][name] for name in told] == ["Open cart", "Leave alone: no consent", "", "no consent"]
    assert rows["Bob"]["wording"] == ""
    assert rows["Ann"]["wording"].startswith("Keep in touch")
    assert rows["Bob"]["segments"] == ""
    assert rows["Ann"]["segments"] == "New buyers; Best customers"


def test_one_lead_is_told_what_to_do_in_the_language_asked_for(tmp_path, console_text):
    """Shipped words are translated, a shop's own are taken in the language that it gives."""
    settings = shop_in(tmp_path, {"segments": [{"name": "ours", "where": {}, "label": {"en": "Ours", "pl": "Nasi"}}]})
    score(settings, as_of=AS_OF, scored_at=NOW)
    ann, bob = (explain(settings, lead)[0].to_do for lead in ("Ann", "Bob"))
    assert (ann.stage, ann.next_action, ann.segments, ann.held) == ("Repeat customer", "E-mail nurture", ["Ours"], [])
    assert (bob.next_action, bob.channel, bob.wording) == ("Leave alone: no consent", "", "")
    polish = explain(settings, "Ann", said_in="pl")
    assert (polish[0].to_do.stage, polish[0].to_do.segments) == ("Stały klient", ["Nasi"])
    assert explain(settings, "Ann", said_in="ro")[0].to_do.segments == ["Ours"]
    assert "Co zrobić  Podtrzymuj kontakt e-mailem (e-mailem)" in console_text(show_lead, polish)


def test_a_run_of_before_there_were_decisions_is_read_and_told(tmp_path):
    """Its rows have nulls: nothing is to be done, nothing fails."""
    settings = shop_in(tmp_path)
    score(settings, as_of=AS_OF, scored_at=NOW)
    store = ScoreStore(Workspace(settings.shop.workspace))
    run = store.published()
    folder = store.folder_of(run)
    old = pq.read_table(folder / "part.parquet", partitioning=None).drop_columns(list(DECISION_COLUMNS))
    for file in folder.iterdir():
        file.unlink()
    pq.write_table(old, folder / "part.parquet")
    again = score(settings, as_of=AS_OF, scored_at=NOW)
    assert not again.is_new
    assert (again.actions, again.held, again.held_leads) == ({}, {}, 0)
    assert explain(settings, "Ann")[0].to_do is None


def test_a_changed_playbook_reaches_the_next_run_and_leaves_the_stored_one(tmp_path):
    """A stored score never changes, nor the words of its day."""
    settings = shop_in(tmp_path)
    score(settings, as_of=AS_OF, scored_at=NOW)
    renamed = shop_again(tmp_path, {"stages": [{"name": "repeat_customer", "label": "Regular"}, "shipped"]})
    score(renamed, as_of=AS_OF, scored_at=NOW)
    assert explain(renamed, "Ann")[0].to_do.stage == "Repeat customer"
    score(renamed, as_of=datetime(2024, 3, 11, 1, tzinfo=UTC), scored_at=NOW)
    assert explain(renamed, "Ann")[0].to_do.stage == "Regular"
