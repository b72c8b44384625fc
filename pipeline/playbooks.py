"""From the config's rules to those of `models`: shipped ones by their name, a shop's own, and every fault at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import yaml

from features import conditions
from features.errors import nearest
from features.situation import ATTRIBUTE
from models.decision_facts import LEVELS, STAGE, VOCABULARY, nothing
from models.decision_rules import Play, Rule, Words
from models.decisions import Decisions
from models.holds import CODES, HoldRules
from pipeline.settings_decisions import SHIPPED, DecisionSettings, PlaySettings, RuleSettings
from pipeline.settings_lead_table import spellings
from pipeline.shipped import configs_folder

R = TypeVar("R", bound=RuleSettings)

CHANNELS: Final[Mapping[str, str]] = {
    "call": "phone", "email": "email", "recover_cart": "email", "discount": "email", "chat": "chat",
    "webinar": "email", "wait": "none",
}  # fmt: skip
"""The shipped actions, and the channel of each where a play says none."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@cache
def shipped() -> DecisionSettings:
    """Return the rules that Leadlight ships for shops."""
    path = configs_folder() / "playbooks" / "shop.yaml"
    return DecisionSettings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def shipped_texts() -> tuple[str, ...]:
    """Return every text of the shipped rules that people read, to be translated."""
    rules = shipped()
    texts = [rule.label for rule in (*rules.stages, *rules.playbook, *rules.segments)]
    texts += [play.wording for play in rules.playbook]
    return tuple(dict.fromkeys(text for text in texts if isinstance(text, str)))


def decisions_of(asked: DecisionSettings) -> Decisions:
    """Return the rules of a config in which `faults` found none."""
    ours, suppress = shipped(), asked.suppress
    return Decisions(
        stages=tuple(_rule(rule) for rule in _whole(asked.stages, ours.stages)),
        plays=tuple(_play(play) for play in _whole(asked.playbook, ours.playbook)),
        segments=tuple(_rule(rule) for rule in _whole(asked.segments, ours.segments)),
        holds=HoldRules(
            no_consent=frozenset(spellings(suppress.no_consent)),
            needs_consent=suppress.needs_consent,
            apply=frozenset(CODES) - set(suppress.ignore),
        ),
    )


def faults(asked: DecisionSettings, attributes: Mapping[str, str] | None) -> list[str]:
    """Return what is wrong with the rules of a config, one line each with its place.

    Args:
        asked: The config's section.
        attributes: The attributes that the shop maps: name to ``text``, ``number``, ``time`` or ``date``; None where
            only the data will tell.
    """
    ours = shipped()
    names = [rule.name for rule in _whole(asked.stages, ours.stages)]
    known = dict(VOCABULARY)
    for name, kind in (attributes or {}).items():
        known[ATTRIBUTE + name] = kind if kind == "number" else "text"
    levels = {**LEVELS, STAGE: tuple(names)}
    after = {**known, STAGE: "text"}
    is_open = attributes is None
    return [
        *_of_list("stages", asked.stages, ours.stages, _Names(known, LEVELS, is_open=is_open)),
        *_of_list("playbook", asked.playbook, ours.playbook, _Names(after, levels, is_open=is_open)),
        *_of_list("segments", asked.segments, ours.segments, _Names(after, levels, is_open=is_open)),
    ]


class _Names:
    """The names that a list of rules may ask for, with their kinds, and the only values of some."""

    def __init__(self, kinds: Mapping[str, str], levels: Mapping[str, Sequence[str]], *, is_open: bool) -> None:
        self.levels = levels
        self._kinds = kinds
        self._is_open = is_open

    def has(self, name: str) -> bool:
        return name in self._kinds or (self._is_open and name.startswith(ATTRIBUTE))

    def meant(self, name: str) -> str:
        """Return a hint at the name that was meant."""
        near = nearest(name, self._kinds) or next((own for own in self._kinds if own == ATTRIBUTE + name), None)
        if near or not name.startswith(ATTRIBUTE):
            return f" (did you mean '{near}'?)" if near else ""
        own = [known for known in self._kinds if known.startswith(ATTRIBUTE)]
        return f"; there are {', '.join(own)}" if own else "; the config maps no attributes of leads"

    def misfits(self, alternative: conditions.Conditions) -> list[str]:
        """Return the tests that do not go with the kind of what they ask."""
        typed = tuple(one for one in alternative if one.column in self._kinds)
        return conditions.misfits(typed, nothing({one.column: self._kinds[one.column] for one in typed}))


