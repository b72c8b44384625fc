"""What `leadlight score` decides on a shop of three leads, from its tables to the stored run."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from pipeline import deciding, holds
from pipeline.score_store import ScoreStore
from pipeline.settings import parse
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
    raw = {"shop": {"name": "Shop"}, "tables": TABLES, "points": {"card": "points.yaml"}, "decisions": decisions or {}}
    settings = parse(raw, place=folder / "leadlight.yaml")
    ingest(settings, now=NOW)
    return settings


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


def test_a_person_s_hold_reaches_the_next_run(tmp_path, monkeypatch):
    """A hold in force when the run happens is stored with its lead; other marks hold nobody."""

    class Marked:
        def active(self, moment):
            assert moment == NOW
            return pa.table({"lead_id": ["Ann", "Bob"], "kind": ["hold", "contacted"]})

    monkeypatch.setattr(holds, "_marks", lambda settings: Marked())
    rows = decided(shop_in(tmp_path))
    assert {lead: row["held"] for lead, row in rows.items()} == {
        "Ann": ["override"], "Bob": ["no_consent"], "Cat": ["unsubscribed"],
    }  # fmt: skip


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
