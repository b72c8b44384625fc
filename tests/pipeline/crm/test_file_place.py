"""Where a file is to lie: what stands there already and is none of Leadlight's is refused and left as it is."""

import os
import stat

import pytest

from pipeline.crm.connectors.file_engine import at_file
from pipeline.crm.kinds import Surroundings, kind_of
from pipeline.crm.patience import Patience
from pipeline.crm.promise import PassingTicket, Row
from pipeline.crm.session import Outside
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_checks import set_up
from support.little_shop import LittleShop

YES = Wish(may=lambda _: True)
LEADS = 5


@pytest.fixture
def shop(tmp_path):
    """Return a shop with scores of a night."""
    made = LittleShop(tmp_path / "shop", leads=LEADS, crm=crm("o.csv"))
    made.score_all_free(0)
    return made


def crm(path):
    """Return the section `crm` with a file at *path*."""
    target = {"kind": "file", "key": "lead_id", "create": True, "fields": {"score": "score"}, "connect": {"path": path}}
    return {"leads_file": target}


def outside(shop):
    """Return the world on the morning after the first night; nobody sleeps in it."""
    return Outside(environment={}, patience=Patience(most_s=1, sleep=lambda _: None), clock=lambda: shop.morning(0))


def refused(shop, path="o.csv"):
    """Publish to *path* and return why that is wrong input."""
    shop.configure(crm(path))
    report = publish(shop.settings, YES, outside=outside(shop))
    (failure,) = report.failures
    assert (failure.exit_code, report.targets) == (2, ())
    assert "None" not in failure.message
    assert len(failure.message) < 1_000
    return failure.message


def test_what_is_no_regular_file_is_never_replaced(shop):
    """A pipe that another program reads stays one."""
    os.mkfifo(shop.folder / "o.csv")
    assert "o.csv' is no regular file." in refused(shop)
    assert stat.S_ISFIFO((shop.folder / "o.csv").lstat().st_mode)
    assert not (shop.folder / ".o.csv.leadlight").exists()


def test_a_link_to_what_is_no_regular_file_is_refused_and_stays(shop):
    """What counts is where it leads."""
    os.mkfifo(shop.folder / "pipe")
    (shop.folder / "o.csv").symlink_to("pipe")
    assert "pipe' is no regular file." in refused(shop)
    assert stat.S_ISFIFO((shop.folder / "pipe").lstat().st_mode)


def test_a_pipe_that_appears_after_the_check_is_not_replaced_either(shop):
    """Before each part the place is looked at again."""
    kind, around = kind_of("file"), Surroundings("nightly", "lead_id", shop.folder, shop.folder, {}, may_create=True)
    one = kind.connect(kind.options(path="o.csv"), around)
    assert one.check([]) == []
    os.mkfifo(shop.folder / "o.csv")
    with pytest.raises(StopError, match="is no regular file"):
        one.send([Row("a", {"score": 1}, trace="t")], PassingTicket())
    one.close()


@pytest.mark.parametrize("look", [lambda one: one.read(["a"], ["score"]), lambda one: one.changes("", ["score"])])
def test_what_is_no_regular_file_is_not_waited_for(shop, look):
    """Reading a pipe that nobody writes to would never end."""
    os.mkfifo(shop.folder / "o.csv")
    kind, around = kind_of("file"), Surroundings("nightly", "lead_id", shop.folder, shop.folder, {}, may_create=True)
    one = kind.connect(kind.options(path="o.csv"), around)
    with pytest.raises(StopError, match="is no regular file") as stopped:
        look(one)
    assert stopped.value.reason is StopReason.SETUP
    one.close()


def test_links_in_a_circle_lead_to_no_file(shop):
    """They are told, and stay."""
    (shop.folder / "o.csv").symlink_to("p.csv")
    (shop.folder / "p.csv").symlink_to("o.csv")
    assert "is no regular file." in refused(shop)
    assert (shop.folder / "o.csv").is_symlink()


@pytest.mark.parametrize("folder", ["a-file", "a-file/below"])
def test_a_folder_that_is_a_file_is_told(shop, folder):
    """Nothing can be created there."""
    (shop.folder / "a-file").write_text("theirs")
    message = refused(shop, f"{folder}/o.csv")
    assert "a-file" in message
    assert (shop.folder / "a-file").read_text() == "theirs"