def _of_list(section: str, written: Sequence[R], ours: Sequence[R], names: _Names) -> Iterator[str]:
    own = [rule for rule in written if rule.name != SHIPPED]
    of_ours = {rule.name for rule in ours}
    twins = sorted({rule.name for rule in own if sum(rule.name == other.name for other in own) > 1})
    yield from (f"decisions.{section}: two rules are called '{name}'" for name in twins)
    for rule in own:
        place = f"decisions.{section}.{rule.name}"
        yield from _of_name(place, rule, of_ours)
        for alternative in _alternatives(rule.where):
            yield from (f"{place}.where.{fault}" for fault in _of_conditions(alternative, names))
    # A stage that is no longer there is still asked for by shipped rules that were not changed.
    for rule in _whole(written, ours):
        if rule.name in of_ours and rule not in own:
            place = f"decisions.{section}.{rule.name} (shipped)"
            for alternative in _alternatives(rule.where):
                yield from (f"{place}.where.{fault}" for fault in _of_conditions(alternative, names))


def _of_name(place: str, rule: RuleSettings, ours: Collection[str]) -> Iterator[str]:
    if rule.name in ours:
        return
    if not _NAME.fullmatch(rule.name):
        yield f"{place}: a name is made of letters, digits, _ and -, and begins with a letter"
    if rule.where is None:
        near = nearest(rule.name, [*ours, SHIPPED])
        meant = f" (did you mean '{near}'?)" if near else ""
        yield f"{place}: no rule of that name is shipped{meant}; one of your own needs `where`, {{}} for everyone"
    if isinstance(rule, PlaySettings) and not rule.action:
        yield f"{place}.action: says what to do: {', '.join(CHANNELS)}, or your own word"


def _of_conditions(where: Mapping[str, Any], names: _Names) -> Iterator[str]:
    readable: dict[str, Any] = {}
    for name, test in where.items():
        wrong = conditions.faults({name: test})
        yield from wrong
        if not names.has(name):
            yield f"{name}: rules cannot ask for that{names.meant(name)}"
        elif not wrong:
            readable[name] = test
    alternative = conditions.parse(readable)
    yield from conditions.crossed(alternative)
    yield from names.misfits(alternative)
    for one in alternative:
        yield from _unknown_levels(one, names)


def _unknown_levels(one: conditions.Condition, names: _Names) -> Iterator[str]:
    levels = names.levels.get(one.column)
    if levels is None or one.operator not in ("in", "not"):
        return
    for value in one.operands:
        if value not in levels:
            near = nearest(str(value), levels)
            meant = f" (did you mean '{near}'?)" if near else f"; there are {', '.join(levels)}"
            yield f"{one.column}: never is {value!r}{meant}"


def _whole(written: Sequence[R], ours: Sequence[R]) -> list[R]:
    """Return the rules in order: shipped ones with what the shop changes of them, `SHIPPED` spelled out."""
    by_name = {rule.name: rule for rule in ours}
    named = {rule.name for rule in written}
    found: list[R] = []
    for rule in written:
        if rule.name == SHIPPED:
            found += [other for other in ours if other.name not in named]
        elif rule.name in by_name:
            said = {name: getattr(rule, name) for name in rule.model_fields_set}
            found.append(by_name[rule.name].model_copy(update=said))
        else:
            found.append(rule)
    return found


def _alternatives(where: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    if where is None or where == {}:
        return []
    return [where] if isinstance(where, Mapping) else list(where)


def _rule(rule: RuleSettings) -> Rule:
    return Rule(rule.name, _label(rule), tuple(conditions.parse(one) for one in _alternatives(rule.where)))


def _play(play: PlaySettings) -> Play:
    where = tuple(conditions.parse(one) for one in _alternatives(play.where))
    channel = play.channel or CHANNELS.get(play.action, "none")
    return Play(play.name, _label(play), where, action=play.action, channel=channel, wording=play.wording)


def _label(rule: RuleSettings) -> Words:
    return rule.label or rule.name.replace("_", " ").capitalize()
