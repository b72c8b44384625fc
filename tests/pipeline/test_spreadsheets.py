"""No text from outside is run by a spreadsheet, whether it is made safe alone or with its whole column."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.spreadsheets import safe, safe_texts

STARTS = st.sampled_from(["=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe63"])
BEFORE = st.text(st.sampled_from(" \t\u00a0\u3000\ufeff\u200b\u202e\u2060\u2066\u00ad"), max_size=40)
ENDS = ";\t\r\n"
ONE_CELL = st.text(st.characters(exclude_characters=ENDS))


@given(BEFORE, STARTS, ONE_CELL)
def test_whatever_begins_like_a_formula_gets_an_apostrophe(before, start, rest):
    """White space and unseen signs before it hide nothing, and neither do full-width forms."""
    assert safe(before + start + rest) == f"'{before}{start}{rest}"


@given(st.sampled_from("\t\r\n"), st.just("Ann"))
def test_what_begins_with_a_break_gets_an_apostrophe(first, rest):
    """Some programs pass over a tab or a line break and run what follows."""
    assert safe(first + rest) == f"'{first}{rest}"


@given(st.sampled_from(ENDS), BEFORE.filter(lambda text: "\t" not in text), STARTS, ONE_CELL)
def test_so_does_what_follows_the_end_of_a_cell(end, before, start, rest):
    """Where a comma is a decimal sign, a semicolon in a name ends the cell, and what follows it is the next."""
    assert safe(f"Ann{end}{before}{start}{rest}") == f"Ann{end}'{before}{start}{rest}"


@pytest.mark.parametrize("text", ["", "a;b", "a; b-c", "Ann", "1-2", "a=b", "'=1", "Łucja (+48)", "x" * 10_000])
def test_other_text_stays_as_it_is(text):
    """A sign inside a text is no formula."""
    assert safe(text) == text


@given(st.lists(st.one_of(st.none(), st.text(), st.builds(lambda *parts: "".join(parts), BEFORE, STARTS, st.text()))))
def test_a_column_is_made_safe_as_each_of_its_texts_is(texts):
    """The quick way and the plain one agree, and what is missing stays missing."""
    column = pa.chunked_array([pa.array(texts, pa.string())])
    assert safe_texts(column).to_pylist() == [None if text is None else safe(text) for text in texts]
