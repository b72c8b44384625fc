"""Whatever is published, taken back and cut short in whatever order: a slow and obvious account agrees.

The account keeps, lead by lead, a pile of what each run wrote and the CRM confirmed. Taking a run back removes the top
of a pile, and writes what lies below.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import LeadlightError
from pipeline.crm.given import Filters
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish_undo import undo
from support.little_shop import FIELDS, LittleShop
from support.memory import Memory, kind_for
from support.publishing import YES, outside, published

LEADS = 9
EMPTY = dict.fromkeys(FIELDS)


@dataclass
class Account:
    """What each lead's runs wrote, the newest on top, beside the CRM that is watched.

    Attributes:
        crm: The CRM.
        piles: By lead: runs with their values.
        taking_back: The run that is taken back now; None = something is published.
        left: Batches that get through before the next cut.
        arrives: Whether the batch that is cut arrives.
    """

    crm: Memory
    piles: dict[str, list[tuple[int, dict]]] = field(default_factory=lambda: defaultdict(list))
    taking_back: int | None = None
    left: int = 99
    arrives: bool = False

    def top(self, lead):
        """Return the run whose values the lead holds, and the values."""
        return self.piles[lead][-1] if self.piles[lead] else (0, EMPTY)

    def heard(self, rows):
        """Take part in each batch: an `on_send`."""
        self.left -= 1
        is_cut = self.left < 0
        for row in rows:
            if self.taking_back is None:
                if not is_cut:
                    self.written(row)
            else:
                self.restored(row, is_cut=is_cut)
        if is_cut and self.arrives:
            self.crm.takes_and_is_cut(rows)
        if is_cut:
            raise StopError("cut", reason=StopReason.NETWORK)

    def written(self, row):
        """Lay a run's values on the pile."""
        self.piles[row.key].append((int(row.trace.partition("-")[0]), row.fields))

    def restored(self, row, *, is_cut):
        """Hold what is restored against what lies below."""
        pile = self.piles[row.key]
        if self.top(row.key)[0] == self.taking_back:
            below = pile[-2][1] if len(pile) > 1 else EMPTY
            assert row.fields == below
            if not is_cut:
                pile.pop()
        else:  # it was on its way, or comes again: what the CRM confirmed last returns
            assert row.fields == self.top(row.key)[1]


class World:
    """A shop, its CRM and the account."""

    def __init__(self, folder: Path, crm: Memory) -> None:
        self.shop = LittleShop(folder, leads=LEADS, crm={"crm": {"fields": FIELDS}})
        self.account, self.crm, self.runs, self.night = Account(crm), crm, [], -1
        self.crm.on_send, self.crm.at_once, self.crm.size = self.account.heard, 1, 3
        self.newer(1)

    def newer(self, nights):
        """Score a later night."""
        if nights or self.night < 0:
            self.night += 20 * nights
            self.shop.score_all_free(self.night)

    def publish(self, nights, cut, *, arrives, limit, resend):
        """Publish the scores of some nights later."""
        self.newer(nights)
        account = self.account
        account.taking_back, account.left, account.arrives = None, cut, arrives
        run = published(self.shop, replace(YES, resend=resend, filters=Filters(limit=limit)), self.night).run
        self.runs += [] if run in self.runs else [run]

    def take_back(self, run, cut, *, arrives):
        """Take a run back."""
        account = self.account
        account.taking_back, account.left, account.arrives = run, cut, arrives
        code = 0
        with suppress(LeadlightError):  # nothing of it stands, or later runs wrote over all of it
            code = undo(self.shop.settings, run, may=lambda _: True, outside=outside(self.shop, self.night)).exit_code
        if code == 0:
            for lead in account.piles:
                assert account.top(lead)[0] != run or self.crm.records[lead] != account.top(lead)[1]


CUT = st.sampled_from([0, 1, 2, 99, 99])
PUBLISH = st.tuples(st.just("publish"), st.integers(0, 1), CUT, st.booleans(), st.sampled_from([0, 4]), st.booleans())
UNDO = st.tuples(st.just("undo"), st.integers(0, 3), CUT, st.booleans())


@settings(max_examples=15)
@given(st.lists(st.one_of(PUBLISH, UNDO), min_size=2, max_size=7))
def test_every_lead_holds_what_its_account_says(steps):
    """Each restoring writes what lay below, and once all runs are taken back, the newest first, nothing is left."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        crm = Memory()
        patched.setattr("pipeline.crm.targets.kind_of", lambda _: kind_for(crm))
        world = World(Path(folder), crm)
        for what, *step in steps:
            if what == "publish":
                nights, cut, arrives, limit, resend = step
                world.publish(nights, cut, arrives=arrives, limit=limit, resend=resend)
            elif world.runs:
                which, cut, arrives = step
                world.take_back(world.runs[max(0, len(world.runs) - 1 - which)], cut, arrives=arrives)
        for run in reversed(world.runs):
            world.take_back(run, 99, arrives=False)
        assert not any(world.account.piles.values())
        assert all(record == EMPTY for record in crm.records.values())
