"""`leadlight publish` as it is typed: what is asked for in other words, what cannot be, and what is told."""

import json

import pytest

from pipeline.crm.patience import Patience
from pipeline.crm.session import Outside
from pipeline.crm.trouble import StopError, StopReason
from pipeline.stages.publish import Wish, publish
from support.little_shop import FILE, beside_a_file

LEADS = 40
FIELDS = {"score": "score", "grade": "grade"}
TABLE = {
    "kind": "sql", "key": "lead_id", "create": True, "fields": FIELDS,
    "connect": {"url": "sqlite:///crm.db", "table": "lead_scores"},
}  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    """Return a shop with scores of a night, and a file that they go to."""
    return beside_a_file(tmp_path / "shop", leads=LEADS)


@pytest.fixture
def typed(shop, forks, tmp_path):
    """Return what runs `leadlight publish` with the shop's config."""

    def run(*arguments, **environment):
        wide = {"COLUMNS": "200", **environment}
        return forks.run(["publish", "--config", str(shop.path), *arguments], wide, tmp_path / "typed")

    return run


@pytest.mark.parametrize("option", ["--undo", "--limit", "--sample"])
def test_a_number_beyond_all_counting_is_wrong_input(typed, option):
    """It is told in one sentence, whichever option it stands at."""
    beside = ["--verify"] if option == "--sample" else []
    ended = typed(option, "9" * 30, *beside)
    assert ended.code == 2
    assert ended.err.startswith(f"{option}: the number is too large.")


@pytest.mark.parametrize(
    "arguments", [("--limit", "0"), ("--limit", "-1"), ("--segment", ""), ("--lead", ""), ("--to", " "), ("--to", "")]
)
def test_nothing_does_not_mean_everybody(typed, shop, arguments):
    """A shell's variable that was never set, or a zero, writes to nobody."""
    ended = typed(*arguments, "--yes")
    assert (ended.code, arguments[0] in ended.err) == (2, True)
    assert not (shop.folder / "scored.csv").exists()


def test_the_largest_number_that_counts_is_taken(typed):
    """A limit that no shop has as many leads as is none; there is no such run."""
    assert typed("--limit", str(2**63 - 1), "--yes").code == 0
    ended = typed("--undo", str(2**63 - 1))
    assert (ended.code, "The ledger has no run" in ended.err) == (2, True)


def test_a_grade_may_be_typed_in_any_case(typed, shop):
    """`a` is A, and saying it twice is saying it once."""
    graded = [row["lead_id"] for row in shop.leads.scores(0).to_pylist() if row["grade"] in {"A", "B"}]
    ended = typed("--only-grade", "b", "--only-grade", "a", "--only-grade", "B", "--yes")
    assert f" = {len(graded)} leads" in ended.out


def test_a_segment_of_scores_without_any_is_told(typed):
    """There is nothing to choose from, and the config says where segments are named."""
    ended = typed("--segment", "lapsed", "--only-grade", "q")
    assert ended.code == 2
    assert "--only-grade Q: grades are A, B, C, D" in ended.err
    assert "--segment lapsed: the scores have no segments" in ended.err
    assert "decisions.segments" in ended.err


@pytest.mark.parametrize(
    "url",
    ["postgresql://shop@db/crm?password=hunter2", "postgresql://shop:hun@ter2@db/crm", "mysql://db/crm?sslPassword=hunter2"],
)  # fmt: skip
def test_a_password_in_the_url_of_a_target_is_refused_and_not_repeated(typed, shop, url):
    """Wherever in the URL it stands; the way out is named."""
    shop.configure({"warehouse": {**TABLE, "connect": {"url": url, "table": "lead_scores"}}})
    ended = typed("--yes")
    assert ended.code == 2
    assert "crm.warehouse.connect.url: it holds a password" in ended.out
    assert "url_env" in ended.out
    assert not any(part in ended.out + ended.err for part in ("hunter2", "hun@", "ter2", "@db"))


