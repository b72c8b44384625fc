"""What a file holds is looked at, all of it, before anything is sent to it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.crm.kinds import Surroundings, kind_of
from pipeline.crm.promise import CrmField, FieldType, PassingTicket, Row
from pipeline.crm.session import Outside
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.listen import listen
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_checks import verify
from support.little_shop import LittleShop
from support.publishing import YES, outside, published

FORMATS = ("csv", "parquet", "jsonl")
SECRET = "ann@example.com"


def connector(folder, name, *, may_create=True):
    """Return a connector to a file in *folder*."""
    kind = kind_of("file")
    return kind.connect(
        kind.options(path=name), Surroundings("nightly", "lead_id", folder, folder, {}, may_create=may_create)
    )


def refused(folder, name, content):
    """Return why the check of a file with that *content* stops."""
    (folder / name).write_bytes(content)
    with pytest.raises(StopError) as raised:
        connector(folder, name).check([CrmField("score", FieldType.INTEGER)])
    assert raised.value.reason == StopReason.SETUP
    assert SECRET not in raised.value.words
    return f"{raised.value.words} {raised.value.hint}"


def shop_with(tmp_path, name, **target):
    """Return a shop of six leads whose scores stand in a file."""
    crm = {"f": {"kind": "file", "key": "lead_id", "create": True, "fields": {"score": "score"}, **target}}
    crm["f"]["connect"] = {"path": name}
    shop = LittleShop(tmp_path / "shop", leads=6, crm=crm)
    shop.score_all_free(0)
    published(shop)
    return shop


def without_key(shop, form):
    """Let the file of a shop lose its key's column."""
    path = shop.folder / f"crm.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"other": ["x"]}), path)
    else:
        path.write_text("other,score\nx,1\n")


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_file_that_is_no_longer_utf_8_is_refused(tmp_path, is_dry):
    """Though nothing is due, and the key's column alone could be read: a person learns that the leads are gone."""
    shop = shop_with(tmp_path, "crm.csv")
    (shop.folder / "crm.csv").write_bytes(b"lead_id,score\nx,\xe9\n")
    wish = Wish(may=lambda _: True, is_dry=is_dry)
    (failure,) = publish(shop.settings, wish, outside=outside(shop)).failures
    assert failure.exit_code == 2
    assert "line 2 is not UTF-8" in failure.message
    assert "CSV UTF-8" in failure.message


def test_a_first_publication_to_a_file_in_another_encoding_freezes_nothing(tmp_path):
    """A list that Excel saved is refused by the check."""
    assert "line 2 is not UTF-8" in refused(tmp_path, "crm.csv", f"lead_id,city,{SECRET}\na,Évora,\n".encode("latin-1"))
    assert "CSV in UTF-8" in refused(tmp_path, "crm.csv", "lead_id,größe\na,1\n".encode("latin-1"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"lead_id,m\na,1\nb,{SECRET},3\n", "line 3 has more or fewer cells"),
        (f"lead_id,m,n\na,{SECRET}\n", "line 2 has more or fewer cells"),
        (f'lead_id,m\na,"{SECRET}\nb,2\n', "line 2 has a quote that nothing closes"),
    ],
)
def test_the_line_of_a_csv_that_cannot_be_read_is_named(tmp_path, content, said):
    """With its cause and what to do, and without what stands in it."""
    found = refused(tmp_path, "crm.csv", content.encode())
    assert said in found
    assert "correct that line" in found


def test_lines_that_end_in_different_ways_are_told(tmp_path):
    """As where a program of one system goes on with a file of another's."""
    assert "lines end in different ways" in refused(tmp_path, "crm.csv", b"lead_id,m\r\na,1\nb,2\r\n")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_column_of_a_field_s_name_in_other_case_is_told(tmp_path, form):
    """Beside it the field would make a file that no later run could read."""
    path = tmp_path / f"crm.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"lead_id": ["a"], "Score": [1]}), path)
    else:
        path.write_text("lead_id,Score\na,1\n")
    (found,) = connector(tmp_path, path.name).check([CrmField("score", FieldType.INTEGER)])
    assert found == f"'crm.{form}' has a column 'Score', and 'score' is written: name one as the other."


@pytest.mark.parametrize("length", [8_100_000, 20_000_000])
def test_a_line_that_is_too_long_is_told(tmp_path, length):
    """However long it is, and whether or not others follow."""
    for rest in ("", "d,3\n" * 10):
        found = refused(tmp_path, "crm.csv", f"lead_id,m\na,1\nb,{SECRET}{'x' * length}\n{rest}".encode())
        assert "longer than 8 MB" in found


