"""points.yaml: a points card as a shop writes it, checked whole; and a card written so that it reads back equal.

Anchors and aliases are refused, as are keys given twice: a card is read by people, and what stands in it is what is
used.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from features import conditions
from features.errors import LeadlightError, wrong_input
from models.points_card import Action, Caps, Cuts, Group, Odds, PointsCard, Rule, Value
from models.wording import plain
from pipeline.points_settings import CardSettings, RuleSettings
from pipeline.settings_faults import fault_lines
from pipeline.yaml_keys import OneOfEachLoader
from pipeline.yaml_lines import one_line

LARGEST = 1 << 20
"""Bytes of a card: nobody writes more by hand."""


def read_card(path: Path) -> PointsCard:
    """Return the card in the file at *path*.

    Raises:
        LeadlightError: The file is not there, is no YAML, or has faults: all are listed.
    """
    if not path.is_file():
        raise _no_card(path)
    if path.stat().st_size > LARGEST:
        raise _not_yaml(path, f"it is larger than {LARGEST:,} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_yaml(path, "it is not UTF-8") from error
    return parse_card(text, place=path)


def parse_card(text: str, *, place: Path) -> PointsCard:
    """Return the card that *text* spells.

    Args:
        text: YAML.
        place: The file, for messages.
    """
    try:
        raw = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a SafeLoader that allows less
    except (yaml.YAMLError, ValueError) as error:
        raise _not_yaml(place, str(error)) from error
    except RecursionError as error:
        raise _not_yaml(place, "it is nested too deeply") from error
    if not isinstance(raw, dict):
        raise _not_yaml(place, "it holds no card")
    try:
        spelled = CardSettings.model_validate(raw)
    except ValidationError as error:
        raise _refused(place, [_by_name(line, raw) for line in fault_lines(error, CardSettings, raw=raw)]) from error
    return _card(spelled)


def spell_card(card: PointsCard, *, head: str = "") -> str:
    """Return *card* as the text of a file: one line per rule, in the card's order.

    Args:
        card: The card.
        head: Comment lines above it, without their #.
    """
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    lines += [f"base: {card.base}", f"caps: {one_line(_without_none(vars(card.caps)))}"]
    cuts = card.cuts
    lines += [f"grades: {one_line({'a': cuts.a, 'b': cuts.b, 'c': cuts.c})}"]
    lines += [f"temperatures: {one_line({'hot': cuts.hot, 'warm': cuts.warm})}"]
    if card.odds is not None:
        lines.append(f"odds: {one_line(vars(card.odds))}")
    lines += ["rules:", *(f"  - {one_line(_spelled(rule))}" for rule in card.rules)]
    return "\n".join(lines) + "\n"


class _PlainLoader(OneOfEachLoader):
    """YAML without anchors, aliases and keys given twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(
                None, None, "anchors (&) and aliases (*) are not read here: put such text in quotes", event.start_mark
            )
        return super().compose_node(parent, index)


def _card(spelled: CardSettings) -> PointsCard:
    return PointsCard(
        rules=tuple(_rule(rule) for rule in spelled.rules),
        base=spelled.base,
        caps=Caps(**spelled.caps.model_dump()),
        cuts=Cuts(**spelled.grades.model_dump(), **spelled.temperatures.model_dump()),
        odds=None if spelled.odds is None else Odds(**spelled.odds.model_dump()),
    )


def _rule(spelled: RuleSettings) -> Rule:
    group: Group = spelled.group
    return Rule(spelled.name, group, spelled.points, _asked(spelled), spelled.cap)


def _asked(spelled: RuleSettings) -> Action | Value:
    if spelled.table:
        decay, half_life = spelled.fading
        return Action(
            table=spelled.table,
            where=conditions.parse(spelled.where),
            within=spelled.days,
            is_once=spelled.per == "once",
            decay=decay,
            half_life=half_life,
        )
    name = spelled.attribute or spelled.feature
    return Value("attribute" if spelled.attribute else "feature", name, conditions.parse({name: spelled.tests}))


def _spelled(rule: Rule) -> dict[str, Any]:
    """Return a rule as `RuleSettings` reads it."""
    said: dict[str, Any] = {"name": rule.name, "group": rule.group, "points": rule.points}
    said |= {} if rule.cap is None else {"cap": rule.cap}
    asks = rule.asks
    if isinstance(asks, Value):
        return {**said, asks.of: asks.name, **_spelled_tests(asks.tests)}
    said["table"] = asks.table
    if asks.where:
        columns = sorted(conditions.columns_of(asks.where))
        said["where"] = {c: _shortest(tuple(w for w in asks.where if w.column == c)) for c in columns}
    said |= {"within": asks.within or "ever", "per": "once" if asks.is_once else "each"}
    if asks.decay != "none":
        said["decay"] = "linear" if asks.decay == "linear" else {"half_life": asks.half_life}
    return said


def _shortest(tests: conditions.Conditions) -> Any:  # noqa: ANN401 - whatever YAML can hold
    """Return the tests of one column, an equality as its bare value."""
    said = _spelled_tests(tests)
    return said["is"] if list(said) == ["is"] else {"in" if name == "is" else name: one for name, one in said.items()}


def _spelled_tests(tests: conditions.Conditions) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for test in tests:
        values = [_shorter(value) for value in test.operands]
        name = "is" if test.operator == "in" and len(values) == 1 else test.operator
        said[name] = values if (test.operator == "in" and len(values) != 1) or len(values) > 1 else values[0]
    return said


def _shorter(value: object) -> object:
    """Return a whole float as an int, which is equal and shorter."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _by_name(line: str, raw: dict[str, Any]) -> str:
    """Return a fault's line with its rule as people find it: counted from 1, by its name."""
    found = re.match(r"rules\.(\d+)\.?(.*)", line, re.DOTALL)
    if found is None:
        return line
    number, rest = int(found[1]), found[2]
    rule = raw["rules"][number]
    name = rule.get("name") if isinstance(rule, dict) else None
    return f"rule {number + 1}{f' ({plain(name)})' if isinstance(name, str) else ''}, {rest.lstrip(': ')}"


def _no_card(path: Path) -> LeadlightError:
    hint = "write one with `leadlight points init`, or let `leadlight points learn` make one from your data."
    return wrong_input(f"There is no points card at '{path}'.", hint=hint)


def _not_yaml(path: Path, reason: str) -> LeadlightError:
    hint = "check indentation and quotes at that place; the file must be UTF-8."
    return wrong_input(f"The points card '{path}' is no readable YAML:", reason.splitlines(), hint=hint)


def _refused(path: Path, faults: list[str]) -> LeadlightError:
    hint = "`leadlight points init FILE` writes a card with comments to compare with."
    return wrong_input(f"The points card '{path}' has faults:", faults, hint=hint)
