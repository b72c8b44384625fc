"""How decisions are said to people: the words that a run kept of its stages, plays and segments, in a language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.decision_rules import Words
from pipeline.languages import N_, Language

HOLDS: Final[Mapping[str, str]] = {
    "no_consent": N_("no consent"),
    "unsubscribed": N_("unsubscribed"),
    "open_deal": N_("in an open deal"),
    "override": N_("held by a colleague"),
}
"""Why a lead is left alone."""
ACTIONS: Final[Mapping[str, str]] = {
    "call": N_("Call"),
    "email": N_("E-mail"),
    "recover_cart": N_("Recover the cart"),
    "discount": N_("Discount code"),
    "chat": N_("Chat"),
    "webinar": N_("Webinar"),
    "wait": N_("Wait"),
}
CHANNELS: Final[Mapping[str, str]] = {"phone": N_("phone"), "email": N_("e-mail"), "chat": N_("chat")}


@dataclass(frozen=True)
class DecisionWords:
    """What a run's names mean, in one language.

    Attributes:
        labels: What the run kept of its rules (`models.decisions.as_data`); empty for a run of before there were any.
        language: The language to say it in.
    """

    labels: Mapping[str, Any]
    language: Language

    def stage(self, name: str | None) -> str:
        """Return how people read a stage; empty where there is none."""
        return self._said("stages", name, "label")

    def play(self, name: str | None) -> str:
        """Return how people read a play."""
        return self._said("plays", name, "label")

    def wording(self, name: str | None) -> str:
        """Return what a play says to do, in a sentence."""
        return self._said("plays", name, "wording")

    def segment(self, name: str | None) -> str:
        """Return how people read a segment."""
        return self._said("segments", name, "label")

    def action(self, name: str | None) -> str:
        """Return how people read an action."""
        return self._named(ACTIONS, name)

    def channel(self, name: str | None) -> str:
        """Return how people read a channel; empty where nothing is sent or said."""
        return "" if name == "none" else self._named(CHANNELS, name)

    def hold(self, code: str | None) -> str:
        """Return why a lead is left alone."""
        return self._named(HOLDS, code)

    def leave_alone(self, codes: Sequence[str]) -> str:
        """Return the next action of a held lead."""
        return self.language.gettext("Leave alone: {why}").replace(
            "{why}", ", ".join(self.hold(code) for code in codes)
        )

    def _said(self, kind: str, name: str | None, part: str) -> str:
        if name is None:
            return ""
        words: Words = self.labels.get(kind, {}).get(name, {}).get(part, "" if part == "wording" else _plain(name))
        return said(words, self.language)

    def _named(self, names: Mapping[str, str], name: str | None) -> str:
        if name is None:
            return ""
        return self.language.gettext(names[name]) if name in names else _plain(name)


@dataclass(frozen=True)
class ToDo:
    """What is to be done about a lead, in words.

    Attributes:
        stage: How far it has come in the funnel; empty where no rule of the shop's holds.
        next_action: What the playbook says to do; for a held lead, to leave it alone and why.
        channel: How; empty where nothing is to be done.
        wording: The same in a sentence.
        segments: The groups of leads that it belongs to.
        held: Codes why it is left alone.
    """

    stage: str
    next_action: str
    channel: str
    wording: str
    segments: list[str]
    held: list[str]


def to_do(row: Mapping[str, Any], words: DecisionWords) -> ToDo | None:
    """Return what is to be done about a lead; held leads are left alone, whatever the playbook says."""
    if row["held"] is None:
        return None
    held = list(row["held"])
    return ToDo(
        stage=words.stage(row["stage"]),
        next_action=words.leave_alone(held) if held else words.play(row["play"]),
        channel="" if held else words.channel(row["channel"]),
        wording="" if held else words.wording(row["play"]),
        segments=[words.segment(name) for name in row["segments"] or []],
        held=held,
    )


def said(words: Words, language: Language) -> str:
    """Return *words* in *language*: a shop's own in it, else in English, else in any; ours by their translation."""
    if isinstance(words, str):
        return language.gettext(words) if words else ""
    return words.get(language.code) or words.get("en") or next(iter(words.values()), "")


def told_columns(scores: pa.Table, words: DecisionWords) -> dict[str, pa.Array]:
    """Return the columns by which a table for people says what to do about each lead.

    A held lead's next action is to leave it alone: whoever filters the table by an action must not reach it.

    Returns:
        ``stage``, ``next_action``, ``channel``, ``wording``, ``segments`` and ``held``, texts, empty where nothing is
        to be said.
    """
    held = _listed(scores["held"], words.hold)
    is_held = pc.greater(pc.utf8_length(held), 0)
    nothing = pa.scalar("", pa.string())
    action, channel, wording = (
        _each(scores[column], say)
        for column, say in (("play", words.play), ("channel", words.channel), ("play", words.wording))
    )
    left_alone = _listed(scores["held"], words.hold, within=words.leave_alone([]))
    return {
        "stage": _each(scores["stage"], words.stage),
        "next_action": pc.if_else(is_held, left_alone, action),
        "channel": pc.if_else(is_held, nothing, channel),
        "wording": pc.if_else(is_held, nothing, wording),
        "segments": _listed(scores["segments"], words.segment),
        "held": held,
    }


def _each(names: pa.ChunkedArray, say: Callable[[str | None], str]) -> pa.Array:
    """Return how each name is said; a few names are on many rows, so each is said once."""
    encoded = names.combine_chunks().dictionary_encode()
    texts = pa.array([say(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return pc.fill_null(texts.take(encoded.indices), "")


def _listed(names: pa.ChunkedArray, say: Callable[[str | None], str], *, within: str = "") -> pa.Array:
    lists = names.combine_chunks()
    flat = _each(pa.chunked_array([lists.flatten()]), say)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(ends, flat), "; ")
    return pc.binary_join_element_wise(within, joined, "") if within else joined


def _plain(name: str) -> str:
    return name.replace("_", " ").capitalize()
