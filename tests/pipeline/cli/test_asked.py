"""Who answers a question: --yes, a person at a terminal, or nobody."""

import io
import sys
from contextlib import contextmanager

import pytest

from pipeline.cli.asked import asker
from pipeline.cli.progress import Listener
from pipeline.progress import silent


class Keys(io.StringIO):
    """What is typed at a terminal."""

    def isatty(self) -> bool:
        """Say that a person is there."""
        return True


@pytest.mark.parametrize(("keys", "is_yes"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False)])
def test_a_person_answers(monkeypatch, capsys, keys, is_yes):
    """The question goes to stderr, Enter alone is a no, and nothing is drawn while the person thinks."""
    drawn = []

    @contextmanager
    def paused():
        drawn.append(False)
        yield
        drawn.append(True)

    monkeypatch.setattr(sys, "stdin", Keys(keys))
    assert asker(Listener(silent, paused), yes=False)("Write them?") is is_yes
    assert drawn == [False, True]
    assert "Write them? [y/N]:" in (told := capsys.readouterr()).err
    assert "Write" not in told.out


def test_yes_is_given_beforehand(monkeypatch, capsys):
    """Nobody is asked, also at a terminal."""
    monkeypatch.setattr(sys, "stdin", Keys(""))
    assert asker(Listener(silent), yes=True)("Write them?")
    assert capsys.readouterr() == ("", "")


def test_where_nobody_is_there_the_answer_is_no(monkeypatch, capsys):
    """What a pipe holds is no answer."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert not asker(Listener(silent), yes=False)("Write them?")
    assert capsys.readouterr() == ("", "")


class CtrlC(Keys):
    """A person who wants to stop."""

    def readline(self, _size: int | None = -1) -> str:
        """Press Ctrl+C."""
        raise KeyboardInterrupt


@pytest.mark.parametrize("stdin", [CtrlC(), Keys("")], ids=["Ctrl+C", "Ctrl+D"])
def test_a_stop_is_no_answer(monkeypatch, stdin):
    """Whoever stops at the question stops the run, as at any other moment."""
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(KeyboardInterrupt):
        asker(Listener(silent), yes=False)("Write them?")
