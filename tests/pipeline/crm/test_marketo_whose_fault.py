"""Whose fault a refusal of Marketo's is: a row's, the setup's, or nobody's; no row is turned away for another's."""

import pytest

from fakes.marketo import FakeMarketo, done, failed, skipped
from fakes.serving import Trouble
from pipeline.crm.promise import Outcome, PassingTicket, Row
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason
from support.marketo_target import asked, outcomes, rows, talking

WRITTEN, REJECTED, RETRY = Outcome.WRITTEN, Outcome.REJECTED, Outcome.RETRY
LEADS = "/rest/v1/leads.json"


def on_leads(request):
    """Return whether a call writes or reads leads."""
    return request.path == LEADS


def send(marketo, batch):
    """Send rows without a ticket that anybody keeps."""
    return marketo.send(batch, PassingTicket())


@pytest.mark.parametrize("code", ["1001", "1003", "1004", "1006", "1007", "1008", "1099"])
def test_codes_of_rows_are_for_good(tmp_path, code):
    """A row that Marketo skips with such a code is not sent again by itself."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(done([skipped(code, "no")]), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        (answer,) = send(marketo, rows(1))
        assert (answer.outcome, answer.code) == (REJECTED, code)


@pytest.mark.parametrize("code", ["1003", "1004", "1008", "1099"])
def test_what_is_said_of_all_rows_may_be_each_ones_fault(tmp_path, code):
    """Codes of single records are for good, however many rows have them."""
    fake = FakeMarketo(n_leads=3)
    fake.trouble(Trouble(done([skipped(code, "no")] * 3), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert set(outcomes(send(marketo, rows(3))).values()) == {REJECTED}


@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_field_that_is_gone_is_no_rows_fault(tmp_path, n_rows):
    """It vanished after the check: whatever is pending waits until it is back."""
    fake = FakeMarketo(n_leads=n_rows)
    kind = fake.leads.types.pop("leadlight_grade")
    with talking(fake, tmp_path) as marketo:
        with pytest.raises(StopError, match="1006 Field 'leadlight_grade' not found") as raised:
            send(marketo, rows(n_rows))
        fake.leads.types["leadlight_grade"] = kind
        assert set(outcomes(send(marketo, rows(n_rows))).values()) == {WRITTEN}
    assert raised.value.reason == StopReason.SETUP
    assert "--dry-run" in raised.value.hint


def test_a_field_that_is_gone_stops_although_some_rows_have_faults_of_their_own(tmp_path):
    """Rows of leads that are not there are refused before their fields are looked at."""
    fake = FakeMarketo(n_leads=2)
    del fake.leads.types["leadlight_grade"]
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError, match="leadlight_grade"):
        send(marketo, rows(3))


def test_a_field_that_all_rows_lack_stops_in_whatever_words(tmp_path):
    """Marketo may speak another language."""
    fake = FakeMarketo(n_leads=2)
    fake.trouble(Trouble(done([skipped("1006", "Champ introuvable")] * 2), matches=on_leads))
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError) as raised:
        send(marketo, rows(2))
    assert raised.value.reason == StopReason.SETUP


def test_a_field_that_is_gone_is_no_rows_fault_in_a_file_either(tmp_path):
    """A file's words have no code; its rows go once more by themselves, and are written when the field is back."""
    fake = FakeMarketo(refused={"C-3": "no"})
    kind = fake.leads.types.pop("leadlight_grade")
    ticket = PassingTicket()
    with talking(fake, tmp_path, may_create=True) as marketo:
        with pytest.raises(StopError, match="leadlight_grade") as raised:
            marketo.send(rows(400), ticket)
        fake.leads.types["leadlight_grade"] = kind
        told = outcomes(marketo.send(rows(400), ticket))
    assert raised.value.reason == StopReason.SETUP
    assert (told.pop("C-3"), set(told.values()), len(fake.state())) == (REJECTED, {WRITTEN}, 399)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("601", StopReason.CREDENTIALS),
        ("602", StopReason.CREDENTIALS),
        ("603", StopReason.PERMISSION),
        ("607", StopReason.QUOTA),
        ("610", StopReason.SETUP),
        ("1009", StopReason.SETUP),
        ("1011", StopReason.SETUP),
    ],
)
def test_trouble_of_the_call_that_is_told_row_by_row_is_the_calls(tmp_path, code, reason):
    """Credentials, permission, quota, set-up: nothing is turned away."""
    fake = FakeMarketo(n_leads=3)
    fake.trouble(Trouble(done([skipped(code, "no")] * 3), matches=on_leads))
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError, match=f"{code} no") as raised:
        send(marketo, rows(3))
    assert raised.value.reason == reason
    assert raised.value.hint


@pytest.mark.parametrize("code", ["601", "603", "607", "609", "702", "1029", "799"])
def test_trouble_of_the_call_that_is_told_of_some_rows_puts_these_off(tmp_path, code):
    """The others are written."""
    fake = FakeMarketo(n_leads=2)
    fake.trouble(Trouble(done([{"id": 1_000, "status": "updated"}, skipped(code, "no")]), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert outcomes(send(marketo, rows(2))) == {"C-0": WRITTEN, "C-1": RETRY}


@pytest.mark.parametrize("code", ["609", "701", "702", "1003"])
def test_a_call_that_is_refused_whatever_it_holds_turns_no_row_away(tmp_path, code):
    """Before a row alone is refused, a call without anything of it is tried."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(failed(code, "no"), times=10**6, matches=on_leads))
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError, match=f"{code} no") as raised:
        send(marketo, rows(1))
    assert raised.value.reason == StopReason.SETUP
    assert raised.value.hint
    assert asked(fake, LEADS) == 2


@pytest.mark.parametrize("key", ["leadlight_key", "id"])
def test_what_a_row_is_told_apart_by_changes_nothing(tmp_path, key):
    """The call without anything of a row creates no lead and writes to none."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(failed("609", "Invalid JSON"), matches=on_leads))
    before = fake.state()
    with talking(fake, tmp_path, key=key, may_create=True) as marketo, pytest.raises(BatchRefusedError):
        send(marketo, [Row("1000", {"leadlight_score": 72})])
    assert fake.state() == before


def test_a_refused_batch_is_halved_without_more_ado(tmp_path):
    """Only a row that is alone is doubted."""
    fake = FakeMarketo(n_leads=2)
    fake.trouble(Trouble(failed("609", "Invalid JSON"), times=10**6, matches=on_leads))
    with talking(fake, tmp_path) as marketo, pytest.raises(BatchRefusedError):
        send(marketo, rows(2))
    assert asked(fake, LEADS) == 1
