"""The browser's wish becomes one of our languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.languages import LANGUAGES, language, preferred


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("pl-PL,pl;q=0.9,en;q=0.5", "pl-PL"),
        ("de;q=0.9, pt-BR;q=0.8, en;q=0.1", "pt-BR"),
        ("en;q=0.1, ro", "ro"),
        ("pl;q=0, de", "en"),
        ("", "en"),
        ("pl;q=often, ro;q=0.2", "ro"),
    ],
)
def test_the_most_wanted_language_that_we_have(accepted, code):
    """Weights order the wishes; zero is no wish, and neither is nonsense."""
    assert preferred(accepted) == code


def test_only_what_is_offered_is_chosen():
    """A shop may offer fewer languages, and the first of them stands in."""
    assert preferred("pl", ("ro", "en")) == "ro"


@given(st.text())
def test_any_header_is_read(accepted):
    """Whatever a browser sends names a language of ours in the end."""
    assert language(preferred(accepted)).code in LANGUAGES
