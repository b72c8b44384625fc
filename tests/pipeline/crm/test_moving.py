"""A target that moves to another place is filled anew there, and what stands at the old one stays known."""

from dataclasses import dataclass, field

import pytest
from pydantic import BaseModel

from features.errors import LeadlightError
from pipeline.crm.kinds import ConnectorKind
from pipeline.crm.promise import Answer, Outcome
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.listen import listen
from pipeline.stages.publish import publish
from pipeline.stages.publish_checks import verify
from pipeline.stages.publish_history import past_runs
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.memory import Memory
from support.publishing import YES, outside, published
from support.told import Telling

LEADS = 60


class Where(BaseModel):
    """Which of two accounts a target writes to."""

    account: str = "old"


@dataclass
class Account(Memory):
    """An account whose calls are jobs."""

    jobs: int = 0

    def send(self, rows, ticket):
        """Keep the job's name before its rows go out."""
        if not ticket.text:
            with self.lock:
                self.jobs += 1
                name = f"job-{self.jobs}"
            ticket.keep(name)
        return super().send(rows, ticket)


@dataclass
class Moving:
    """A shop beside two accounts, of which its target writes to one.

    Attributes:
        shop: The shop.
        old: The account that it writes to at first.
        new: The other.
    """

    shop: LittleShop
    old: Account = field(default_factory=Account)
    new: Account = field(default_factory=Account)

    def to(self, account):
        """Let the target write to another account."""
        self.shop.configure({"crm": {"fields": FIELDS, "connect": {"account": account}}})

    def outside(self, night=0):
        """Return the world on the morning after a night; nobody sleeps in it."""
        return outside(self.shop, night)

    def run(self, night=0, wish=YES):
        """Publish and return the report of the one target."""
        return published(self.shop, wish, night)

    def undo(self, run, night=0):
        """Take a run back and return the report."""
        return undo(self.shop.settings, run, may=lambda _: True, outside=self.outside(night))

    def agree(self):
        """Return how many leads were read back, and how many of them agree."""
        (found,) = verify(self.shop.settings, "", sample=LEADS, outside=self.outside()).verified
        return found.read, found.agree

    def states(self):
        """Return the states of all runs, by number."""
        return {one.run: one.state for one in past_runs(self.shop.settings, "", outside=self.outside())}


@pytest.fixture
def moving(tmp_path, monkeypatch):
    """Return a shop that writes to the old account, with the scores of its first night."""
    made = Moving(LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {"fields": FIELDS}}))
    made.shop.score_all_free(0)
    kind = ConnectorKind(
        Where, lambda where, _: getattr(made, where.account), lambda where, _: frozenset({where.account})
    )
    monkeypatch.setattr("pipeline.crm.targets.kind_of", lambda _: kind)
    return made


def held(account):
    """Return what an account holds, as it is now."""
    return {key: dict(record) for key, record in account.records.items()}


def cut(_rows):
    """Let the connection be cut before anything arrives."""
    raise StopError("cut", reason=StopReason.NETWORK)


def test_an_empty_place_is_filled_anew(moving):
    """Every lead is written there, agrees, and is no news the second time; the old place keeps what it holds."""
    moving.run()
    stood = held(moving.old)
    moving.to("new")
    assert moving.run().tally.written == LEADS
    assert moving.agree() == (LEADS, LEADS)
    assert moving.run().tally.unchanged == LEADS
    assert (held(moving.new), held(moving.old)) == (stood, stood)


