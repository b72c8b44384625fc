"""`init`, `check` and `ingest` at the command line: what a person sees, and what a program learns."""

import json

import pytest

CONFIG = """
shop: {name: Tiny shop}
data: .
ingest: {max_rejected_share: 0.5}
tables:
  orders:
    path: orders.csv
    columns: {lead_id: customer, ordered_at: created, amount: total}
"""
ROWS = ["customer,order_id,created,total", "a,1,2025-01-01 10:00:00,5.00", "b,2,2025-01-02 11:00:00,7.50"]
NOBODYS_ROW = ",3,2025-01-03 12:00:00,1.00"


@pytest.fixture
def shop(tmp_path):
    """Write a shop of two orders into the folder in which the command runs."""
    (tmp_path / "leadlight.yaml").write_text(CONFIG)
    (tmp_path / "orders.csv").write_text("\n".join(ROWS) + "\n")
    return tmp_path


def test_check_writes_nothing(leadlight, shop):
    """After a check the folder holds what it held before."""
    before = sorted(shop.rglob("*"))
    answer = leadlight("check")
    assert answer.returncode == 0, answer.stderr
    assert "orders" in answer.stdout
    assert sorted(shop.rglob("*")) == before


def test_ingest_says_in_json_what_it_did(leadlight, shop):
    """With --json stdout is one document, and stderr is silent."""
    answer = leadlight("ingest", "--json")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    report = json.loads(answer.stdout)
    assert report["tables"]["orders"]["kept"] == 2
    assert report["is_changed"] is True


def test_verbose_logs_each_step_to_stderr(leadlight, shop):
    """With --verbose stderr tells what is done; stdout stays the one document."""
    answer = leadlight("--verbose", "ingest", "--json")
    assert json.loads(answer.stdout)["is_changed"] is True
    assert "reading orders" in answer.stderr
    assert "sorting orders" in answer.stderr


def test_ingest_again_changes_nothing(leadlight, shop):
    """The second run finds nothing new and says so."""
    leadlight("ingest")
    again = leadlight("ingest")
    assert again.returncode == 0, again.stderr
    assert "Nothing is new" in again.stdout


def test_rejected_rows_give_exit_code_1_and_a_reason(leadlight, shop):
    """Done, but something was rejected: a nightly job learns it from the code, a person from the reason."""
    (shop / "orders.csv").write_text("\n".join([*ROWS, NOBODYS_ROW]) + "\n")
    answer = leadlight("ingest")
    assert answer.returncode == 1, answer.stderr
    assert "1 rejected: lead_id is empty" in answer.stdout
    assert "Rejected rows: " in answer.stdout


def test_a_fault_in_the_config_is_told_without_a_traceback(leadlight, shop):
    """Wrong settings give exit code 2, all faults, the nearest setting and a hint."""
    (shop / "leadlight.yaml").write_text(
        CONFIG.replace("max_rejected_share", "max_rejectd_share").replace("name:", "nme:")
    )
    answer = leadlight("check")
    assert answer.returncode == 2
    assert answer.stdout == ""
    for part in (
        "nme",
        "did you mean 'name'?",
        "max_rejectd_share",
        "did you mean 'max_rejected_share'?",
        "\n\nHint: ",
    ):
        assert part in answer.stderr
    assert "Traceback" not in answer.stderr


def test_init_then_check_says_which_file_is_missing(leadlight):
    """A newcomer's first two commands lead on: the config is written, then the missing file is named."""
    assert leadlight("init").returncode == 0
    answer = leadlight("check")
    assert answer.returncode == 2
    assert "orders.csv" in answer.stderr


def test_data_on_the_command_line_takes_the_place_of_the_config(leadlight, shop):
    """--data says where the files lie this time."""
    (shop / "elsewhere").mkdir()
    (shop / "orders.csv").rename(shop / "elsewhere" / "orders.csv")
    assert leadlight("check").returncode == 2
    assert leadlight("check", "--data", "elsewhere").returncode == 0


def test_models_before_the_first_training(leadlight, shop):
    """Without a model the list is empty and says how to get one."""
    answer = leadlight("models")
    assert answer.returncode == 0, answer.stderr
    assert "leadlight train" in answer.stdout
    assert json.loads(leadlight("models", "--json").stdout) == {"versions": [], "history": []}
