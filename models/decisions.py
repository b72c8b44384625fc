"""From a score to what is done: the funnel stage, the play, the segments of each lead, and whether it is left alone.

    situation + score  →  stage (the first rule that holds)
    … + stage          →  play  (the first rule that holds), and every segment that holds

Stages stand from the end of the funnel to its beginning: how far a lead has come is the first that holds. What is said
here is stored with the score and never computed again; a run can be read with the words of its day (`as_data`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from models.decision_columns import DECISION_COLUMNS
from models.decision_facts import STAGE, decision_table, facts_read
from models.decision_rules import Play, Rule, columns_read, every_match, first_match, listed, named
from models.holds import FACTS_READ, HoldRules, held


@dataclass(frozen=True)
class Decisions:
    """A shop's rules.

    Attributes:
        stages: From the end of the funnel to its beginning.
        plays: The playbook, in order.
        segments: Named filters; a lead may be in several.
        holds: Who is left alone.
    """

    stages: tuple[Rule, ...] = ()
    plays: tuple[Play, ...] = ()
    segments: tuple[Rule, ...] = ()
    holds: HoldRules = field(default_factory=HoldRules)

    @property
    def named(self) -> set[str]:
        """Every name that some rule asks for."""
        return columns_read([*self.stages, *self.plays, *self.segments])

    @property
    def facts(self) -> set[str]:
        """The facts of a lead's situation that rules and holds need."""
        return facts_read(self.named) | FACTS_READ

    @property
    def funnel(self) -> tuple[Rule, ...]:
        """The stages as the funnel runs, from its beginning to its end."""
        return self.stages[::-1]


def decide(decisions: Decisions, scores: pa.Table, facts: pa.Table) -> pa.Table:
    """Return stored *scores* with `DECISION_COLUMNS` filled.

    Args:
        decisions: The shop's rules.
        scores: Stored scores with ranks (`models.scoring.score_schema`).
        facts: One row per score, in the same order: facts and attributes (see
            `models.decision_facts.decision_table`), consent and overrides (see `models.holds.held`).

    Returns:
        The same rows; stage and play are null where no rule holds.
    """
    table = decision_table(scores, facts, decisions.named)
    stages = named(first_match(decisions.stages, table), [rule.name for rule in decisions.stages])
    table = table.append_column(STAGE, stages)
    plays = first_match(decisions.plays, table)
    found = {
        "stage": stages,
        "play": named(plays, [play.name for play in decisions.plays]),
        "action": named(plays, [play.action for play in decisions.plays]),
        "channel": named(plays, [play.channel for play in decisions.plays]),
        "segments": listed(every_match(decisions.segments, table), [rule.name for rule in decisions.segments]),
        "held": held(decisions.holds, facts),
    }
    for name in DECISION_COLUMNS:
        scores = scores.set_column(scores.schema.get_field_index(name), name, found[name])
    return scores


def as_data(decisions: Decisions) -> dict[str, Any]:
    """Return the words of *decisions* as plain data for JSON, so that a stored run can be read as it was meant.

    Returns:
        ``stages`` (as the funnel runs), ``plays`` and ``segments``: name to what people read of it.
    """
    return {
        "stages": {rule.name: {"label": _plain(rule.label)} for rule in decisions.funnel},
        "plays": {
            play.name: {
                "label": _plain(play.label),
                "action": play.action,
                "channel": play.channel,
                "wording": _plain(play.wording),
            }
            for play in decisions.plays
        },
        "segments": {rule.name: {"label": _plain(rule.label)} for rule in decisions.segments},
    }


def _plain(words: str | Mapping[str, str]) -> str | dict[str, str]:
    return words if isinstance(words, str) else dict(words)
