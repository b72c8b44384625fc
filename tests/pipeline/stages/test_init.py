"""The starting config is right as it is, and never overwrites a person's work."""

import pytest

from features.errors import LeadlightError
from pipeline.settings import load
from pipeline.stages.init import init


def test_the_starting_config_has_no_faults(tmp_path):
    """What `init` writes loads at once."""
    assert load(init(tmp_path / "leadlight.yaml")).shop.name == "My shop"


def test_a_file_that_exists_is_left_as_it_is(tmp_path):
    """`init` refuses to overwrite, and says what to do."""
    mine = tmp_path / "leadlight.yaml"
    mine.write_text("mine")
    with pytest.raises(LeadlightError, match=r"(?s)leadlight\.yaml.*\n\nHint: "):
        init(mine)
    assert mine.read_text() == "mine"
