"""Scores in files: parts beside the file, then one new file in its place."""

import csv
import itertools
import json
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.crm.connectors import file as module
from pipeline.crm.connectors import file_parts
from pipeline.crm.connectors.file_cells import meant, shown, shown_all
from pipeline.crm.kinds import Surroundings, kind_of
from pipeline.crm.promise import Answer, CrmField, FieldType, Missing, Outcome, PassingTicket, Record, Row
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason
from pipeline.spreadsheets import safe

FORMATS = ("csv", "parquet", "jsonl")


def connector(folder, name="crm.csv", *, may_create=True, key="lead_id", **options):
    """Return a connector to a file in *folder*."""
    kind = kind_of("file")
    around = Surroundings("nightly", key, Path(folder), Path(folder), {}, may_create=may_create)
    return kind.connect(kind.options(path=name, **options), around)


def row(key, **fields):
    """Return a row."""
    return Row(key, fields, trace=f"trace-{key}")


def sent(one, *rows):
    """Send rows and return what became of them, by key."""
    return {answer.key: answer.outcome for answer in one.send(rows, PassingTicket())}


def published(folder, name, *batches, **options):
    """Send batches, finish, and close."""
    one = connector(folder, name, **options)
    for batch in batches:
        sent(one, *batch)
    one.finish()
    one.close()


