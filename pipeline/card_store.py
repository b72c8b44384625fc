"""The points cards that ever scored, kept in the workspace under their labels: a stored score can be told for ever.

``points/points-<hash>.json`` holds the card as its file spelled it, and the words of its rules.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from features.catalog import Feature, as_dict, from_dict
from features.errors import LeadlightError, wrong_input
from models.points_card import PointsCard
from models.points_card_columns import BoundCard
from pipeline.points_file import parse_card, spell_card
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class KeptCard:
    """A card that scored.

    Attributes:
        card: The card.
        words: How its rules and limits are said (`BoundCard.words`).
    """

    card: PointsCard
    words: tuple[Feature, ...]


def keep(workspace: Workspace, bound: BoundCard) -> None:
    """Keep the card under its label; one that is there already is the same."""
    path = _place(workspace, bound.card.label)
    if path.exists():
        return
    said = {"card": spell_card(bound.card), "words": [as_dict(feature) for feature in bound.words]}
    with workspace.writing(path) as part:
        part.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept(workspace: Workspace, label: str) -> KeptCard:
    """Return the card whose scores carry *label*.

    Raises:
        LeadlightError: It is not in the workspace.
    """
    path = _place(workspace, label)
    if not path.is_file():
        raise _gone(label, path)
    said = json.loads(path.read_text(encoding="utf-8"))
    return KeptCard(parse_card(said["card"], place=path), tuple(from_dict(one) for one in said["words"]))


def _place(workspace: Workspace, label: str) -> Path:
    return workspace.root / "points" / f"{label}.json"


def _gone(label: str, path: Path) -> LeadlightError:
    hint = "score again with `leadlight score`, or bring the file back."
    return wrong_input(f"The points card '{label}' that gave these scores is not at '{path}'.", hint=hint)