@pytest.mark.parametrize("variable", ["LEADLIGHT_SQL_URL", "LEADLIGHT_LEDGER"])
def test_a_bare_at_in_a_password_is_told_by_the_variable(typed, shop, variable):
    """No part of the password is told, and how it is written."""
    shop.configure({"warehouse": TABLE})
    ended = typed("--yes", **{variable: "postgresql+pg8000://shop:hun@qzx2@127.0.0.1/crm"})
    assert ended.code == 2
    assert "%40 for @" in ended.out
    assert not any(part in ended.out + ended.err for part in ("hun@", "qzx2"))


@pytest.mark.parametrize(
    ("arguments", "stage", "pending", "left"),
    [
        ([], "publish.publish", 0, "Nothing is pending."),
        ([], "publish.publish", 40, "What is pending is kept (40): run the same command again."),
        (["--dry-run"], "publish.publish", 40, "Nothing was written."),
        (["--undo", "1"], "publish_undo.undo", 40, "What is pending is kept (40): run the same command again."),
        (["--undo", "1", "--dry-run"], "publish_undo.undo", 0, "Nothing was written."),
        (
            ["--read"],
            "listen.listen",
            0,
            "What was read is kept: run the same command again, and it goes on from there.",
        ),
    ],
)
def test_ctrl_c_says_what_it_leaves_behind(shop, memory, monkeypatch, arguments, stage, pending, left):
    """Whoever stops a run reads in one line what is left to be done, as the ledger knows it."""
    from typer.testing import CliRunner

    from pipeline.cli.app import app

    def stopped(*_, **__):
        raise KeyboardInterrupt

    def cut(_rows):
        raise StopError("cut", reason=StopReason.NETWORK)

    memory.on_send = cut
    if pending:
        around = Outside({}, Patience(most_s=1, sleep=lambda _: None), clock=lambda: shop.morning(0))
        publish(shop.settings, Wish(may=lambda _: True), outside=around)
    monkeypatch.setattr(f"pipeline.stages.{stage}", stopped)
    ended = CliRunner().invoke(app, ["publish", "--config", str(shop.path), *arguments])
    assert ended.exit_code == 130
    assert ended.stderr == f"Stopped. {left}\n"


def test_runs_of_a_config_without_targets_say_how_to_begin(typed, shop):
    """Where nothing was ever written, what is missing is told."""
    shop.configure({})
    ended = typed("--runs")
    assert ended.code == 2
    assert "name one under `crm` in the config" in ended.err


def test_runs_are_listed_though_the_config_forgot_their_target(typed, shop):
    """The ledger knows what was written; the newest run of all stands first."""
    shop.configure({"first": FILE, "second": {**FILE, "connect": {"path": "other.csv"}}})
    typed("--to", "second", "--yes")
    typed("--yes")
    both = [line.split()[:2] for line in typed("--runs").out.splitlines()[3:-1]]
    assert both == [["3", "second"], ["2", "first"], ["1", "second"]]
    shop.configure({})
    assert [line.split()[:2] for line in typed("--runs").out.splitlines()[3:-1]] == both
    assert [line.split()[0] for line in typed("--runs", "--to", "second").out.splitlines()[3:-1]] == ["3", "1"]
    assert typed("--runs", "--to", "third").code == 2


def test_nothing_that_stands_is_said_as_such(typed):
    """Reading back a target that nobody wrote to compares nothing."""
    ended = typed("--verify")
    assert (ended.code, ended.out) == (0, "leads_file: nothing is known to stand there yet.\n")


def test_grades_are_shown_where_leads_were_sent(typed):
    """A run that writes nobody moves no grade; taking it back takes nothing back."""
    assert "Grades of the leads that were sent:" in typed("--yes").out
    again = typed("--yes").out
    assert "0 written + 40 unchanged" in again
    assert "Grades" not in again
    assert "It had written nothing." in typed("--undo", "2", "--dry-run").out
    assert "40 to be restored = 40 leads" in typed("--undo", "1", "--dry-run").out
    assert "40 restored = 40 leads" in typed("--undo", "1", "--yes").out