@pytest.mark.parametrize(
    ("content", "line"), [(b'{"lead_id":"a"}\n{"lead_id":\n{"lead_id":"c"}\n', 2), (b'{"lead_id":"\xe9"}\n', 1)]
)
def test_the_line_of_json_that_cannot_be_read_is_named(tmp_path, content, line):
    """It is no JSON, or in another encoding."""
    assert f"line {line} is no JSON in UTF-8" in refused(tmp_path, "crm.jsonl", content)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"lead_id":"b","lead_id":"a"}', "names a member twice"),
        ('{"lead_id":"b","m":1,"\\u006d":2}', "names a member twice"),
        ('{"lead_id":"b","m":' + "[" * 1_500 + "]" * 1_500 + "}", "nested more than 200 deep"),
        ('{"lead_id":"b","m":' + '{"m":' * 201 + "1" + "}" * 201 + "}", "nested more than 200 deep"),
        ('{"lead_id":"b","m":' + '{"[":' * 201 + "1" + "}" * 201 + "}", "nested more than 200 deep"),
        ('{"lead_id":"b","m":' + "1" * 5_000 + "}", "too long a number"),
    ],
)
def test_json_that_would_not_come_out_as_it_went_in_is_refused(tmp_path, row, said):
    """A name that stands twice, or more than can be read."""
    plain = '{"lead_id":"a","m":"' + "[" * 300 + '"}\n'
    found = refused(tmp_path, "crm.jsonl", f"{plain}{row}\n".encode())
    assert found.startswith("Row 2 of 'crm.jsonl'")
    assert said in found
    assert "correct that row" in found


def test_json_that_is_long_but_plain_is_written(tmp_path):
    """Brackets and digits within texts, and what is 199 deep, come out as they went in."""
    theirs = {"lead_id": "a", "t": '"[' * 300 + "1" * 5_000, "m": json.loads("[" * 199 + "]" * 199)}
    (tmp_path / "crm.jsonl").write_text(json.dumps(theirs) + "\n")
    one = connector(tmp_path, "crm.jsonl")
    assert one.check([]) == []
    one.send([Row("a", {"score": 1}, trace="t")], PassingTicket())
    one.finish()
    one.close()
    assert json.loads((tmp_path / "crm.jsonl").read_text()) == {**theirs, "score": 1}


def test_what_is_too_much_is_read_as_it_stands(tmp_path):
    """Reading back says that something else stands there, and does not fail."""
    deep = "[" * 3_000 + "]" * 3_000
    (tmp_path / "crm.jsonl").write_text('{"lead_id":"a","score":' + deep + "}\n")
    one = connector(tmp_path, "crm.jsonl")
    assert one.read(["a"], ["score"])["a"].fields == {"score": deep}
    one.close()


def test_whole_numbers_are_no_key_of_new_rows(tmp_path):
    """An id is a text: 007 is not 7. Rows that are there already are found all the same."""
    pq.write_table(pa.table({"lead_id": [7, 8]}), tmp_path / "crm.parquet")
    assert connector(tmp_path, "crm.parquet").check([]) == [
        "'lead_id' holds BIGINT in 'crm.parquet', and the ids of new rows are texts."
    ]
    one = connector(tmp_path, "crm.parquet", may_create=False)
    assert one.check([]) == []
    one.send([Row("7", {"score": 1}, trace="t")], PassingTicket())
    one.finish()
    one.close()
    assert pq.read_table(tmp_path / "crm.parquet").to_pylist() == [
        {"lead_id": 7, "score": 1},
        {"lead_id": 8, "score": None},
    ]


def test_a_parquet_file_with_a_damaged_column_is_refused(tmp_path):
    """Though its footer and its keys can be read."""
    path = tmp_path / "crm.parquet"
    pq.write_table(pa.table({"lead_id": ["a"], "m": ["x" * 1_000]}), path, compression="none", use_dictionary=False)
    held = path.read_bytes()
    begin = pq.read_metadata(path).row_group(0).column(1).data_page_offset
    assert "cannot be read" in refused(tmp_path, "crm.parquet", held[:begin] + b"\xff" * 40 + held[begin + 40 :])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_without_its_key_is_told_alike_wherever_it_is_met(tmp_path, form):
    """Publishing, reading back and hearing say the same, with the code of wrong input."""
    shop = shop_with(tmp_path, f"crm.{form}", read={"override": "hands_off"})
    without_key(shop, form)
    world: Outside = outside(shop)
    done = (
        publish(shop.settings, YES, outside=world),
        verify(shop.settings, "", sample=5, outside=world),
        listen(shop.settings, "", outside=world),
    )
    failures = [failure for report in done for failure in report.failures]
    assert [failure.exit_code for failure in failures] == [2, 2, 2]
    (message,) = {failure.message for failure in failures}
    assert f"'crm.{form}' has no column 'lead_id', which is to tell rows apart." in message
    assert "correct the file, or the target's key" in message


def test_a_csv_of_many_rows_is_checked_in_little_memory(tmp_path):
    """Keys that are told apart and the rows they stand in share what DuckDB may take."""
    lines = "".join(f'"lead-{number:08d}","{"4 orders in 30 days; " * 3}"\n' for number in range(1_000_000))
    (tmp_path / "crm.csv").write_text(f"lead_id,why\n{lines}")
    assert connector(tmp_path, "crm.csv").check([]) == []