def held(path):
    """Return the rows of a file as other programs see them."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as opened:
        return [{name: cell or None for name, cell in one.items()} for one in csv.DictReader(opened)]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_sent_stands_in_the_file_once_it_is_finished(tmp_path, form):
    """Before that nothing is read of it; then it is, with one spelling for each value."""
    values = {"score": 72, "probability": 0.25, "grade": "A", "hot": True, "none": None, "even": 3.0}
    one = connector(tmp_path, f"crm.{form}")
    assert sent(one, row("C-2", **values), row("C-1", **{**values, "score": 5})) == dict.fromkeys(
        ("C-1", "C-2"), Outcome.STAGED
    )
    assert one.read(["C-1", "C-2"], ("score",)) == {}
    one.finish()
    expected = {"score": "72", "probability": "0.25", "grade": "A", "hot": "true", "none": None, "even": "3"}
    names = (*values, "missing")
    found = one.read(["C-1", "C-2", "C-3"], names)
    assert found["C-2"] == Record("C-2", {**expected, "missing": None})
    assert found["C-1"].fields["score"] == "5"
    assert set(found) == {"C-1", "C-2"}
    one.close()
    assert [path.name for path in tmp_path.iterdir()] == [f"crm.{form}"]
    assert [line["lead_id"] for line in held(tmp_path / f"crm.{form}")] == ["C-1", "C-2"]
    assert list(held(tmp_path / f"crm.{form}")[0]) == ["lead_id", *values]


@pytest.mark.parametrize("form", FORMATS)
def test_what_others_keep_in_the_file_stays(tmp_path, form):
    """Their columns, the order of columns and rows, and rows that nobody writes."""
    path = tmp_path / f"crm.{form}"
    theirs = [
        {"city": "Łódź", "lead_id": "C-9", "score": 1, "note": 'said "no"; =1'},
        {"city": None, "lead_id": "C-1", "score": 2, "note": None},
        {"city": "Porto", "lead_id": None, "score": 3, "note": "x"},
    ]
    if form == "csv":
        with path.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.DictWriter(opened, list(theirs[0]))
            writer.writeheader()
            writer.writerows(theirs)
    elif form == "jsonl":
        path.write_text("".join(json.dumps(one) + "\n" for one in theirs))
    else:
        pq.write_table(pa.Table.from_pylist(theirs), path)
    path.chmod(0o640)
    published(tmp_path, path.name, [row("C-9", score=50, grade="A"), row("C-5", score=60, grade=None)])
    as_spelled = str if form == "csv" else int
    new = {"C-5": "60", "C-9": "50"}
    if form == "jsonl":
        new = {**theirs[0], "score": 50, "grade": "A"}
        assert held(path) == [new, theirs[1], theirs[2], {"lead_id": "C-5", "score": 60, "grade": None}]
    else:
        assert held(path) == [
            {**theirs[0], "score": as_spelled(50), "grade": "A"},
            {**theirs[1], "score": as_spelled(2), "grade": None},
            {**theirs[2], "score": as_spelled(3), "grade": None},
            {"city": None, "lead_id": "C-5", "score": as_spelled(60), "note": None, "grade": None},
        ]
        assert list(held(path)[0]) == ["city", "lead_id", "score", "note", "grade"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("form", FORMATS)
def test_twice_is_once(tmp_path, form):
    """The same batches again, in any number, give the same file to the byte; a finish without parts touches nothing."""
    path = tmp_path / f"crm.{form}"
    batches = [[row("b", score=1), row("a", score=2.5)], [row("c", score=None)]]
    published(tmp_path, path.name, *batches)
    first, touched = path.read_bytes(), path.stat().st_mtime_ns
    published(tmp_path, path.name)
    assert path.stat().st_mtime_ns == touched
    published(tmp_path, path.name, *batches, *batches, batches[0])
    assert path.read_bytes() == first


def staged_and_killed(folder, name, *batches):
    """Send batches and vanish; return their tickets and the parts."""
    one, tickets = connector(folder, name), [PassingTicket() for _ in batches]
    for batch, ticket in zip(batches, tickets, strict=True):
        one.send(batch, ticket)
    one.close()
    return tickets, sorted((folder / f".{name}.leadlight").iterdir())


def test_a_batch_that_lies_there_is_not_laid_again(tmp_path):
    """A run that is taken up again sends its batches with their tickets: the parts stay as they are, and count."""
    (ticket,), (part,) = staged_and_killed(tmp_path, "crm.csv", [row("a", score=1)])
    before = part.stat()
    one = connector(tmp_path)
    assert one.send([row("a", score=1)], ticket) == [Answer("a", Outcome.STAGED)]
    assert part.stat() == before
    one.finish()
    one.close()
    assert (tmp_path / "crm.csv").read_text() == "lead_id,score\na,1\n"


def cut_short(part):
    """Let a part lose its second half."""
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])


def flipped(part):
    """Let a part have another byte in its midst."""
    held = bytearray(part.read_bytes())
    held[len(held) // 2] ^= 0xFF
    part.write_bytes(held)


HARM = [Path.unlink, cut_short, flipped, lambda part: shutil.rmtree(part.parent)]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("harm", HARM)
def test_a_part_that_was_harmed_after_a_kill_is_laid_anew(tmp_path, form, harm):
    """Removed, cut short or otherwise written: the batch comes again, and nothing is missing."""
    batches = [[row("a", score=1)], [row("b", score=2)]]
    tickets, parts = staged_and_killed(tmp_path, f"crm.{form}", *batches)
    harm(parts[1])
    one = connector(tmp_path, f"crm.{form}")
    for batch, ticket in zip(batches, tickets, strict=True):
        one.send(batch, ticket)
    one.finish()
    one.close()
    assert [(line["lead_id"], int(line["score"])) for line in held(tmp_path / f"crm.{form}")] == [("a", 1), ("b", 2)]
    assert [path.name for path in tmp_path.iterdir()] == [f"crm.{form}"]


@pytest.mark.parametrize("harm", HARM)
def test_a_part_that_is_harmed_before_the_end_stops(tmp_path, harm):
    """The file stays as it was, and a person is told; the same again brings all of it."""
    published(tmp_path, "crm.csv", [row("z", score=9)])
    one = connector(tmp_path)
    sent(one, row("a", score=1))
    (part,) = (tmp_path / ".crm.csv.leadlight").iterdir()
    harm(part)
    with pytest.raises(StopError, match="gone or damaged") as raised:
        one.finish()
    assert raised.value.reason == StopReason.CHANGED
    one.close()
    assert (tmp_path / "crm.csv").read_text() == "lead_id,score\nz,9\n"


def test_parts_of_another_format_do_not_count(tmp_path):
    """Where the config names another format between a kill and the next run, the batch is laid anew."""
    (ticket,), _ = staged_and_killed(tmp_path, "crm.csv", [row("a", score=1)])
    one = connector(tmp_path, format="jsonl")
    one.send([row("a", score=1)], ticket)
    one.finish()
    one.close()
    assert (tmp_path / "crm.csv").read_text() == '{"lead_id":"a","score":1}\n'


def test_what_a_batch_left_that_is_abandoned_never_counts(tmp_path):
    """Its part is removed; so is, at the end, whatever nobody sent again."""
    (first, _), parts = staged_and_killed(tmp_path, "crm.csv", [row("a", score=1)], [row("b", score=2)])
    one = connector(tmp_path)
    one.abandon(first.text)
    assert [part.exists() for part in parts] == [False, True]
    sent(one, row("c", score=3))
    one.finish()
    one.close()
    assert (tmp_path / "crm.csv").read_text() == "lead_id,score\nc,3\n"
    assert [path.name for path in tmp_path.iterdir()] == ["crm.csv"]


def test_a_batch_whose_row_has_left_the_file_is_looked_at_anew(tmp_path):
    """Where nothing may be created, a part of yesterday creates nothing either."""
    published(tmp_path, "crm.csv", [row("a", score=0), row("b", score=0)])
    rows = [row("a", score=1), row("b", score=2)]
    (ticket,), _ = staged_and_killed(tmp_path, "crm.csv", rows)
    (tmp_path / "crm.csv").write_text("lead_id,score\na,0\n")
    one = connector(tmp_path, may_create=False)
    assert [answer.outcome for answer in one.send(rows, ticket)] == [Outcome.STAGED, Outcome.REJECTED]
    one.finish()
    one.close()
    assert (tmp_path / "crm.csv").read_text() == "lead_id,score\na,1\n"


def test_what_another_program_writes_meanwhile_is_not_lost(tmp_path, monkeypatch):
    """A file that changes while it is written anew stays as that program left it, and a person is told."""
    published(tmp_path, "crm.csv", [row("a", score=0)])
    merge = module.merge

    def disturbed(*arguments, **named):
        merge(*arguments, **named)
        (tmp_path / "crm.csv").write_text("lead_id,score,city\na,0,Porto\n")

    monkeypatch.setattr(module, "merge", disturbed)
    one = connector(tmp_path)
    sent(one, row("a", score=1))
    with pytest.raises(StopError, match="another program wrote") as raised:
        one.finish()
    assert raised.value.reason == StopReason.CHANGED
    monkeypatch.undo()
    one.finish()
    one.close()
    assert (tmp_path / "crm.csv").read_text() == "lead_id,score,city\na,1,Porto\n"


@pytest.mark.parametrize("form", FORMATS)
def test_of_two_parts_the_later_counts(tmp_path, form):
    """In the order in which they were sent."""
    one = connector(tmp_path, f"crm.{form}")
    sent(one, row("a", score=1, grade="A"), row("b", score=1, grade="A"))
    sent(one, row("a", score=2, grade=None))
    sent(one, row("a", score=1, grade="A"), row("b", score=1, grade="A"))
    sent(one, row("a", score=None, grade=None))
    one.finish()
    assert one.read(["a", "b"], ("score", "grade")) == {
        "a": Record("a", {"score": None, "grade": None}),
        "b": Record("b", {"score": "1", "grade": "A"}),
    }
    one.close()


@pytest.mark.parametrize("form", FORMATS)
def test_parts_of_other_fields_count_too(tmp_path, form):
    """Those of before take their place in the file first."""
    published(tmp_path, f"crm.{form}", [row("a", score=1, grade="A")], [row("a", score=2)], [row("b", stage="new")])
    one = connector(tmp_path, f"crm.{form}")
    assert one.read(["a", "b"], ("score", "grade", "stage")) == {
        "a": Record("a", {"score": "2", "grade": "A", "stage": None}),
        "b": Record("b", {"score": None, "grade": None, "stage": "new"}),
    }
    one.close()


@pytest.mark.parametrize("form", FORMATS)
def test_where_nothing_may_be_created_unknown_keys_are_rejected(tmp_path, form):
    """The others are written."""
    published(tmp_path, f"crm.{form}", [row("a", score=1)])
    one = connector(tmp_path, f"crm.{form}", may_create=False)
    answers = one.send([row("a", score=2), row("b", score=3)], PassingTicket())
    assert answers == [
        Answer("a", Outcome.STAGED),
        Answer("b", Outcome.REJECTED, "The file has no row with this key."),
    ]
    one.finish()
    one.close()
    assert [line["lead_id"] for line in held(tmp_path / f"crm.{form}")] == ["a"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    "=+-@|%';\t\r\n \"a,\u200b\uff1d", max_size=8
)
KEYS = st.text("=+-@';\t\n \"aA,é", min_size=1, max_size=4) | st.sampled_from(["a", "b", "-1", "'-1", "''-1"])
ROWS = st.dictionaries(
    KEYS,
    st.fixed_dictionaries(
        {"n": st.none() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False),
         "t": st.none() | TEXTS, "b": st.none() | st.booleans()}
    ),
    max_size=5,
)  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=12)
@given(runs=st.lists(st.lists(ROWS, max_size=3), min_size=1, max_size=2))
def test_a_file_is_a_dictionary_that_is_updated(tmp_path_factory, form, runs):
    """Whatever is sent in whatever batches, in one run or several: the obvious oracle holds the same."""
    folder = tmp_path_factory.mktemp("oracle")
    one = connector(folder, f"crm.{form}")
    oracle = {}
    for batches in runs:
        for batch in batches:
            sent(one, *(row(key, **fields) for key, fields in batch.items()))
            oracle |= batch
        one.finish()
    found = one.read(list(oracle), ("n", "t", "b"))
    again = [record.key for record in one.changes("", ("n",)).records]
    one.close()
    shutil.rmtree(folder)
    assert sorted(again) == sorted(oracle)
    assert {key: record.fields["t"] for key, record in found.items()} == {
        key: fields["t"] or None for key, fields in oracle.items()
    }
    truths = {True: "true", False: "false", None: None}
    assert {key: record.fields["b"] for key, record in found.items()} == {
        key: truths[fields["b"]] for key, fields in oracle.items()
    }
    for key, fields in oracle.items():
        said = found[key].fields["n"]
        assert (said is None) == (fields["n"] is None)
        assert said is None or float(said) == pytest.approx(float(fields["n"]), rel=1e-12, abs=1e-18)


@given(st.lists(TEXTS, max_size=5))
def test_no_cell_is_a_formula_and_each_can_be_told_again(texts):
    """What is shown is safe for spreadsheets, comes back as it was, and no two texts look alike."""
    cells = [shown(text) for text in texts]
    assert [meant(cell) for cell in cells] == texts
    assert shown_all(pa.array(texts, pa.string())).to_pylist() == cells
    for cell in cells:
        for part in cell.replace("\t", ";").replace("\r", ";").replace("\n", ";").split(";"):
            assert safe(part) == part


def test_a_csv_is_safe_to_open_and_reads_as_it_was(tmp_path):
    """The apostrophe that keeps a spreadsheet from running a text is no part of it."""
    published(tmp_path, "crm.csv", [row("+351 9", reason="=1+1", quoted="'=1", plain="it's")])
    line = (tmp_path / "crm.csv").read_text().splitlines()[1]
    assert line == "'+351 9,'=1+1,''=1,it's"
    one = connector(tmp_path)
    assert one.read(["+351 9"], ("reason", "quoted", "plain"))["+351 9"].fields == {
        "reason": "=1+1",
        "quoted": "'=1",
        "plain": "it's",
    }
    one.close()


def test_a_key_that_others_wrote_plainly_is_known(tmp_path):
    """A file of others may hold -1 as it is: that row is updated, not a second one added."""
    (tmp_path / "crm.csv").write_text("lead_id,score\n-1,5\n'-2,6\n''-3,7\n")
    published(
        tmp_path, "crm.csv", [row("-1", score=50), row("-2", score=60), row("'-3", score=70), row("'-1", score=80)]
    )
    assert (tmp_path / "crm.csv").read_text() == "lead_id,score\n-1,50\n'-2,60\n''-3,70\n''-1,80\n"


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("copied", [1, 7, 1 << 20])
def test_a_files_own_manner_is_kept(tmp_path, monkeypatch, delimiter, line_end, mark, copied):
    """Delimiter, ends of lines and the mark that Excel needs are as before; breaks within a cell stay as they are."""
    monkeypatch.setattr("pipeline.crm.connectors.file_csv._COPIED_BYTES", copied)

    def written(*rows):
        return mark + "".join(delimiter.join(row) + line_end for row in rows)

    header, other = ("lead_id", "score", "city"), ("b", "3", '"two\nlines ""or""\r\nthree"')
    path = tmp_path / "crm.csv"
    path.write_text(written(header, ("a", "1", "Kraków"), other), encoding="utf-8", newline="")
    for score in ("2", "4"):
        published(tmp_path, "crm.csv", [row("a", score=int(score)), row("c", score=5)])
        expected = written(header, ("a", score, "Kraków"), other, ("c", "5", ""))
        assert path.read_bytes().decode() == expected


def test_a_parquet_column_grows_as_its_values_do(tmp_path):
    """Whole numbers, then decimals; nothing at all leaves a type alone; a text makes it text."""
    path = tmp_path / "crm.parquet"
    types = []
    for value in (1, None, 2.5, None, "many"):
        published(tmp_path, path.name, [row("a", score=value), row("b", score=None)])
        types.append(str(pq.read_schema(path).field("score").type))
    assert types == ["int64", "int64", "double", "double", "string"]


class Killed(BaseException):
    """What stands for a kill."""


STEPS = ((module, "flush"), (file_parts, "flush"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"),
         (shutil, "rmtree"), (pq, "write_table"))  # fmt: skip


@contextmanager
def killed_before(step):
    """Kill whoever is about to take the disk's step of that number; tell whether there was one."""
    left, was_killed = [step], [False]

    def counted(go):
        def call(*arguments, **named):
            left[0] -= 1
            if left[0] == 0:
                was_killed[0] = True
                raise Killed
            return go(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in STEPS:
            patched.setattr(owner, name, counted(getattr(owner, name)))
        with suppress(Killed):
            yield was_killed


def test_killed_at_any_point_the_end_is_the_same(tmp_path):
    """Before each step on the disk: run again, the file holds what it would have held."""
    batches = [[row("b", score=1), row("a", score=2)], [row("c", score=3)], [row("a", score=4)]]
    published(tmp_path, "before.csv", [row("b", score=0), row("z", score=9)])
    for step in itertools.count():
        folder = tmp_path / str(step)
        folder.mkdir()
        shutil.copy(tmp_path / "before.csv", folder / "crm.csv")
        with killed_before(step) as was_killed:
            published(folder, "crm.csv", *batches)
        published(folder, "crm.csv", *batches)
        assert (folder / "crm.csv").read_text() == "lead_id,score\nb,1\nz,9\na,4\nc,3\n", step
        assert [path.name for path in folder.iterdir()] == ["crm.csv"]
        if step and not was_killed[0]:
            break
    assert step > 20


@pytest.mark.parametrize("form", FORMATS)
def test_changes_are_the_whole_file_where_it_is_another(tmp_path, form, monkeypatch):
    """Nothing where nobody touched it, all of it page by page where somebody did."""
    monkeypatch.setattr("pipeline.crm.connectors.file_snapshot.PAGE", 2)
    monkeypatch.setattr(module, "PAGE", 2)
    one = connector(tmp_path, f"crm.{form}")
    assert one.changes("", ("score",)).records == ()
    published(tmp_path, f"crm.{form}", [row(key, score=1) for key in "abc"])
    cursor, keys, is_more = "", [], True
    while is_more:
        page = one.changes(cursor, ("score",))
        keys += [record.key for record in page.records]
        cursor, is_more = page.cursor, page.is_more
    assert keys == ["a", "b", "c"]
    assert not one.changes(cursor, ("score",)).records
    published(tmp_path, f"crm.{form}", [row("b", score=2)])
    assert [record.key for record in one.changes(cursor, ("score",)).records] == ["a", "b"]
    assert [record.key for record in one.changes("nonsense", ("score",)).records] == ["a", "b"]
    one.close()


def told(one, fields):
    """Return what a check says, in lines or in the words with which it stops."""
    try:
        return one.check(fields)
    except StopError as error:
        return [error.words]


def test_a_check_names_what_stands_in_the_way(tmp_path):
    """A folder, a key, keys that stand twice, a file that is none of its format: a line each, and nothing written."""
    fields = [CrmField("score", FieldType.INTEGER)]
    (line,) = connector(tmp_path, "missing/crm.csv").check(fields)
    assert (type(line), "no folder" in line) == (Missing, True)
    assert connector(tmp_path).check(fields) == []
    (tmp_path / "none.csv").write_text("id,score\n1,2\n")
    (tmp_path / "twice.csv").write_text("lead_id,score\n1,2\n1,3\n")
    (tmp_path / "case.csv").write_text("lead_id,Score,score\n1,2,3\n")
    (tmp_path / "torn.csv").write_text('lead_id,score\n1,2,3,4\n"x')
    (tmp_path / "torn.jsonl").write_text('{"lead_id": "ann@example.com"}\nnonsense\n')
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "mixed.parquet").write_bytes(b"PAR1" + bytes(range(200)) + b"\x10\0\0\0PAR1")
    (tmp_path / "latin.csv").write_bytes("lead_id,größe\n".encode("latin-1"))
    pq.write_table(pa.table({"lead_id": ["a"], "score": [[1]]}), tmp_path / "lists.parquet")
    said = {
        "none.csv": "no column 'lead_id'", "twice.csv": "stand more than once", "case.csv": "case aside",
        "torn.csv": "cannot be read", "torn.jsonl": "cannot be read", "torn.parquet": "cannot be read",
        "mixed.parquet": "cannot be read",
        "latin.csv": "no header", "lists.parquet": "holds BIGINT[]",
    }  # fmt: skip
    before = sorted(tmp_path.iterdir())
    for name, words in said.items():
        found = told(connector(tmp_path, name), fields)
        assert any(words in line for line in found), (name, found)
        assert "ann@" not in "".join(found)
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_cannot_be_used_stops_before_the_first_row(tmp_path):
    """Nothing is staged that could not become part of the file."""
    (tmp_path / "crm.csv").write_text("id,score\n1,2\n")
    one = connector(tmp_path)
    with pytest.raises(StopError, match="no column 'lead_id'") as raised:
        sent(one, row("a", score=1))
    assert raised.value.reason == StopReason.SETUP
    assert list(tmp_path.iterdir()) == [tmp_path / "crm.csv"]
    with pytest.raises(StopError, match="There is no folder") as raised:
        sent(connector(tmp_path, "missing/crm.csv"), row("a", score=1))
    assert raised.value.reason == StopReason.SETUP


