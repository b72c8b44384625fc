"""The benchmark of a million leads to each CRM runs, and its last line can be read by a program."""

import pytest


@pytest.mark.slow
def test_a_quick_run_accounts_for_every_lead(quick_form) -> None:
    """Small data: every place takes two nights, and every lead is written, unchanged or held."""
    done, told = quick_form("crm")
    assert done.returncode == 0, done.stderr
    assert len(told) > 5
    for name, found in told.items():
        first, second = found["nights"]
        for night in (first, second):
            assert night["written"] + night["unchanged"] + night["held"] == night["given"] == 1_000, name
            assert 0 < night["peak_mb"] < 500, name
        assert 0 < second["written"] < first["written"], name
    assert "leads written to each place" in done.stdout
