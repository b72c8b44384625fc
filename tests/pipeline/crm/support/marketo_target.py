"""A connector and the stand-in that it talks to; what was said is held against Marketo's own description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.marketo import CLIENT_ID, CLIENT_SECRET, FakeMarketo
from fakes.serving import serving
from pipeline.crm.connectors.marketo import KIND
from pipeline.crm.connectors.marketo.connector import Marketo
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Answer, Outcome, Row
from support import marketo_description

KEY = "leadlight_key"
SECRETS = {"LEADLIGHT_MARKETO_CLIENT_ID": CLIENT_ID, "LEADLIGHT_MARKETO_CLIENT_SECRET": CLIENT_SECRET}
QUICK = Patience(most_s=2.0, first_s=0.002, longest_s=0.01, breaker_after=50, breaker_s=0.01)
_OPTIONS = {"calls_per_20_s": 10_000, "poll_s": 0.002, "settle_s": 0.0, "bulk_from": 400, "file_rows": 400}


def connector(url: str, state: Path, *, may_create: bool = False, key: str = KEY, **options: Any) -> Marketo:
    """Return a connector to *url*."""
    patience = options.pop("patience", QUICK)
    environment: Mapping[str, str] = options.pop("environment", SECRETS)
    surroundings = Surroundings(
        target="marketo",
        key=key,
        folder=state,
        state=state,
        environment=environment,
        patience=patience,
        may_create=may_create,
    )
    made = KIND.connect(KIND.options(**{"base_url": url, **_OPTIONS, **options}), surroundings)
    assert isinstance(made, Marketo)
    return made


@contextmanager
def talking(fake: FakeMarketo, state: Path, *, is_described: bool = True, **options: Any) -> Iterator[Marketo]:
    """Give a connector to *fake*, and afterwards hold all that it said against Marketo's description."""
    with serving(fake) as url:
        made = connector(url, state, **options)
        try:
            yield made
        finally:
            made.close()
            if is_described and marketo_description.is_here():
                marketo_description.hold_against_description(fake.calls)


def rows(n: int, **fields: Any) -> list[Row]:
    """Return *n* rows, for the leads C-0, C-1 and so on."""
    held = {"leadlight_score": 72, "leadlight_grade": "A", **fields}
    return [Row(f"C-{number}", held, trace=f"run1-{number}") for number in range(n)]


def outcomes(answers: list[Answer]) -> dict[str, Outcome]:
    """Return what became of each row."""
    assert len({answer.key for answer in answers}) == len(answers)
    return {answer.key: answer.outcome for answer in answers}


def asked(fake: FakeMarketo, path: str) -> int:
    """Return how many calls went to *path*."""
    return sum(call.path == path for call in fake.calls)