def test_setup_creates_the_folder_and_twice_is_once(tmp_path):
    """Columns come with their first values."""
    one = connector(tmp_path, "out/crm.parquet")
    assert one.setup(()) == [f"folder '{tmp_path / 'out'}'"]
    assert one.setup(()) == []
    assert one.check(()) == []


@pytest.mark.parametrize("text", ["\ud800", "x" * 100_001])
def test_a_text_that_no_file_can_hold_refuses_the_batch(tmp_path, text):
    """The sender halves it until the row is found."""
    one = connector(tmp_path, "crm.jsonl")
    with pytest.raises(BatchRefusedError):
        sent(one, row("a", reason=text))
    assert list(tmp_path.iterdir()) == []
    assert one.send([], PassingTicket()) == []
    one.abandon("")


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_of_many_rows_is_read_in_little_memory(tmp_path, form):
    """Sentences of reasons in thousands of rows are no more than DuckDB may take."""
    said = "4 orders in 30 days; 3 visits in 7 days; " * 5
    rows = [row(f"C-{number}", **dict.fromkeys(("a", "b", "c", "d"), said)) for number in range(5_000)]
    published(tmp_path, f"crm.{form}", rows)
    one = connector(tmp_path, f"crm.{form}")
    assert one.read(["C-4999"], ["d"])["C-4999"].fields == {"d": said}
    one.close()