@pytest.mark.parametrize("length", [249, 300, 5_000])
def test_a_name_that_is_too_long_is_told_at_the_check(shop, length):
    """That of the folder beside it, where batches lie ready, counts as well."""
    message = refused(shop, "x" * (length - 4) + ".csv")
    assert "File name too long" in message
    report = set_up(shop.settings, "", outside=outside(shop))
    (done,) = report.set_up
    assert (report.exit_code, done.created, len(done.faults)) == (2, (), 1)


def test_the_longest_name_that_has_room_beside_it_is_taken(shop):
    """244 characters: `.NAME.leadlight` has 255."""
    shop.configure(crm("x" * 240 + ".csv"))
    report = publish(shop.settings, YES, outside=outside(shop))
    assert [one.exit_code for one in report.targets] == [0]


def test_what_is_wrong_with_the_path_is_told_with_a_remedy(shop):
    """The place in the config is named as it is written, and no hint speaks of fields."""
    (shop.folder / "folder.csv").mkdir()
    message = refused(shop, "folder.csv")
    assert "folder.csv' is a folder." in message
    assert message.endswith("Hint: let crm.leads_file.connect name another place, or make room for it there.")
    assert "crm.leads_file.connect: the path ends in none of .csv" in refused(shop, "o.txt")
    assert "crm.leads_file.connect.path: " in refused(shop, "")


def test_a_path_with_a_nul_is_refused(shop):
    """No file is called so."""
    assert "crm.leads_file.connect.path: no path has the character NUL" in refused(shop, "o\0x.csv")


@pytest.mark.parametrize("wrong", ["file", "link to a folder", "link to nothing", "their folder"])
def test_the_place_for_batches_is_a_folder_of_leadlights_own(shop, wrong):
    """Nothing is put into another one, nor removed from it, and the file stays as it was."""
    theirs, place = shop.folder / "theirs", shop.folder / ".o.csv.leadlight"
    theirs.mkdir()
    (theirs / "kept").write_text("theirs")
    if wrong == "file":
        place.write_text("theirs")
    elif wrong == "their folder":
        theirs.rename(place)
        theirs = place
    else:
        place.symlink_to("theirs" if wrong == "link to a folder" else "nowhere")
    (shop.folder / "o.csv").write_text("lead_id,score\nC-1,7\n")
    message = refused(shop)
    assert "Batches are to lie ready in" in message
    assert [path.name for path in theirs.iterdir()] == ["kept"]
    assert (shop.folder / "o.csv").read_text() == "lead_id,score\nC-1,7\n"


def test_a_folder_of_somebody_else_outlives_a_run_without_parts(shop):
    """At its end a run removes what lay ready, and nothing else of that name."""
    place = shop.folder / ".o.csv.leadlight"
    place.mkdir()
    (place / "kept").write_text("theirs")
    kind = kind_of("file")
    one = kind.connect(kind.options(path="o.csv"), Surroundings("t", "lead_id", shop.folder, shop.folder, {}))
    one.finish()
    one.close()
    assert (place / "kept").read_text() == "theirs"


def test_a_cause_without_the_system_s_words_is_told_in_its_own(tmp_path):
    """Python raises such errors itself; `None` tells nobody anything."""
    with pytest.raises(StopError, match=r"cannot be written: it is a link\."), at_file(tmp_path / "o.csv"):
        raise OSError("it is a link")
    with pytest.raises(StopError, match=r"cannot be written: OSError\."), at_file(tmp_path / "o.csv"):
        raise OSError


@pytest.mark.parametrize("length", [300, 5_000])
def test_a_database_s_file_with_a_name_that_is_too_long_is_wrong_input(shop, length):
    """At the check, and where it is to be created."""
    url = "sqlite:///" + "x" * length
    target = {"kind": "sql", "fields": {"score": "score"}, "connect": {"url": url, "table": "scores"}}
    shop.configure({"warehouse": target})
    for report in (
        publish(shop.settings, YES, outside=outside(shop)),
        set_up(shop.settings, "", outside=outside(shop)),
    ):
        (failure,) = report.failures
        assert failure.exit_code == 2
        assert len(failure.message) < 1_000


@pytest.mark.parametrize("path", ["~/o.csv", "~ann/o.csv", "~/deep/o.csv"])
def test_a_path_from_home_is_refused(shop, path):
    """It would be a folder called ~; whoever means that says so."""
    assert "~ is not expanded as in a shell: give the whole path" in refused(shop, path)
    assert not (shop.folder / "~").exists()


@pytest.mark.parametrize("path", ["~o.csv", "o~.csv", "./~/o.csv"])
def test_a_name_with_a_tilde_is_a_name(path):
    """Elsewhere than at the path's begin it means nothing to a shell either."""
    assert kind_of("file").options(path=path).path == path
