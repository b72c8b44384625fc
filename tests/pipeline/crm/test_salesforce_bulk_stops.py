"""What meets every row of a Bulk job alike stops the run, is told with its remedy, and spends no further jobs."""

import pytest

from fakes.salesforce import FakeSalesforce
from fakes.salesforce_records import Written
from pipeline.crm.promise import PassingTicket
from pipeline.crm.trouble import StopError, StopReason
from support.salesforce_org import org, outcomes, rows

N = 300
STOPS = [
    ("INVALID_FIELD_FOR_INSERT_UPDATE", StopReason.PERMISSION, "edit access to the field"),
    ("STORAGE_LIMIT_EXCEEDED", StopReason.QUOTA, "free data storage"),
    ("REQUEST_LIMIT_EXCEEDED", StopReason.QUOTA, "daily calls"),
]


def full_after(fake, rows_written, code):
    """Let the org turn all rows away with a code, after so many were written."""
    usual, left = fake.leads.write, [rows_written]

    def write(column, ident, values):
        left[0] -= 1
        return usual(column, ident, values) if left[0] >= 0 else Written(code=code, message=f"no: {values}")

    fake.leads.write = write
    return usual


@pytest.mark.parametrize(("code", "reason", "remedy"), STOPS)
@pytest.mark.parametrize("n_rows", [2, N], ids=["by a call", "by a job"])
def test_what_no_row_can_help_stops_with_its_remedy(tmp_path, code, reason, remedy, n_rows):
    """By calls and by jobs alike, and each with a remedy of its own."""
    fake = FakeSalesforce(leads=N)
    full_after(fake, 0, code)
    with org(fake, tmp_path) as connector, pytest.raises(StopError, match=code) as stopped:
        connector.send(rows(n_rows), PassingTicket())
    assert stopped.value.reason is reason
    assert remedy in stopped.value.hint
    assert "Bought twice" not in stopped.value.words
    assert len(fake.jobs) == (n_rows == N)


def test_a_job_that_met_a_stop_midway_is_gone_on_with(tmp_path):
    """What it wrote counts when somebody has mended the cause, and only the rest is sent anew."""
    fake, ticket = FakeSalesforce(leads=N), PassingTicket()
    usual = full_after(fake, 120, "STORAGE_LIMIT_EXCEEDED")
    with org(fake, tmp_path) as connector:
        with pytest.raises(StopError):
            connector.send(rows(N), ticket)
        fake.leads.write = usual
        answers = connector.send(rows(N), ticket)
        said = list(outcomes(answers).values())
        assert (said.count("written"), said.count("retry STORAGE_LIMIT_EXCEEDED")) == (120, 180)
        waiting = {answer.key for answer in answers if answer.outcome == "retry"}
        again = connector.send([row for row in rows(N) if row.key in waiting], PassingTicket())
    assert set(outcomes(again).values()) == {"written"}
    assert fake.state() == {one.key: dict(one.fields) for one in rows(N)}
    assert len(fake.jobs) == 1
