"""Events are called by our words where we know their type, by the shop's where we do not."""

import pytest

from features.families.offering import EVENT_TYPES
from pipeline.event_names import event_name
from pipeline.languages import LANGUAGES, language


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_known_type_has_a_name(code):
    """Every type of event that features know is said in words of each language, however a shop spells it."""
    for names in EVENT_TYPES.values():
        said = {event_name(name, {}, language(code)) for name in names}
        assert len(said) == 1
        assert "_" not in said.pop()


def test_the_shops_own_name_of_a_known_type_is_understood():
    """A shop that sends "pdf" for a download reads of a download."""
    assert event_name("pdf", {"download": ("pdf",)}, language("pl")) == "pobranie"


def test_an_unknown_type_stays_as_the_shop_calls_it():
    """Its name is made harmless, and underscores become spaces."""
    assert event_name("store_<b>visit", {}, language("ro")) == "store (b)visit"
