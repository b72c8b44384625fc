"""The places that the benchmark writes a million leads to: what the config says, and the stand-in that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_FIELDS: Final = {
    "leadlight_score": "score",
    "leadlight_grade": "grade",
    "leadlight_probability": "probability",
    "leadlight_action": {"from": "next_action", "length": 120},
    "leadlight_reasons": {"from": "reasons", "length": 200},
    "leadlight_as_of": "as_of",
}


@dataclass(frozen=True)
class Place:
    """One place.

    Attributes:
        kind: The kind of its connector.
        connect: How it is reached, beside the stand-in's address.
        address: The setting that names the stand-in's address.
        fake: The stand-in as ``module:Class``; empty = none is needed.
        options: The stand-in's own.
        environment: Secrets.
        rows_per_call: Rows of one call, where the rate of calls is what bounds the time.
        calls_per_s: The configured rate; 0 = there is none, and the seconds are told.
        suffix: Of each property's name.
        key: The property that tells records apart.
        creates: Whether leads get records there; False = the stand-in holds one of each beforehand.
    """

    kind: str
    connect: Mapping[str, Any] = field(default_factory=dict)
    address: str = "base_url"
    fake: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    rows_per_call: int = 0
    calls_per_s: float = 0.0
    suffix: str = ""
    key: str = "leadlight_key"
    creates: bool = True

    def stand_in(self, keys: Path) -> dict[str, Any]:
        """Return the stand-in's options, where a file has the keys of all leads, a line each."""
        return {**self.options, **({} if self.creates else {"keys_in": str(keys)})}

    def config(self, url: str) -> dict[str, Any]:
        """Return the target as the config names it, its stand-in at *url*."""
        connect = {**self.connect, **({self.address: url} if self.fake else {})}
        fields = {f"{name}{self.suffix}": source for name, source in _FIELDS.items()}
        return {"kind": self.kind, "key": self.key, "create": self.creates, "fields": fields, "connect": connect}


PLACES: Final[Mapping[str, Place]] = {
    "hubspot": Place(
        "hubspot",
        fake="fakes.hubspot:FakeHubSpot",
        options={"token": "pat-eu1-benchmark", "latency_s": 0.05, "calls_per_10_s": 190, "keeps_calls": False},
        environment={"LEADLIGHT_HUBSPOT_TOKEN": "pat-eu1-benchmark"},
        rows_per_call=100,
        calls_per_s=18,
    ),
    "marketo": Place(
        "marketo",
        connect={"bulk_from": 100_000_000, "calls_per_20_s": 50},
        fake="fakes.marketo:FakeMarketo",
        options={"latency_s": 0.05, "logs": False, "keeps_calls": False},
        rows_per_call=300,
        calls_per_s=2.5,
    ),
    "marketo-import": Place(
        "marketo",
        fake="fakes.marketo:FakeMarketo",
        options={"latency_s": 0.05, "logs": False, "keeps_calls": False},
    ),
    "salesforce": Place(
        "salesforce",
        fake="fakes.salesforce:FakeSalesforce",
        options={"latency_s": 0.05, "keeps_calls": False},
        suffix="__c",
        key="Leadlight_Key__c",
        creates=False,  # a new lead must have a name, which no score holds
    ),
    "webhook": Place(
        "webhook",
        connect={"calls_per_s": 5},
        address="url",
        fake="fakes.webhook:FakeWebhook",
        options={"secret": "signed-by-the-benchmark", "latency_s": 0.05, "keeps_calls": False},
        environment={"LEADLIGHT_WEBHOOK_SECRET": "signed-by-the-benchmark"},
        rows_per_call=500,
        calls_per_s=5,
    ),
    "sqlite": Place("sql", connect={"url": "sqlite:///scored.db", "table": "scored"}),
    "file-csv": Place("file", connect={"path": "scored.csv"}),
    "file-parquet": Place("file", connect={"path": "scored.parquet"}),
    "file-jsonl": Place("file", connect={"path": "scored.jsonl"}),
}
