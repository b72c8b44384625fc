"""What a CRM says is told without the secrets it may repeat: neither to a person, nor to the ledger or a file."""

from __future__ import annotations

import pytest

from models.wording import one_line
from pipeline.crm.promise import Answer, Misplaced, Missing, Outcome, PassingTicket
from pipeline.crm.secrets import LookedUp, Masked, Secrets
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from support.memory import Memory

TOKEN = "pat-4711"


@pytest.fixture
def secrets() -> Secrets:
    """Return the secrets of a target that looked its token up."""
    found = Secrets()
    assert LookedUp({"TOKEN": TOKEN, "HOME": "unasked"}, found)["TOKEN"] == TOKEN
    return found


@pytest.fixture
def crm() -> Memory:
    """Return a CRM."""
    return Memory()


def test_an_answer_tells_no_secret(secrets, crm):
    """Neither by its words nor by its code; the key stays what it is."""
    crm.on_send = lambda _rows: [Answer("a", Outcome.REJECTED, f"no {TOKEN}", f"E-{TOKEN}")]
    rows = [type("R", (), {"key": "a", "fields": {}})()]
    assert Masked(crm, secrets).send(rows, PassingTicket()) == [Answer("a", Outcome.REJECTED, "no …", "E-…")]


@pytest.mark.parametrize(
    "error",
    [
        StopError(f"no {TOKEN}", reason=StopReason.SETUP, hint=f"mend {TOKEN}"),
        BatchRefusedError(f"no {TOKEN}", code=f"E-{TOKEN}"),
        RetryError(f"no {TOKEN}", after_s=3),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("call", ["send", "read", "changes", "check", "setup", "finish", "abandon"])
def test_trouble_tells_no_secret(secrets, crm, monkeypatch, error, call):
    """Whatever call it came of, it stays what it is otherwise."""

    def fail(*_):
        raise error

    monkeypatch.setattr(crm, call, fail)
    arguments = {"send": ([], PassingTicket()), "read": ([], []), "changes": ("", []), "finish": ()}.get(call, ([],))
    with pytest.raises(type(error)) as raised:
        getattr(Masked(crm, secrets), call)(*arguments)
    assert TOKEN not in f"{raised.value}{vars(raised.value)}"
    assert raised.value is error


def test_lines_of_a_check_stay_of_their_kind(secrets, crm):
    """What is missing is still known as such."""
    crm.faults = [Missing(f"a {TOKEN}"), Misplaced(f"b {TOKEN}"), f"c {TOKEN}"]
    found = Masked(crm, secrets).check([])
    assert [(type(line), str(line)) for line in found] == [(Missing, "a …"), (Misplaced, "b …"), (str, "c …")]


def test_only_what_was_looked_up_or_given_out_is_hidden(secrets):
    """A secret that begins another hides neither's end; what is too short to be one stays."""
    assert secrets.hidden("unasked") == "unasked"
    secrets.add(f"{TOKEN}-and-more ")
    secrets.add("of")
    assert secrets.hidden(f"{TOKEN}-and-more of {TOKEN}") == "… of …"
    assert TOKEN not in repr(secrets)


@pytest.mark.parametrize("seen", range(4, len(TOKEN)))
def test_words_that_were_cut_within_a_secret_tell_no_beginning_of_it(secrets, seen):
    """Wherever they were cut; what else ends in an ellipsis stays."""
    cut = one_line(f"pats, a pat pat-pat-{TOKEN} too long", longest=len("pats, a pat pat-pat-") + seen + 1)
    assert TOKEN[:4] in cut
    assert secrets.hidden(f"It said: {cut}; again {TOKEN}.") == "It said: pats, a pat pat-pat-…; again …."
    assert secrets.hidden("a pat-47 and a pat… of pat-47") == "a pat-47 and a pat… of pat-47"