def test_what_a_later_run_wrote_over_is_told_when_a_run_is_taken_back(typed):
    """Whoever takes the earlier run back reads why nothing of it, or not all of it, is restored."""
    typed("--yes", "--limit", "30")
    typed("--yes", "--resend", "--limit", "10")
    some = typed("--undo", "1", "--dry-run").out
    assert "20 to be restored = 20 leads\nA later run wrote over 10 leads of it; that was left alone.\n" in some
    assert "For these, take back run 2 first, then run 1 again.\n" in some
    typed("--yes", "--resend")
    whole = typed("--undo", "1", "--yes")
    assert (whole.code, whole.out) == (2, "")
    assert "later runs wrote over all that it wrote (30 leads)" in whole.err
    assert "Hint: take back run 4 first, then run 1 again." in whole.err


def test_no_grades_are_shown_of_leads_that_were_turned_away(typed, shop):
    """Nobody has a record, so nobody was written, and no grade moved."""
    shop.configure({"leads_file": {**FILE, "create": False}})
    ended = typed("--yes")
    assert ended.code == 1
    assert "40 rejected" in ended.out
    assert "Grades" not in ended.out


def test_a_target_without_a_kind_is_told_which_there_are(typed, shop):
    """Its name is no kind, and all kinds are listed."""
    shop.configure({"leads_table": {name: said for name, said in FILE.items() if name != "kind"}})
    ended = typed("--yes")
    assert ended.code == 2
    assert "There is no kind of CRM called 'leads_table'" in ended.out
    assert "`kind` of a target says which, or else its name: there are file, sql, hubspot" in ended.out


def test_what_somebody_edited_is_shown_with_the_way_to_write_it_anew(typed, shop):
    """Values that differ are told one by one; a lead whose values stayed the same is not sent by itself."""
    typed("--yes")
    path = shop.folder / "scored.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = f"{lines[1].split(',')[0]},1,D"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "0 written + 40 unchanged" in typed("--yes").out
    ended = typed("--verify")
    assert (ended.code, "39 of 40 leads hold what was written" in ended.out) == (1, True)
    assert "score holds 1, written was" in ended.out
    assert "--to leads_file --resend" in ended.out
    typed("--resend", "--yes")
    assert typed("--verify").code == 0


@pytest.mark.parametrize(
    "asked",
    [
        ["--runs", "--read"], ["--verify", "--limit", "3"], ["--setup", "--dry-run"],
        ["--undo", "1", "--to", "leads_file"], ["--sample", "3"], ["--runs", "--sample", "3"],
        ["--lead", "a", "--resend"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_options_that_ask_for_two_things_are_refused(typed, asked):
    """Each option that means nothing beside the others is named."""
    ended = typed(*asked)
    assert ended.code == 2
    assert asked[0] in ended.err
    assert "run one after the other" in ended.err


@pytest.mark.parametrize(
    "asked",
    [["--undo", "1", "--dry-run"], ["--verify", "--sample", "3"], ["--runs", "--to", "leads_file"]],
    ids=" ".join,
)
def test_options_that_belong_together_are_taken(typed, asked):
    """What narrows down another option goes with it."""
    typed("--yes")
    assert typed(*asked).code == 0


def test_a_dry_run_names_the_list_of_all_that_would_be_written(typed, shop):
    """Under the table, and in the JSON; a run that writes has none."""
    path = shop.folder / "workspace" / "previews" / "crm-leads_file.csv"
    assert f"All of them: {path}\n" in typed("--dry-run").out
    assert json.loads(typed("--dry-run", "--json").out)["targets"][0]["preview"] == str(path)
    assert json.loads(typed("--yes", "--json").out)["targets"][0]["preview"] is None
