"""An org that answers on loopback, and connectors to it that wait without losing time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.salesforce import CLIENT_ID, CLIENT_SECRET, FakeSalesforce
from fakes.serving import serving
from pipeline.crm.connectors.salesforce import KIND
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Answer, Connector, CrmField, FieldType, Row

KEY = "Leadlight_Key__c"
SCORE, GRADE, REASON = "Leadlight_Score__c", "Leadlight_Grade__c", "Leadlight_Reason__c"
FIELDS = [
    CrmField(SCORE, FieldType.INTEGER, label="Leadlight score"),
    CrmField(GRADE, FieldType.CHOICE, choices=("A", "B", "C")),
    CrmField(REASON, FieldType.TEXT, length=80),
]
SECRETS = {"LEADLIGHT_SALESFORCE_CLIENT_ID": CLIENT_ID, "LEADLIGHT_SALESFORCE_CLIENT_SECRET": CLIENT_SECRET}


class Clock:
    """A clock that goes on when somebody waits for it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        """Return the seconds that were waited."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait in no time."""
        self.waits.append(seconds)
        self.now += seconds


def connector_to(url: str, folder: Path, **options) -> Connector:
    """Return a connector; the options `may_create`, `key`, `override`, `clock` and `secrets` are its surroundings'."""
    clock = options.pop("clock", None) or Clock()
    around = Surroundings(
        target="crm",
        key=options.pop("key", KEY),
        folder=folder,
        state=folder,
        environment=options.pop("secrets", SECRETS),
        patience=Patience(clock=clock, sleep=clock.sleep),
        may_create=options.pop("may_create", False),
        override=options.pop("override", ""),
    )
    asked = KIND.options.model_validate({"base_url": url, "calls_per_20_s": 100_000, **options})
    return KIND.connect(asked, around)


@contextmanager
def org(fake: FakeSalesforce, folder: Path, *, is_set_up: bool = True, **options) -> Iterator[Connector]:
    """Serve *fake*, and give a connector to it; Leadlight's fields are there."""
    with serving(fake) as url:
        connector = connector_to(url, folder, **options)
        try:
            if is_set_up:
                connector.setup(FIELDS)
                fake.calls.clear()
            yield connector
        finally:
            connector.close()


def row(key: str, score: int | None = 72, *, grade: str = "A", reason: str | None = "Bought twice") -> Row:
    """Return what a lead is to hold."""
    return Row(key, {SCORE: score, GRADE: grade, REASON: reason})


def named(one: Row, **more: str) -> Row:
    """Return a row with the last name that a new record must have; a new lead must also have a ``Company``."""
    return Row(one.key, {**one.fields, "LastName": "Silva", **more})


def rows(n: int, score: int = 72) -> list[Row]:
    """Return rows for the first leads of a stand-in."""
    return [row(f"C-{number}", score) for number in range(1, n + 1)]


def outcomes(answers: list[Answer]) -> dict[str, str]:
    """Return what became of each row: its outcome, with the code where there is one."""
    assert len({answer.key for answer in answers}) == len(answers)
    return {answer.key: f"{answer.outcome.value} {answer.code}".strip() for answer in answers}


def paths(fake: FakeSalesforce) -> list[str]:
    """Return which calls came, without the version and what is asked."""
    return [f"{call.method} {call.path.partition('/v62.0')[2] or call.path}" for call in fake.calls]
