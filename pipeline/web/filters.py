"""Which leads a reader wants to see: read from a form or an address, and written back into one.

Addresses are kept by browsers and logs, so they hold no words about people: what is searched for never stands in
one, and a value that may be an e-mail address (any owner; anything with an @) is named by a hash of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, get_args
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict

from features.errors import LeadlightError
from pipeline.published.asks import Ask, Cursor
from pipeline.published.keys import of_lead, text_of
from pipeline.published.run_info import Choice
from pipeline.web.faults import RefusedError, bad_request

Sort = Literal["rank", "-rank", "change", "-change", "name", "-name"]
SORTS: Final[tuple[str, ...]] = get_args(Sort)
MANY: Final = ("grade", "temperature", "action", "stage", "segment", "source", "owner")
"""Filters that take several values; those of one filter are alternatives, and all filters must hold."""
SIZES: Final = (25, 50, 100, 200)
MOST_VALUES: Final = 50
LONGEST_TEXT: Final = 200


@dataclass(frozen=True)
class Wish:
    """What a reader asks of the list, as forms and addresses spell it.

    Attributes:
        grade, temperature, action, stage, segment, source, owner: Values, of which one must hold; empty = any.
        held: ``yes``, ``no``, or empty for both.
        text: Part of a name, a company or an id; never in an address.
        sort: The order.
        after, before: Where the page begins or ends, as `Cursor` spells it.
        size: Leads on a page.
    """

    grade: tuple[str, ...] = ()
    temperature: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    held: str = ""
    text: str = ""
    sort: str = "rank"
    after: str = ""
    before: str = ""
    size: int = 50

    @property
    def is_narrow(self) -> bool:
        """Whether some leads are left out."""
        return any(getattr(self, name) for name in (*MANY, "held", "text"))

    @property
    def address(self) -> str:
        """The address of the same page; what was searched for is not in it."""
        return _address("/leads", self._pairs(("text",)))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The same as fields of a form, the place in the list left out."""
        return self._pairs(("after", "before"))

    def only(self, **narrower: str) -> str:
        """Return the address of the list with these filters alone."""
        return _address("/leads", list(narrower.items()))

    def _pairs(self, without: tuple[str, ...]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in without or value == one.default:
                continue
            found += [(one.name, each) for each in value] if isinstance(value, tuple) else [(one.name, str(value))]
        return found


def handle(value: str, *, is_person: bool = False) -> str:
    """Return how an address names a value: itself, or a hash where it may be an e-mail address or is no plain text.

    Args:
        value: A source, an owner, a segment, …
        is_person: Whether it names somebody.
    """
    is_plain = value.isprintable() and "@" not in value and not value.startswith("~") and len(value) <= LONGEST_TEXT
    if is_person or not is_plain:
        return f"~{text_of(of_lead(value))}"
    return value


def wish_of(said: ImmutableMultiDict[str, str]) -> Wish:
    """Return what a form or an address asks for.

    Raises:
        RefusedError: An unknown order, too many or too long values.
    """
    many = {name: tuple(dict.fromkeys(value for value in said.getlist(name) if value)) for name in MANY}
    size = said.get("size", "") or "50"
    wish = Wish(
        **many,
        held=said.get("held", ""),
        text=" ".join(said.get("text", "").split()),
        sort=said.get("by", "") or said.get("sort", "") or "rank",
        after=said.get("after", ""),
        before=said.get("before", ""),
        size=int(size) if size in map(str, SIZES) else 0,
    )
    return checked(wish)


def checked(wish: Wish) -> Wish:
    """Return *wish* as it is.

    Raises:
        RefusedError: An unknown order, too many or too long values; all faults are told.
    """
    many = {name: getattr(wish, name) for name in MANY}
    faults = [f"{name}: at most {MOST_VALUES} values" for name, values in many.items() if len(values) > MOST_VALUES]
    faults += [f"{name}: too long" for name, values in many.items() if any(len(v) > LONGEST_TEXT for v in values)]
    if len(wish.text) > LONGEST_TEXT:
        faults.append(f"text: at most {LONGEST_TEXT} characters")
    if wish.after and wish.before:
        faults.append("after, before: one of the two")
    if wish.sort not in SORTS:
        faults.append(f"sort: one of {', '.join(SORTS)}")
    if wish.held not in ("", "yes", "no"):
        faults.append("held: yes or no")
    if wish.size not in SIZES:
        faults.append(f"size: one of {', '.join(map(str, SIZES))}")
    if faults:
        raise bad_request("bad_filter", "These filters cannot be understood.", faults)
    return wish


def ask_of(wish: Wish, choices: Mapping[str, Sequence[Choice]], overridden: frozenset[int] | None) -> Ask:
    """Return *wish* as the store of scores is asked.

    Args:
        wish: What the reader wants.
        choices: All values there are (`Edition.choices`), to find those that are named by their hash.
        overridden: Keys of the leads that people hold now; None where the wish is not about holds.

    Raises:
        RefusedError: The place in the list is no place, or one of another order.
    """
    meant = {f"{name}s": _meant(getattr(wish, name), choices.get(f"{name}s", ()), name) for name in MANY}
    try:
        return Ask(
            **meant,
            held={"yes": True, "no": False}.get(wish.held),
            overridden=overridden,
            text=wish.text,
            sort=wish.sort,
            after=_cursor(wish.after),
            before=_cursor(wish.before),
            size=wish.size,
        )
    except LeadlightError as error:
        raise bad_cursor() from error


def _meant(asked: tuple[str, ...], offered: Sequence[Choice], name: str) -> tuple[str, ...]:
    if not any(one.startswith("~") for one in asked):
        return asked
    named = {handle(choice.value, is_person=name == "owner"): choice.value for choice in offered}
    return tuple(named.get(one, one) for one in asked)


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except LeadlightError as error:
        raise bad_cursor() from error


def bad_cursor() -> RefusedError:
    """Return the error for a place in the list that is none."""
    return bad_request("bad_cursor", "This is no place in the list.", ["begin again without after and before"])


def _address(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
