"""What to do about leads, told to people: one lead in full, or columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.labels import Labels


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


def to_do(row: Mapping[str, Any], label: Labels) -> ToDo | None:
    """Return what is to be done about a lead; held leads are left alone, whatever the playbook says."""
    if row["held"] is None:
        return None
    held = list(row["held"])
    return ToDo(
        stage=label("stage", row["stage"]),
        next_action=label.leave_alone(held) if held else label("play", row["play"]),
        channel="" if held else label.inside("channel", row["channel"]),
        wording="" if held else label.wording(row["play"]),
        segments=[label("segment", name) for name in row["segments"] or []],
        held=held,
    )


def told_columns(scores: pa.Table, label: Labels) -> dict[str, pa.Array]:
    """Return the columns by which a table for people says what to do about each lead.

    A held lead's next action is to leave it alone: whoever filters the table by an action must not reach it.

    Returns:
        ``stage``, ``next_action``, ``channel``, ``wording``, ``segments`` and ``held``, texts, empty where nothing is
        to be said.
    """
    why = partial(label.inside, "held")
    held = _listed(scores["held"], why)
    is_held = pc.greater(pc.utf8_length(held), 0)
    nothing = pa.scalar("", pa.string())
    channel = _each(scores["channel"], partial(label.inside, "channel"))
    left_alone = _listed(scores["held"], why, within=label.leave_alone([]))
    return {
        "stage": _each(scores["stage"], partial(label, "stage")),
        "next_action": pc.if_else(is_held, left_alone, _each(scores["play"], partial(label, "play"))),
        "channel": pc.if_else(is_held, nothing, channel),
        "wording": pc.if_else(is_held, nothing, _each(scores["play"], label.wording)),
        "segments": _listed(scores["segments"], partial(label, "segment")),
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
