"""The benchmark of a million rows in PostgreSQL runs, and its last line can be read by a program."""

from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_quick_run_ends_with_ledger_and_table_agreed(quick_form) -> None:
    """Small data: whether or not the kill came in time, ledger and table say the same of every lead."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    done, told = quick_form("crm_postgres")
    assert done.returncode == 0, done.stderr
    assert told["rows"] == told["agree"] > 500
    assert told["is_accounted"]
