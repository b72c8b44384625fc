"""Exit codes: what was raised decides, and nothing is told twice."""

import errno
import os

import pytest

from features.errors import GateFailedError, not_finished, wrong_input
from pipeline.cli.exits import ExitCodes

FULL = OSError(errno.ENOSPC, "No space left on device", "scores/part.parquet")


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (wrong_input("Table 'orders' is empty."), 2),
        (not_finished("Another run holds the lock."), 3),
        (GateFailedError("The certificate failed."), 1),
        (FULL, 3),
        (OSError(errno.EFBIG, "File too large", "exports/scores.csv"), 3),
        (ValueError("a fault of ours"), 70),
        (OSError(errno.EIO, "broken"), 70),
    ],
)
def test_what_was_raised_decides_the_code(raised, code, capsys):
    """A gate that failed is 1, a person's fault 2, a passing trouble 3, ours 70."""
    with ExitCodes() as exits:
        raise raised
    assert exits.code == code
    assert ("Traceback" in capsys.readouterr().err) == (code == 70)


def test_nothing_raised_is_done(capsys):
    """A command that returns is done and silent."""
    with ExitCodes() as exits:
        pass
    assert exits.code == 0
    assert capsys.readouterr().err == ""


def test_an_exit_of_the_command_itself_passes_through():
    """The code that a command chose, 1 for rejected rows say, is not touched."""
    with pytest.raises(SystemExit) as chosen, ExitCodes():
        raise SystemExit(1)
    assert chosen.value.code == 1


def test_the_message_of_an_error_is_shown_as_it_is(capsys):
    """The text of a LeadlightError reaches the person without a prefix."""
    with ExitCodes():
        raise wrong_input("Table 'orders' is empty.", hint="look at its path.")
    assert capsys.readouterr().err == "Table 'orders' is empty.\n\nHint: look at its path.\n"


@pytest.mark.parametrize("fault", [FileExistsError, PermissionError, NotADirectoryError])
def test_a_place_that_cannot_be_used_is_no_fault_of_ours(fault, tmp_path, capsys):
    """A workspace that is a file, or that is read-only, is said in two sentences."""
    number = {FileExistsError: errno.EEXIST, PermissionError: errno.EACCES, NotADirectoryError: errno.ENOTDIR}[fault]
    with ExitCodes() as exits:
        raise fault(number, os.strerror(number), str(tmp_path / "workspace"))
    told = capsys.readouterr().err
    assert exits.code == 2
    assert "workspace' cannot be used: " in told
    assert "Traceback" not in told


def test_a_full_disk_says_where_and_what_next(capsys):
    """No space left is not our fault: the message names the place and the next step."""
    with ExitCodes():
        raise FULL
    assert capsys.readouterr().err == (
        "No space is left on the disk at 'scores/part.parquet'. What was finished before is untouched.\n"
        "\n"
        "Hint: free some space, or point shop.workspace at another disk; then run it again.\n"
    )
