"""A whole publication stays under the vendor's own limit: not one call is turned away for coming too early."""

import threading

import pytest
from pyrate_limiter import SQLiteBucket

from fakes.hubspot_limits import Window
from pipeline.stages.publish_checks import set_up
from support.clock import Clock
from support.little_shop import LittleShop, lead_ids
from support.places import place_called
from support.publishing import outside, published

LEADS = 2_000
FEW = 5
"""Calls that both sides allow in a span, so that a small publication has to wait again and again."""
_MOST_S = 20


class Paced(Clock):
    """Time that passes only while somebody sleeps and no call is on its way: each arrives when its turn was given."""

    def __init__(self):
        super().__init__()
        self._on_the_way, self._arrived = 0, threading.Condition()

    def sleep(self, seconds):
        """Wait until all calls have arrived, then let time pass."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self._on_the_way == 0, timeout=_MOST_S)
            super().sleep(max(seconds, 0.05))

    def begins(self):
        """Note that a call has its turn."""
        with self._arrived:
            self._on_the_way += 1

    def ends(self):
        """Note that it has been answered."""
        with self._arrived:
            self._on_the_way -= 1
            self._arrived.notify_all()


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that turns go by."""
    made, put = Paced(), SQLiteBucket.put

    def put_and_told(bucket, item):
        is_given = put(bucket, item)
        if is_given:
            made.begins()
        return is_given

    monkeypatch.setattr(SQLiteBucket, "put", put_and_told)
    monkeypatch.setattr(SQLiteBucket, "now", lambda _: int(made() * 1_000))
    return made


def few_at_hubspot(fake, clock):
    """Let HubSpot allow few calls in ten seconds."""
    fake._ten_s = Window(FEW, 10, clock)
    return {"calls_per_10_s": FEW}


def few_at_marketo(fake, clock):
    """Let Marketo allow few calls in twenty seconds."""
    fake.limit, fake.clock = FEW, clock
    return {"calls_per_20_s": FEW}


def answering(fake, clock):
    """Let a stand-in tell the clock of each call that took a turn, and return what it answers them."""
    answer, answers = fake.answer, []

    def told(request):
        reply = answer(request)
        if not request.path.startswith("/identity/"):
            answers.append((clock(), reply))
            clock.ends()
        return reply

    fake.answer = told
    return answers


def is_turned_away(reply):
    """Return whether a call came too early, as HubSpot says it and as Marketo does."""
    errors = reply.body.get("errors") or [] if isinstance(reply.body, dict) else []
    return reply.status == 429 or any(error.get("code") == "606" for error in errors)


@pytest.mark.parametrize(
    ("name", "limited", "span_s"), [("hubspot-creating", few_at_hubspot, 10), ("marketo-creating", few_at_marketo, 20)]
)
def test_a_publication_meets_no_limit(name, limited, span_s, clock, tmp_path):
    """Thousands of leads are written by several threads at the highest pace, and the vendor never says `too many`."""
    with place_called(name, tmp_path / "place", lead_ids(LEADS)) as place:
        options = limited(place.fake, clock)
        answers = answering(place.fake, clock)
        crm = place.crm()
        crm[name]["connect"] |= options
        shop = LittleShop(tmp_path / "shop", leads=LEADS, crm=crm)
        shop.score_all_free(0)
        world = {"clock": clock, "environment": place.environment, "most_s": 1_000}
        assert not set_up(shop.settings, "", outside=outside(shop, **world)).failures
        report = published(shop, **world)
        assert report.tally.written == len(place.state()) == LEADS
    moments = [moment for moment, _ in answers]
    assert not any(is_turned_away(reply) for _, reply in answers)
    assert len(moments) > 2 * FEW
    assert max(sum(begin <= one < begin + span_s for one in moments) for begin in moments) == FEW
