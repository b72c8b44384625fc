"""The benchmark of planted leaks runs, and its last line can be read by a program."""

import pytest


@pytest.mark.slow
def test_each_kind_of_leak_is_caught_by_name_at_its_weakest_and_the_clean_shop_is_not(quick_form) -> None:
    """Six weak plants in a small shop are caught, and two clean shops raise nothing."""
    done, figures = quick_form("leaks")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(one["kind"], one["caught"]) for one in figures["plants"]] == [
        (kind, True) for kind in ("closing", "closing, in an attribute", "backfilled", "clock", "cohort", "overlap")
    ]
    assert (figures["clean_seeds"], figures["false_alarms"]) == (2, 0)
