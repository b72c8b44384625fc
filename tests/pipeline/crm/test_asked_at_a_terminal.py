"""A person at a terminal is asked before unusually many leads change, and nothing is written without a yes."""

import json

import pytest

from support.little_shop import beside_a_file
from support.terminal import ATTACH, Terminal

LEADS = 40
QUESTION = "40 of 40 leads would change at 'leads_file'. Write them? [y/N]:"


@pytest.fixture
def shop(tmp_path):
    """Return a shop with scores of a night, and a file that they go to."""
    return beside_a_file(tmp_path / "shop", leads=LEADS)


@pytest.fixture
def terminal():
    """Return a terminal."""
    with Terminal() as made:
        yield made


@pytest.fixture
def asked(shop, forks, terminal, tmp_path):
    """Return the command, which waits for an answer at the terminal."""

    def start(*arguments):
        typed = ["publish", "--config", str(shop.path), *arguments]
        one = forks.start(typed, terminal.environment, tmp_path / "typed", patched=ATTACH)
        terminal.wait_for(QUESTION)
        return one

    return start


@pytest.mark.parametrize("answer", ["y", "YES"])
def test_a_yes_writes(asked, terminal, shop, answer):
    """What the program prints is as without a question: its JSON can be read."""
    one = asked("--json")
    terminal.type(f"{answer}\n")
    ended = one.ended()
    assert ended.code == 0
    assert json.loads(ended.out)["targets"][0]["tally"]["written"] == LEADS
    assert len((shop.folder / "scored.csv").read_text(encoding="utf-8").splitlines()) == LEADS + 1


@pytest.mark.parametrize("answer", ["n", ""])
def test_a_no_writes_nothing(asked, terminal, shop, answer):
    """Who only presses Enter says no; the way to go on is told."""
    one = asked()
    terminal.type(f"{answer}\n")
    ended = one.ended()
    assert (ended.code, "--yes writes them" in ended.out) == (1, True)
    assert not (shop.folder / "scored.csv").exists()


def test_what_is_no_answer_is_asked_again(asked, terminal, shop):
    """Another word is neither yes nor no."""
    one = asked()
    terminal.type("maybe\n")
    terminal.wait_for("invalid input")
    terminal.type("n\n")
    assert one.ended().code == 1
    assert not (shop.folder / "scored.csv").exists()


def test_who_stops_at_the_question_stops_the_run(asked, terminal, shop):
    """Ctrl+D is no answer: the code is that of Ctrl+C at any other moment, and what is left is told."""
    one = asked()
    terminal.type("\x04")
    terminal.wait_for("Stopped. Nothing is pending.")
    assert one.ended().code == 130
    assert not (shop.folder / "scored.csv").exists()