def test_what_was_never_written_at_a_place_is_not_emptied_there(moving):
    """Leads that left since the old place was written are not taken to the new one."""
    moving.run()
    moving.shop.score(1, moving.shop.leads.scores(0).slice(0, LEADS // 2))
    moving.to("new")
    given = moving.run(1).tally.given
    assert given <= LEADS // 2
    assert len(moving.new.records) <= LEADS // 2
    assert all(record["leadlight_score"] is not None for record in moving.new.records.values())


def test_what_is_taken_back_at_a_new_place_is_emptied(moving):
    """Nothing stood there before its first run, whatever stands at the old place."""
    moving.run()
    stood = held(moving.old)
    moving.to("new")
    moving.shop.score_all_free(1)
    assert moving.undo(moving.run(1).run, 1).tally.written == LEADS
    assert all(value is None for record in moving.new.records.values() for value in record.values())
    assert held(moving.old) == stood


def test_a_run_is_taken_back_only_where_it_wrote(moving):
    """From elsewhere it is refused, and stays what it is; moved back, the target can take it back."""
    first = moving.run().run
    moving.to("new")
    with pytest.raises(LeadlightError, match=f"Run {first} wrote to another place than 'crm' names now"):
        moving.undo(first)
    assert moving.states() == {first: "finished"}
    moving.to("old")
    assert moving.undo(first).tally.written == LEADS
    assert all(value is None for record in moving.old.records.values() for value in record.values())


def test_a_target_that_moves_back_knows_what_stands_there(moving):
    """Only what changed meanwhile is sent, and who left meanwhile is emptied."""
    moving.run()
    moving.to("new")
    moving.run()
    moving.to("old")
    moving.old.sent.clear()
    assert moving.run().tally.unchanged == LEADS
    moving.shop.score(1, moving.shop.leads.scores(0).slice(0, LEADS // 2))
    moving.run(1)
    assert sum(record["leadlight_score"] is None for record in moving.old.records.values()) == LEADS - LEADS // 2
    assert all(record["leadlight_score"] is not None for record in moving.new.records.values())


def test_a_place_that_lost_everything_is_still_noticed(moving):
    """What was written at this very place must be there."""
    moving.run()
    moving.to("new")
    moving.run()
    moving.new.records.clear()
    report = publish(moving.shop.settings, YES, outside=moving.outside())
    assert "no longer holds what was written" in report.failures[0].message


def test_who_was_turned_away_at_one_place_is_sent_to_another(moving):
    """The new place was never asked; back at the old one, its word still counts, and its letters are told."""
    lead = "lead-00000007"
    moving.old.on_send = lambda rows: [
        Answer(row.key, Outcome.REJECTED, "no such record", "NOT_FOUND") for row in rows if row.key == lead
    ]
    assert moving.run().tally.rejected == 1
    moving.to("new")
    there = moving.run()
    assert (there.tally.rejected, there.dead_letters) == (0, None)
    assert lead in moving.new.records
    moving.to("old")
    back = moving.run()
    assert back.tally.rejected == 1
    assert lead in back.dead_letters.read_text(encoding="utf-8")


def test_a_run_that_was_cut_short_waits_for_its_own_place(moving):
    """Its jobs are unknown elsewhere: it is left as it is there, and goes on once the target moves back."""
    moving.old.on_send = cut
    left = moving.run()
    assert left.tally.pending == LEADS
    moving.to("new")
    there = moving.run()
    assert (there.is_resumed, there.tally.written) == (False, LEADS)
    assert moving.new.abandoned == []
    assert moving.states() == {left.run: "open", there.run: "finished"}
    moving.to("old")
    moving.old.on_send = lambda _: None
    back = moving.run()
    assert (back.run, back.is_resumed, back.tally.written) == (left.run, True, LEADS)


def test_a_run_that_waited_too_long_is_given_up_at_its_own_place(moving):
    """Newer scores take its place there, after its jobs were ended there."""
    moving.old.on_send = cut
    left = moving.run()
    moving.to("new")
    moving.shop.score_all_free(1)
    moving.run(1)
    moving.to("old")
    moving.old.on_send = lambda _: None
    moving.run(1)
    assert moving.states()[left.run] == "superseded"
    assert moving.old.abandoned
    assert moving.new.abandoned == []


def test_an_undoing_elsewhere_ends_no_jobs_of_the_old_place(moving):
    """A run that was cut short at the old place stays open while one of the new place is taken back."""
    moving.old.on_send = cut
    left = moving.run()
    moving.to("new")
    there = moving.run()
    moving.undo(there.run)
    assert moving.new.abandoned == []
    assert moving.states()[left.run] == "open"


def test_a_file_that_is_moved_in_the_config_is_filled_anew(tmp_path):
    """Written, read back and taken back at its new path; the file at the old one is as it was."""
    target = {"kind": "file", "key": "lead_id", "create": True, "fields": {"score": "score", "grade": "grade"}}
    moving = Moving(LittleShop(tmp_path / "shop", leads=LEADS, crm={"crm": {**target, "connect": {"path": "old.csv"}}}))
    moving.shop.score_all_free(0)
    first = moving.run().run
    old, new = moving.shop.folder / "old.csv", moving.shop.folder / "new.csv"
    stood = old.read_bytes()
    moving.shop.configure({"crm": {**target, "connect": {"path": "new.csv"}}})
    there = moving.run()
    assert (there.tally.written, new.read_bytes()) == (LEADS, stood)
    assert moving.agree() == (LEADS, LEADS)
    with pytest.raises(LeadlightError, match="another place"):
        moving.undo(first)
    assert moving.undo(there.run).tally.written == LEADS
    assert all(line.endswith(",,") for line in new.read_text(encoding="utf-8").splitlines()[1:])
    assert old.read_bytes() == stood


def test_what_people_did_is_read_from_each_account_s_beginning(moving):
    """The cursor of one account is never shown to another, and the account that a target moves back to is read anew."""
    told = {"old": Telling(), "new": Telling()}
    for name, crm in told.items():
        crm.tell("lead-00000001", owner=name)
        getattr(moving, name).changes = crm.changes
    for account in ("old", "new", "old"):
        reading = {"fields": FIELDS, "connect": {"account": account}, "read": {"owner": "owner"}}
        moving.shop.configure({"crm": reading})
        assert listen(moving.shop.settings, "", outside=moving.outside()).exit_code == 0
    assert [[cursor for cursor, _ in crm.asked] for crm in told.values()] == [["", ""], [""]]
