"""The benchmark of pages under load runs, and its last line can be read by a program."""

import pytest


@pytest.mark.slow
def test_a_quick_run_reads_both_ways_while_nights_are_published(quick_form) -> None:
    """Small data: nothing fails, no answer is of two runs, and every figure is there."""
    done, figures = quick_form("app")
    assert done.returncode == 0, done.stderr
    for way in ("api", "http"):
        found = figures[way]
        assert (found["errors"], found["mixed"]) == (0, 0), found["first_errors"]
        assert found["asks"]["list"] > 0
        assert found["asks"]["lead"] > 0
        assert found["editions"] > 1
        assert len(found["nights"]) >= found["editions"] - 1
        assert found["p95_ms"]["list"] > 0
        assert 0 < found["peak_gb"] < 1.5
    assert figures["http"]["asks"]["timeline"] == figures["http"]["asks"]["lead"]
    assert "pages under load, over http" in done.stdout
