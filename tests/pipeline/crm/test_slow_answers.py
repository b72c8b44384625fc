"""An answer that does not come in time: the call is made again, and no lead is lost or has two records."""

import re
import threading
from collections import Counter

import pytest

from pipeline.crm.patience import Patience
from pipeline.crm.session import Outside
from pipeline.stages.publish import publish
from support.desk import YES, Desk
from support.places import SERVED

TIMEOUT_S = 0.2
_MOST_S = 2


class LateAnswers:
    """Lets each call that changes something take effect, and holds its answer back until it is made again.

    Args:
        fake: Who answers late.
    """

    def __init__(self, fake):
        self._answer, self._lock = fake.answer, threading.Lock()
        self.times, self._again = Counter(), {}
        fake.answer = self

    def __call__(self, request):
        """Answer, at once or late."""
        if request.method == "GET":
            return self._answer(request)
        # A file is never spelled twice in the same way, and a job that is begun anew has another name.
        said = request.body if request.body.startswith(b"{") else b""
        call = (request.method, re.sub(r"/\d\w{14,}", "/JOB", request.path), said)
        with self._lock:
            self.times[call] += 1
            is_first, again = self.times[call] == 1, self._again.setdefault(call, threading.Event())
        if not is_first:
            again.set()
            return self._answer(request)
        reply = self._answer(request)
        again.wait(_MOST_S)
        return reply


@pytest.mark.parametrize("place", [*SERVED, "hubspot-creating", "marketo-creating"], indirect=True)
def test_a_late_answer_is_not_waited_for(place, tmp_path):
    """Whatever a call was for, it is made again, and each lead holds what its score says, in one record."""
    with Desk(tmp_path, place) as desk:
        desk.score(0)
        crm = desk.place.crm()
        crm[place]["connect"] |= {"timeout_s": TIMEOUT_S}
        desk.shop.configure(crm)
        late = LateAnswers(desk.place.fake)
        patience = Patience(most_s=20, first_s=0.01, longest_s=0.05, breaker_after=50)
        report = publish(desk.shop.settings, YES, outside=Outside(desk.place.environment, patience, desk.outside.clock))
        (one,) = report.targets
        scores = desk.scores(0)
        assert (one.exit_code, one.tally.written) == (0, len(scores))
        assert max(times for (_, path, _), times in late.times.items() if "/oauth" not in path) > 1
        assert {lead: float(held["leadlight_score"]) for lead, held in desk.place.state().items()} == {
            lead: row["score"] for lead, row in scores.items()
        }
        assert desk.disagree() == ()
