"""Codes become words: the shop's own first, ours in the reader's language, and never a bare code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decision_facts import LEVELS
from models.holds import CODES
from pipeline.labels import Labels
from pipeline.languages import LANGUAGES, language
from pipeline.marks.rows import CONTACTED, HOLD
from pipeline.playbooks import CHANNELS

OURS = [
    *(("action", action) for action in CHANNELS),
    *(("channel", channel) for channel in set(CHANNELS.values()) - {"none"}),
    *(("held", code) for code in CODES),
    *(("temperature", level) for level in LEVELS["temperature"]),
    *(("mark", kind) for kind in (HOLD, CONTACTED)),
]
OWN = {"stages": {"vip": {"label": {"en": "iVIP", "pl": "klient VIP"}}}, "plays": {"wait": {"label": "Wait"}}}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(("kind", "of"), OURS)
def test_every_code_of_ours_has_words_in_every_language(code, kind, of):
    """No code that a run may hold is shown as it is spelled, and what stands alone begins with a capital."""
    label = Labels(language(code))
    assert "_" not in label(kind, of)
    assert label(kind, of)[0].isupper()
    assert label(kind, of).lower() == label.inside(kind, of).lower()
    if code == "pl":
        assert label(kind, of) != Labels(language("en"))(kind, of)


def test_a_shops_own_words_stay_as_the_shop_wrote_them():
    """They are taken in the reader's language, else in English; those that ship are translated."""
    polish, romanian = (Labels(language(code), OWN) for code in ("pl", "ro"))
    assert (polish("stage", "vip"), romanian("stage", "vip")) == ("klient VIP", "iVIP")
    assert polish("play", "wait") == "Poczekaj"


@given(st.text(min_size=1))
def test_a_code_without_words_is_said_on_one_line(code):
    """Whatever a shop calls an action of its own, it cannot break or flood what stands beside it."""
    said = Labels(language("en"))("action", code)
    assert said.isprintable()
    assert len(said) <= 301


def test_nothing_is_said_where_there_is_nothing():
    """No stage, no play, and a channel by which nothing is sent."""
    label = Labels(language("en"))
    assert [label("stage", None), label.wording(None), label.inside("channel", "none"), label("channel", "none")] == [
        "", "", "", "",
    ]  # fmt: skip


def test_a_held_lead_is_told_with_every_reason():
    """Whoever reads the next action reads why there is none."""
    assert Labels(language("en")).leave_alone(["no_consent", "override"]) == (
        "Leave alone: no consent, held by a colleague"
    )
