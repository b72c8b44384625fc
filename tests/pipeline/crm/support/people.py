"""What people do with a lead in the stand-in of each CRM: a hold, an owner, a stage and an outcome.

people = PEOPLE["hubspot"](place)
people.say("L03", moment("2024-04-05T10:00"), hold="yes", owner="7", stage="OPEN", outcome="customer")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar

from fakes.hubspot_schema import EPOCH, definition
from fakes.salesforce_records import BEGIN, described_field
from support.places_http import HubSpotPlace, MarketoPlace, SalesforcePlace

MADE = datetime(2024, 3, 1, tzinfo=UTC)
"""When everybody's record was made: before anything that people do."""


class People(ABC):
    """People at work in one CRM.

    Attributes:
        names: What its properties are called.
        won: What it calls a lead that was won.
        tells_when: Whether it tells the moment that a change is given here; else its own clock's.
    """

    names: ClassVar[Mapping[str, str]]
    won: ClassVar[str]
    tells_when: ClassVar[bool] = True

    @property
    def read(self) -> dict[str, Any]:
        """The section `read` of a config."""
        return {
            "override": self.names["hold"],
            "owner": self.names["owner"],
            "stage": self.names["stage"],
            "outcomes": [{"property": self.names["outcome"], "values": {self.won: "won"}}],
        }

    def say(self, lead: str, at: datetime, **said: str) -> None:
        """Let somebody change properties of a lead."""
        self.change(lead, at, {self.names[name]: value for name, value in said.items()})

    @abstractmethod
    def change(self, lead: str, at: datetime, values: Mapping[str, str]) -> None:
        """Write values as a person does."""

    @abstractmethod
    def remove_hold(self) -> None:
        """Take the property by which leads are held out of the CRM."""


class HubSpotPeople(People):
    """People in HubSpot."""

    names = MappingProxyType(
        {"hold": "leadlight_override", "owner": "hubspot_owner_id", "stage": "hs_lead_status",
         "outcome": "lifecyclestage"}
    )  # fmt: skip
    won = "customer"

    def __init__(self, place: HubSpotPlace) -> None:
        self._properties = place.fake.properties
        self._properties[self.names["hold"]] = definition(self.names["hold"], "string")
        self._contacts = place.fake.contacts
        self._contacts.now_ms = _milliseconds(MADE)
        for contact in self._contacts.all():
            contact.modified_ms = self._contacts.now_ms

    def change(self, lead: str, at: datetime, values: Mapping[str, str]) -> None:
        """Write at a moment."""
        contact = self._contacts.find(self._contacts.number_of(lead))
        assert contact is not None
        self._contacts.now_ms = _milliseconds(at)
        self._contacts.write(contact, values)

    def remove_hold(self) -> None:
        """Archive it."""
        self._properties[self.names["hold"]]["archived"] = True


class SalesforcePeople(People):
    """People in Salesforce."""

    names = MappingProxyType({"hold": "Stop__c", "owner": "OwnerId", "stage": "Status", "outcome": "Outcome__c"})
    won = "Won"

    def __init__(self, place: SalesforcePlace) -> None:
        self._leads, self._tables = place.fake.leads, tuple(place.fake.tables.values())
        self._leads.seconds = _seconds(MADE)
        for record in self._leads.records:
            record.stamp = self._leads.seconds
        self._leads.fields["Outcome__c"] = described_field("Outcome__c", "string", length=255)
        for table in self._tables:
            table.fields["Stop__c"] = described_field("Stop__c", "string", length=255)

    def change(self, lead: str, at: datetime, values: Mapping[str, str]) -> None:
        """Write at a moment."""
        (record,) = self._leads.with_key(lead)
        self._leads.seconds = _seconds(at)
        self._leads.put(record, values)

    def remove_hold(self) -> None:
        """Delete the field from every object."""
        for table in self._tables:
            del table.fields[self.names["hold"]]


class MarketoPeople(People):
    """People in Marketo, whose log carries the time of day."""

    names = MappingProxyType(
        {"hold": "leadlight_override", "owner": "leadOwner", "stage": "leadStatus", "outcome": "dealStage"}
    )
    won = "closed won"
    tells_when = False

    def __init__(self, place: MarketoPlace) -> None:
        self._leads = place.fake.leads
        self._leads._logs = True
        self._leads.types |= {self.names[name]: "string" for name in ("owner", "stage", "outcome")}

    def change(self, lead: str, at: datetime, values: Mapping[str, str]) -> None:
        """Write now."""
        (number,) = self._leads.found(self._leads.key, lead)
        self._leads.update(number, values)

    def remove_hold(self) -> None:
        """Hide the field."""
        del self._leads.types[self.names["hold"]]


def _milliseconds(at: datetime) -> int:
    return round((at - EPOCH).total_seconds() * 1000)


def _seconds(at: datetime) -> int:
    return round((at - BEGIN).total_seconds())


PEOPLE = {"hubspot": HubSpotPeople, "salesforce": SalesforcePeople, "marketo": MarketoPeople}
