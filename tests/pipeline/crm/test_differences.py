"""Whether a CRM's text means what was written: numbers, moments, choices and empty values, each in its own spelling."""

import pytest

from pipeline.crm.differences import as_value, differences, is_same
from pipeline.crm.promise import CrmField, FieldType

SAME = [
    (72, "72", FieldType.INTEGER), (72, "72.0", FieldType.INTEGER), (0.1234, "0.1234", FieldType.NUMBER),
    (1e-7, "0.0000001", FieldType.NUMBER), (None, None, FieldType.NUMBER), (None, "", FieldType.TEXT),
    ("", None, FieldType.TEXT), (True, "true", FieldType.BOOLEAN), (False, "0", FieldType.BOOLEAN),
    ("a b", " a  b ", FieldType.TEXT), ("A", "A", FieldType.CHOICE),
    ("2024-11-01T00:00:00Z", "2024-11-01T00:00:00.000Z", FieldType.MOMENT),
    ("2024-11-01T00:00:00Z", "2024-11-01T01:00:00+01:00", FieldType.MOMENT),
    ("2024-11-01T00:00:00Z", "1730419200000", FieldType.MOMENT),
    ("2024-11-01T00:00:00Z", "1730419200", FieldType.MOMENT),
    ("2024-11-01T00:00:00Z", "2024-11-01 00:00:00", FieldType.MOMENT),
]  # fmt: skip
OTHER = [
    (72, "73", FieldType.INTEGER), (72, "seventy", FieldType.INTEGER), (72, None, FieldType.INTEGER),
    (0, None, FieldType.INTEGER), (None, "0", FieldType.INTEGER), ("A", "a", FieldType.CHOICE),
    (True, "maybe", FieldType.BOOLEAN), ("2024-11-01T00:00:00Z", "2024-11-02T00:00:00Z", FieldType.MOMENT),
    ("2024-11-01T00:00:00Z", "99999999999999999999", FieldType.MOMENT),
    ("2024-11-01T00:00:00Z", "soon", FieldType.MOMENT),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "kind"), SAME)
def test_what_means_the_same_is_the_same(ours, theirs, kind):
    """A value is itself in any spelling that a CRM has for it."""
    assert is_same(ours, theirs, kind)


@pytest.mark.parametrize(("ours", "theirs", "kind"), OTHER)
def test_what_means_something_else_differs(ours, theirs, kind):
    """A value that somebody changed, emptied, or that cannot be read is another."""
    assert not is_same(ours, theirs, kind)


@pytest.mark.parametrize(("ours", "theirs", "kind"), [one for one in SAME if one[1]])
def test_what_is_read_can_be_written_back(ours, theirs, kind):
    """A text that was read becomes a value that means the same."""
    assert is_same(as_value(theirs, kind), theirs, kind)


@pytest.mark.parametrize(
    ("theirs", "kind"), [(one[1], one[2]) for one in OTHER if one[1] in {"seventy", "maybe", "soon"}]
)
def test_what_means_nothing_is_not_written_back(theirs, kind):
    """A text without a value of that kind is refused."""
    with pytest.raises(ValueError, match=r".*"):
        as_value(theirs, kind)


def test_only_what_was_written_is_compared():
    """Properties that the payload does not hold are nobody's difference."""
    fields = [CrmField("a", FieldType.INTEGER), CrmField("b", FieldType.TEXT)]
    assert differences({"a": 1}, {"a": "1", "b": "else"}, fields) == []
    assert [one.property for one in differences({"a": 1, "b": "x"}, {"a": "2"}, fields)] == ["a", "b"]
