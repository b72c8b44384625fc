"""Places behind HTTP, each with the stand-in that answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fakes.hubspot import FakeHubSpot
from fakes.marketo import CLIENT_ID, CLIENT_SECRET, FakeMarketo
from fakes.marketo_leads import STANDARD
from fakes.salesforce import CLIENT_ID as CONSUMER_KEY
from fakes.salesforce import CLIENT_SECRET as CONSUMER_SECRET
from fakes.salesforce import FakeSalesforce
from fakes.salesforce_records import Record, Table
from fakes.webhook import FakeWebhook
from support import hubspot_description, marketo_description
from support.places import Place, ServedPlace, noting, once_each


class HubSpotPlace(ServedPlace):
    """Contacts of HubSpot that are there already."""

    name = kind = "hubspot"
    latency_s = 0.3
    token = "pat-eu1-of-the-contract"
    description = hubspot_description
    fake: FakeHubSpot

    def made(self) -> FakeHubSpot:
        """Return HubSpot with a contact for each lead, or with nothing of Leadlight's at all."""
        fake = FakeHubSpot(self.token, has_key=not self.creates)
        for lead in self.known:
            fake.contacts.create(lead)
        fake.contacts.write = noting(  # type: ignore[method-assign]
            fake.contacts.write, lambda contact, properties: self.note_write(contact.key, properties)
        )
        return fake

    def connect(self) -> dict[str, Any]:
        """Return how it is reached."""
        return {"base_url": self.url, "calls_per_10_s": 190}

    @property
    def environment(self) -> dict[str, str]:
        """The token."""
        return {"LEADLIGHT_HUBSPOT_TOKEN": self.token}

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what contacts hold."""
        with self.fake.lock:
            return once_each((str(one.key), one.held()) for one in self.fake.contacts.touched() if not one.is_archived)

    def forget(self, leads: Iterable[str]) -> None:
        """Archive contacts."""
        for lead in leads:
            contact = self.fake.contacts.find(self.fake.contacts.number_of(lead))
            assert contact is not None
            contact.is_archived = True


class HubSpotCreatingPlace(HubSpotPlace):
    """HubSpot without contacts."""

    name = "hubspot-creating"
    creates = is_twin = True
    turns_leads_away = False


class MarketoPlace(ServedPlace):
    """Leads of Marketo that are there already, written by calls."""

    name = kind = "marketo"
    latency_s = 0.4
    cannot_read = frozenset({"a,b"})  # Marketo takes it for two keys
    description = marketo_description
    fake: FakeMarketo

    def made(self) -> FakeMarketo:
        """Return Marketo with its leads."""
        fake = FakeMarketo(
            leads=[{self.key: lead} for lead in self.known],
            fields={"leadlight_action": "text", "leadlight_note": "text"},  # long texts are made by hand in Marketo
            calls_per_20_s=10_000, daily=10**9, logs=False, import_s=0.2,
        )  # fmt: skip
        del fake.leads.types["leadlight_as_of"]  # for setup to make
        fake.leads.update = noting(fake.leads.update, self._note)  # type: ignore[method-assign]
        return fake

    def _note(self, number: int, values: Mapping[str, Any], *_: object) -> None:
        lead = values.get(self.key) or self.fake.leads.by_id[number][self.key]
        self.note_write(str(lead), {name: value for name, value in values.items() if name not in STANDARD})

    def connect(self) -> dict[str, Any]:
        """Return how it is reached; nothing is waited for long."""
        return {"base_url": self.url, "calls_per_20_s": 10_000, "at_once": 3, "poll_s": 0.1, "settle_s": 1.0}

    @property
    def environment(self) -> dict[str, str]:
        """The client."""
        return {"LEADLIGHT_MARKETO_CLIENT_ID": CLIENT_ID, "LEADLIGHT_MARKETO_CLIENT_SECRET": CLIENT_SECRET}

    def secrets(self) -> list[str]:
        """Return the client's secret and its token."""
        return [CLIENT_SECRET, *([self.fake._token] if self.fake._token else [])]

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what leads hold; two leads of one key show as such."""
        with self.fake.lock:
            return self.fake.state()

    def forget(self, leads: Iterable[str]) -> None:
        """Refuse leads for good."""
        self.fake.refused |= dict.fromkeys(leads, "Lead is locked by a colleague")


class MarketoCreatingPlace(MarketoPlace):
    """Marketo without leads."""

    name = "marketo-creating"
    creates = is_twin = True


class MarketoBulkPlace(MarketoPlace):
    """Leads of Marketo, created and written by imported files."""

    name = "marketo-bulk"
    latency_s = 0.2
    creates = True

    def connect(self) -> dict[str, Any]:
        """Return how it is reached; few rows make a file."""
        return {**super().connect(), "bulk_from": 10, "file_rows": 301}

    def forget(self, leads: Iterable[str]) -> None:
        """Refuse leads for good."""
        super().forget(leads)
        self.fake.imports.refused = self.fake.refused


class SalesforcePlace(ServedPlace):
    """Leads of Salesforce that are there already, written by Collections."""

    name = kind = "salesforce"
    latency_s = 0.1
    key = "Leadlight_Key__c"
    fake: FakeSalesforce

    def made(self) -> FakeSalesforce:
        """Return an org with its leads."""
        fake = FakeSalesforce()
        for lead in self.leads:
            fake.leads.add(lead)
        fake.leads.put = noting(fake.leads.put, self._note)  # type: ignore[method-assign]
        return fake

    def _note(self, record: Record, values: Mapping[str, Any]) -> None:
        self.note_write(str(record.key), values)

    def called(self, name: str) -> str:
        """Return the name as a custom field has it."""
        return "_".join(part.capitalize() for part in name.split("_")) + "__c"

    def connect(self) -> dict[str, Any]:
        """Return how it is reached."""
        return {"base_url": self.url, "calls_per_20_s": 10_000, "bulk_from": 10**6}

    @property
    def environment(self) -> dict[str, str]:
        """The client."""
        return {"LEADLIGHT_SALESFORCE_CLIENT_ID": CONSUMER_KEY, "LEADLIGHT_SALESFORCE_CLIENT_SECRET": CONSUMER_SECRET}

    def secrets(self) -> list[str]:
        """Return the consumer's secret and its tokens."""
        return [CONSUMER_SECRET, *self.fake.tokens]

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what leads hold when all jobs have ended."""
        with self.fake.lock:
            for job in self.fake.jobs.values():
                job.look(self._table(job.object), 0)
            return self.fake.state()

    def _table(self, name: str) -> Table:
        return self.fake.tables[name]

    def forget(self, leads: Iterable[str]) -> None:
        """Delete leads."""
        for lead in leads:
            for record in self.fake.leads.with_key(lead):
                record.is_deleted = True


class SalesforceBulkPlace(SalesforcePlace):
    """Leads of Salesforce, written by Bulk jobs."""

    name = "salesforce-bulk"
    latency_s = 0.05

    def connect(self) -> dict[str, Any]:
        """Return how it is reached; few rows make a job."""
        more = {"bulk_from": 10, "bulk_rows": 201, "poll_s": 0.05, "longest_poll_s": 0.1}
        return {**super().connect(), **more}


class WebhookPlace(ServedPlace):
    """An address of the shop's own."""

    name = kind = "webhook"
    latency_s = 0.1
    makes_properties = False
    secret = "webhook-secret-of-the-contract"
    fake: FakeWebhook

    def made(self) -> FakeWebhook:
        """Return a receiver."""
        fake = FakeWebhook(self.secret)
        fake._write = noting(fake._write, self.note_write)  # type: ignore[method-assign]
        return fake

    def connect(self) -> dict[str, Any]:
        """Return how it is reached."""
        return {"url": f"{self.url}/scores", "rows_per_call": 50, "reads": True}

    @property
    def environment(self) -> dict[str, str]:
        """What it shares with the sender."""
        return {"LEADLIGHT_WEBHOOK_SECRET": self.secret}

    def unreachable(self) -> dict[str, Any]:
        """Return an address at which nobody answers."""
        return {**self.connect(), "url": "http://127.0.0.1:9/scores"}

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the records."""
        with self.fake.lock:
            return dict(self.fake.state())

    def forget(self, leads: Iterable[str]) -> None:
        """Turn leads away."""
        self.fake.rejected_keys = frozenset(leads)


PLACES: tuple[type[Place], ...] = (
    HubSpotPlace, HubSpotCreatingPlace, SalesforcePlace, SalesforceBulkPlace, MarketoPlace, MarketoCreatingPlace,
    MarketoBulkPlace, WebhookPlace,
)  # fmt: skip
