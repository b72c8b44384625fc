"""`leadlight points` at the command line: a card written, tried and used without a model."""

import json

import pytest

CONFIG = """
shop: {name: Tiny shop}
data: .
tables:
  orders:
    path: orders.csv
    columns: {lead_id: customer, ordered_at: created, amount: total}
points: {card: points.yaml}
"""
ROWS = ["customer,order_id,created,total", "a,1,2025-01-01 10:00:00,5.00", "b,2,2025-01-02 11:00:00,7.50",
        "b,3,2025-01-02 12:00:00,7.50", "a,4,2025-01-03 11:00:00,7.50"]  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    """Write a shop of three orders into the folder in which the command runs."""
    (tmp_path / "leadlight.yaml").write_text(CONFIG)
    (tmp_path / "orders.csv").write_text("\n".join(ROWS) + "\n")
    return tmp_path


def test_from_nothing_to_scores_by_a_card(leadlight, shop):
    """init, ingest, check, score: four commands, and each lead has its points and its reasons."""
    for command in (("points", "init"), ("ingest",), ("points", "check"), ("points", "score"), ("explain", "b")):
        answer = leadlight(*command)
        assert answer.returncode == 0, answer.stderr
    assert "ordered 2 times in the last 90 days" in answer.stdout
    scored = json.loads(leadlight("score", "--json").stdout)
    assert (scored["leads"], scored["is_new"]) == (2, False)
    assert scored["best"][0]["lead_id"] == "b"


def test_a_card_in_a_folder_is_named_as_the_config_finds_it(leadlight, shop):
    """The path to write into the config starts at the config's folder, wherever the command runs."""
    assert "points: {card: cards/first.yaml}" in leadlight("points", "init", "cards/first.yaml").stdout


def test_without_a_card_the_way_to_one_is_told(leadlight, shop):
    """A config that names a card that is not there is refused with exit code 2 and the command that writes one."""
    leadlight("ingest")
    answer = leadlight("points", "check")
    assert answer.returncode == 2
    assert "leadlight points init" in answer.stderr
    assert "Traceback" not in answer.stderr
