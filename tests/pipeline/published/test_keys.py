"""Addresses of leads: every key has one, and nothing of the lead can be read from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from pipeline.published import keys


@given(st.integers(0, 2**64 - 1))
def test_text_and_back_is_the_same_key(key):
    """Thirteen small letters and digits, also typed as capitals."""
    text = keys.text_of(key)
    assert len(text) == 13
    assert text == text.lower()
    assert keys.key_of(text) == keys.key_of(text.upper()) == key


@given(st.text())
def test_any_text_is_a_key_or_refused_without_being_repeated(text):
    """What was given may be an e-mail address, so the message does not hold it."""
    refused = None
    try:
        assert 0 <= keys.key_of(text) < 2**64
    except LeadlightError as error:
        refused = str(error)
    assert refused is None or refused.startswith("This is no lead's address.")
    assert refused is None or len(text) < 4 or text not in refused


def test_letters_that_look_like_digits_are_read_as_these():
    """Copied by hand from paper, an o is a zero."""
    assert keys.key_of("ooooooooooo1i") == keys.key_of("000000000001l") == 33


def test_more_than_sixty_four_bits_are_refused():
    """The first of thirteen digits has four bits."""
    assert keys.key_of("fzzzzzzzzzzzz") == 2**64 - 1
    with pytest.raises(LeadlightError, match="no lead's address"):
        keys.key_of("g000000000000")
