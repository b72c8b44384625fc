"""The check of the sum laws runs, finds nothing broken, and its last line can be read by a program."""

import pytest


@pytest.mark.slow
def test_everything_that_is_shown_adds_up_on_every_lead_of_a_small_shop(quick_form) -> None:
    """Points of every scored lead, and the steps between every two runs, sum to what is shown."""
    done, figures = quick_form("sum_laws")
    assert done.returncode == 0, done.stdout + done.stderr
    assert figures["violations"] == 0
    assert figures["scored"] > 2_000
    assert figures["changes"] > 3_000
