"""Shipped configs are found by name, and a wrong name is answered with the right ones."""

import pytest

from features.errors import LeadlightError
from pipeline import shipped


def test_each_shipped_config_is_found_by_its_name():
    """A name leads to a file that exists."""
    assert all(shipped.config(name).is_file() for name in shipped.config_names())


def test_an_unknown_name_is_answered_with_those_that_exist():
    """Who asks for a config that is not shipped sees which are."""
    with pytest.raises(LeadlightError) as refused:
        shipped.config("cdnov")
    assert "'cdnov'" in str(refused.value)
    assert all(f"\n  - {name}" in str(refused.value) for name in shipped.config_names())
    assert "\n\nHint: " in str(refused.value)
