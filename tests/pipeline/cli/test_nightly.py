"""`leadlight run` at the command line: one document for programs, and the codes that schedulers live by."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.workspace import Workspace
from support.night_shop import HISTORY, LEADS, NightShop

AS_OF = ("--as-of", "2024-04-06")
"""The end of the last day of the exports: nothing here depends on today."""
CRM = {
    "crm": {
        "kind": "sql",
        "key": "lead_key",
        "create": True,
        "fields": {"score": "score", "grade": "grade"},
        "connect": {"url": "sqlite:///crm.db", "table": "people"},
    }
}


@pytest.fixture
def shop(tmp_path):
    """Return a shop in the folder in which the command runs, beside a database with an empty table."""
    made = NightShop(tmp_path, crm=CRM, score={"priority": "normal"})
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database, database:
        database.execute("CREATE TABLE people (lead_key VARCHAR(100) PRIMARY KEY, score INTEGER, grade VARCHAR(10))")
    return made


def written(shop):
    """Return the records of the CRM."""
    with closing(sqlite3.connect(shop.folder / "crm.db")) as database:
        return sorted(database.execute("SELECT lead_key, score, grade FROM people"))


def test_a_night_is_one_document_and_the_second_one_does_nothing(leadlight, shop):
    """From files to a table of the CRM, told step by step; run again, the records stay as they are."""
    first = leadlight("run", *AS_OF, "--yes", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert [step["name"] for step in told["steps"]] == ["listen", "ingest", "data", "score", "publish", "report"]
    assert told["steps"][4]["targets"]["crm"]["written"] == len(written(shop)) == LEADS
    assert told["exit_code"] == 0
    before = written(shop)
    again = leadlight("run", *AS_OF)
    assert (again.returncode, again.stderr) == (0, "")
    assert "Nothing new: this night was written before." in again.stdout
    assert written(shop) == before


def test_nobody_at_the_terminal_means_no(leadlight, shop):
    """Without --yes more leads than the config lets pass are not written, and the code is 1."""
    answer = leadlight("run", *AS_OF)
    assert answer.returncode == 1
    assert "--yes" in answer.stdout
    assert written(shop) == []


def test_data_that_are_too_old_are_code_one(leadlight, shop):
    """Exports of years ago are not scored unless that moment is asked for."""
    answer = leadlight("run", "--yes")
    assert answer.returncode == 1
    assert "orders: ends 2024-04-05" in answer.stdout
    assert written(shop) == []


def test_a_second_night_at_once_is_code_three(leadlight, shop):
    """A scheduler tries again later."""
    with Workspace(shop.folder / "workspace").running():
        answer = leadlight("run", *AS_OF)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "leadlight run" in answer.stderr


def test_a_config_with_a_fault_is_code_two(leadlight, shop):
    """Trying again would not help."""
    shop.configure(run={"max_age_day": 3})
    answer = leadlight("run")
    assert answer.returncode == 2
    assert "max_age_days" in answer.stderr


@pytest.mark.parametrize("sign", ["tables/current.json", "scores/manifest.json", "ledger.db"])
def test_killed_at_a_sign_of_each_step_and_started_again(leadlight, shop, sign):
    """Killed once the step has left its mark, the next run ends with every record, and scores that stand."""
    command = [str(Path(sys.executable).parent / "leadlight"), "run", *AS_OF, "--yes"]
    running = subprocess.Popen(command, cwd=shop.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not (shop.folder / "workspace" / sign).exists():
        time.sleep(0.001)
    if running.poll() is None:
        os.kill(running.pid, signal.SIGKILL)
    running.wait()
    answer = leadlight("run", *AS_OF, "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert len(written(shop)) == LEADS
    assert len(shop.stored()) == 1


def test_ctrl_c_says_that_nothing_is_lost(shop, monkeypatch):
    """Whoever stops a night by hand reads what to do next."""

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.stages.run.run", stopped)
    ended = CliRunner().invoke(app, ["run", "--config", str(shop.path)])
    assert (ended.exit_code, ended.stdout) == (130, "")
    assert ended.stderr.startswith("Stopped. What was finished is kept: run the same command again")


def test_missed_nights_are_caught_up(leadlight, shop):
    """The report names each night that was scored after all."""
    assert leadlight("run", *AS_OF, "--yes").returncode == 0
    shop.write_days(range(HISTORY, HISTORY + 3))
    answer = leadlight("run", "--as-of", "2024-04-09", "--catch-up", "--yes", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    told = json.loads(answer.stdout)
    assert told["caught_up"] == ["2024-04-07T00:00:00+00:00", "2024-04-08T00:00:00+00:00"]
    assert len(shop.stored()) == 4
