"""As much of SOQL as is asked for: SELECT fields FROM object WHERE … ORDER BY … LIMIT n, parsed as Salesforce does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+Z)|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_]\w*)|(?P<sign>!=|>=|<=|[=<>(),]))""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
LONGEST = 100_000
Test = Callable[[Callable[[str], Any]], bool]


class MalformedError(Exception):
    """The query cannot be read."""


@dataclass
class Query:
    """What a query asks for.

    Attributes:
        columns: Fields.
        table: The object.
        test: Whether a record is meant, given what its fields hold.
        among: Fields and values that narrow the search: every record that is meant holds one of them.
        order: Fields to sort by.
        limit: Most records.
        named: All fields that are named anywhere.
    """

    columns: list[str]
    table: str
    test: Test = lambda _: True
    among: list[tuple[str, list[Any]]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    limit: int | None = None
    named: set[str] = field(default_factory=set)


def parsed(text: str) -> Query:
    """Return what *text* asks for."""
    if len(text) > LONGEST:
        raise MalformedError("SOQL statements cannot be longer than 100000 characters.")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise MalformedError(f"unexpected token: '{text[at : at + 10]}'")
            self.tokens.append((str(found.lastgroup), str(found.group(str(found.lastgroup)))))
            at = found.end()
        self.at = 0
        self.among: list[tuple[str, list[Any]]] = []
        self.named: set[str] = set()

    def peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        if self.at >= len(self.tokens) or (expected and self.peek() not in expected):
            raise MalformedError(f"unexpected token: '{self.peek()}'")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def list_of_names(self) -> list[str]:
        names = [self.take()]
        while self.peek() == ",":
            self.take()
            names.append(self.take())
        self.named.update(names)
        return names

    def query(self) -> Query:
        self.take("SELECT")
        columns = self.list_of_names()
        self.take("FROM")
        query = Query(columns, self.take())
        if self.peek() == "WHERE":
            self.take()
            query.test = self.either(is_top=True)
        if self.peek() == "ORDER":
            self.take()
            self.take("BY")
            query.order = self.list_of_names()
        if self.peek() == "LIMIT":
            self.take()
            query.limit = int(self.take())
        if self.at < len(self.tokens):
            raise MalformedError(f"unexpected token: '{self.peek()}'")
        query.among, query.named = self.among, self.named
        return query

    def either(self, *, is_top: bool) -> Test:
        before = len(self.among)
        tests = [self.both(is_top=is_top)]
        while self.peek() == "OR":
            self.take()
            tests.append(self.both(is_top=False))
        if len(tests) > 1:
            del self.among[before:]
        return tests[0] if len(tests) == 1 else lambda get: any(test(get) for test in tests)

    def both(self, *, is_top: bool) -> Test:
        tests = [self.one(is_top=is_top)]
        while self.peek() == "AND":
            self.take()
            tests.append(self.one(is_top=is_top))
        return tests[0] if len(tests) == 1 else lambda get: all(test(get) for test in tests)

    def one(self, *, is_top: bool) -> Test:
        if self.peek() == "(":
            self.take()
            test = self.either(is_top=False)
            self.take(")")
            return test
        name = self.take()
        self.named.add(name)
        sign = self.take("=", "!=", ">", ">=", "<", "<=", "IN").upper()
        if sign != "IN":
            return _compared(name, sign, self.value())
        self.take("(")
        values = [self.value()]
        while self.peek() == ",":
            self.take()
            values.append(self.value())
        self.take(")")
        if is_top:
            self.among.append((name, values))
        if name == "Id":  # the last three letters only repeat the case of the others
            ids = {str(value)[:15] for value in values}
            return lambda get: get(name)[:15] in ids
        plain = {_same(value) for value in values}
        return lambda get: _same(get(name)) in plain

    def value(self) -> Any:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "text":
            return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)
        if kind == "moment":
            return datetime.fromisoformat(text)
        if kind == "number":
            return float(text)
        if kind == "word" and text.lower() in {"null", "true", "false"}:
            return {"null": None, "true": True, "false": False}[text.lower()]
        raise MalformedError(f"unexpected token: '{text}'")


def _same(value: Any) -> Any:
    """Return what is compared: texts are the same in small and capital letters, and an empty one is null."""
    return (value.casefold() or None) if isinstance(value, str) else value


def _compared(name: str, sign: str, value: Any) -> Test:
    wanted = _same(value)
    if sign == "=":
        return lambda get: _same(get(name)) == wanted
    if sign == "!=":
        return lambda get: _same(get(name)) != wanted

    def test(get: Callable[[str], Any]) -> bool:
        held = _same(get(name))
        if held is None or wanted is None:
            return False
        return {">": held > wanted, ">=": held >= wanted, "<": held < wanted, "<=": held <= wanted}[sign]

    return test
