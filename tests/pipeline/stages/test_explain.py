"""A lead is found by its id, and by what a screen shows of it."""

from models.wording import plain
from pipeline.stages.explain import meant_by


def test_an_id_copied_from_the_screen_finds_its_lead():
    """Brackets, control characters and long ids are shown in a plain form; where two are shown the same, none is."""
    scored = ["a[1]", "tab\there", "x" * 100, "b<2>", "b[2]", "c3"]
    for lead_id in scored[:3]:
        assert plain(lead_id) != lead_id
        assert meant_by(plain(lead_id), scored) == lead_id
    assert meant_by("b(2)", scored) is None
    assert meant_by("nobody", scored) is None
