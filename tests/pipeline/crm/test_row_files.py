"""Files that people open in a spreadsheet: whatever a CRM or a shop put into them, none of it is run."""

import csv

import pytest

from pipeline.crm.promise import Answer, Outcome
from pipeline.crm.row_files import write_rows
from pipeline.crm.trouble import BatchRefusedError
from pipeline.workspace import Workspace
from support.little_shop import FIELDS, LittleShop
from support.publishing import published

FORMULA = '=HYPERLINK("http://evil")'


@pytest.fixture
def shop(tmp_path):
    """Return a shop with scores of a night in which nobody is held."""
    made = LittleShop(tmp_path / "shop", leads=3, crm={"crm": {"fields": FIELDS}})
    made.score_all_free(0)
    return made


def lines_of(path):
    """Return the lines of a CSV, as texts."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_no_cell_is_a_formula(tmp_path):
    """In whatever column, beside numbers and nothing; these stay as they are."""
    path = tmp_path / "some.csv"
    rows = [(FORMULA, -1, None, "a;=1+1"), ("plain", 2, FORMULA, "+351"), (None, None, None, "\t=1")]
    assert write_rows(Workspace(tmp_path), path, ("a", "b", "c", "d"), iter(rows)) == path
    assert lines_of(path) == [
        ["a", "b", "c", "d"],
        [f"'{FORMULA}", "-1", "", "a;'=1+1"],
        ["plain", "2", f"'{FORMULA}", "'+351"],
        ["", "", "", "'\t=1"],
    ]


def test_more_rows_than_are_written_at_a_time_are_all_there(tmp_path, monkeypatch):
    """None left out, none twice, the order kept."""
    monkeypatch.setattr("pipeline.crm.row_files._AT_ONCE", 3)
    for count in (1, 3, 7):
        path = write_rows(Workspace(tmp_path), tmp_path / "some.csv", ("n",), ((str(n),) for n in range(count)))
        assert lines_of(path)[1:] == [[str(n)] for n in range(count)]


def said_by_rows(rows):
    """Turn each row away."""
    return [Answer(row.key, Outcome.REJECTED, FORMULA, FORMULA) for row in rows]


def said_of_all(_rows):
    """Refuse the batch."""
    raise BatchRefusedError(FORMULA, code=FORMULA)


@pytest.mark.parametrize("say", [said_by_rows, said_of_all])
def test_what_a_crm_says_is_no_formula_in_the_list_of_rejected_leads(shop, memory, say):
    """Neither its words nor its code."""
    memory.on_send = say
    head, *letters = lines_of(published(shop).dead_letters)
    assert len(letters) == 3
    for letter in letters:
        said = dict(zip(head, letter, strict=True))
        assert (said["code"], said["words"]) == (f"'{FORMULA}", f"'{FORMULA}")