def test_what_a_link_points_to_is_written(tmp_path):
    """The link stays a link."""
    (tmp_path / "data").mkdir()
    (tmp_path / "crm.csv").symlink_to(tmp_path / "data" / "real.csv")
    published(tmp_path, "crm.csv", [row("a", score=1)])
    assert (tmp_path / "crm.csv").is_symlink()
    assert (tmp_path / "data" / "real.csv").read_text() == "lead_id,score\na,1\n"


def test_what_is_read_from_lies_in_the_workspace_and_goes_when_it_is_closed(tmp_path):
    """Also what a killed process left there; a quote in a folder's name does no harm."""
    folder = tmp_path / "Ann's"
    folder.mkdir()
    published(folder, "crm.csv", [row("a", score=1)])
    left = folder / ".file-snapshot.dead.999999999.part"
    left.mkdir()
    one = connector(folder)
    assert one.read(["a"], ("score",))["a"].fields == {"score": "1"}
    assert not left.exists()
    assert len(list(folder.glob(".file-snapshot.*"))) == 1
    one.close()
    assert [path.name for path in folder.iterdir()] == ["crm.csv"]


def test_a_format_is_given_or_told_by_the_name(tmp_path):
    """Neither is a mistake of the config's."""
    with pytest.raises(ValueError, match="give `format`"):
        kind_of("file").options(path="crm.txt")
    published(tmp_path, "crm.txt", [row("a", score=1)], format="jsonl")
    assert (tmp_path / "crm.txt").read_text() == '{"lead_id":"a","score":1}\n'


def test_stretches_join_without_a_seam(tmp_path, monkeypatch):
    """More rows than are written at a time: none left out, none twice, the order kept."""
    monkeypatch.setattr("pipeline.crm.connectors.file_merge.STRETCH", 3)
    for form in FORMATS:
        published(tmp_path, f"crm.{form}", [row(f"{n:02d}", score=n) for n in range(0, 20, 2)])
        published(tmp_path, f"crm.{form}", [row(f"{n:02d}", score=-n) for n in range(0, 20, 3)])
        found = [(line["lead_id"], int(line["score"])) for line in held(tmp_path / f"crm.{form}")]
        old = [(f"{n:02d}", -n if n % 3 == 0 else n) for n in range(0, 20, 2)]
        assert found == [*old, *((f"{n:02d}", -n) for n in (3, 9, 15))]
