"""Words of a CRM are kept without what nobody may read, however they are built."""

import pytest

from pipeline.crm.said import LONGEST, WHOLE, fit_to_keep


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("no room for ann@example.com, bob@example.com", "no room for …, …"),
        ("<ann@example.com>: a@b@c", "<…>: …@c"),
        ("'ann@example.com' is taken", "'…' is taken"),
    ],
)
def test_addresses_are_hidden_from_their_first_letter_on(words, kept):
    """Wherever they stand."""
    assert fit_to_keep(words) == kept


def test_a_value_is_hidden_behind_a_quotation_mark_that_never_ends():
    """The mark before it is no beginning of something longer."""
    assert fit_to_keep("the leads' or 'so: 'A1' is no grade", values=["A1"]) == "the leads' or 'so: '…' is no grade"


@pytest.mark.parametrize("sign", ["a", " 'a", "@", "'", "a@"])
@pytest.mark.parametrize("values", [[], ["a"]])
def test_endless_words_are_cut_without_being_looked_at_for_minutes(sign, values):
    """A page of one single word, or of nothing but quotation marks, holds nobody up."""
    assert len(fit_to_keep(sign * (WHOLE // len(sign)), values=values)) <= LONGEST
