"""The section ``connect`` of a target of the kind ``salesforce``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from pipeline.settings_tables import Section

ObjectName = Literal["Lead", "Contact"]


class SalesforceOptions(Section):
    """How Salesforce is reached."""

    base_url: str = Field(description="The org's My Domain address, such as https://acme.my.salesforce.com.")
    login_url: str = Field("", description="Where tokens are asked for; by default base_url.")
    api_version: str = Field("62.0", pattern=r"^\d{2,3}\.0$", description="The version of the REST API.")
    client_id_env: str = Field(
        "LEADLIGHT_SALESFORCE_CLIENT_ID", description="The environment variable that holds the consumer key."
    )
    client_secret_env: str = Field(
        "LEADLIGHT_SALESFORCE_CLIENT_SECRET", description="The environment variable that holds the consumer secret."
    )
    objects: tuple[ObjectName, ...] = Field(
        ("Lead", "Contact"),
        min_length=1,
        description="Where a lead's record is looked for, in this order; a converted lead is written at its contact.",
    )
    bulk_from: int = Field(2_000, ge=0, description="A run of more rows than this goes by Bulk API 2.0.")
    bulk_rows: int = Field(10_000, ge=201, le=150_000, description="Rows of one Bulk job.")
    at_once: int = Field(3, ge=1, le=25, description="Batches under way at the same time.")
    calls_per_20_s: int = Field(400, ge=1, description="Calls in any 20 seconds, over all processes of this workspace.")
    daily_share: float = Field(
        0.9, gt=0, le=1, description="Nothing new is sent when more of the org's daily calls than this are used."
    )
    poll_s: float = Field(2, ge=0, description="Seconds before a Bulk job is first looked at; pauses grow from there.")
    longest_poll_s: float = Field(30, ge=0, description="The longest of these pauses, in seconds.")
    longest_job_s: float = Field(
        7_200, gt=0, description="A Bulk job is waited for so many seconds, then left for later."
    )
    allow_http: list[str] = Field(default_factory=list, description="Hosts that may be called without TLS.")
    timeout_s: float = Field(120, gt=0, description="Seconds without an answer after which a call is made again.")

    @field_validator("objects")
    @classmethod
    def _each_once(cls, objects: tuple[ObjectName, ...]) -> tuple[ObjectName, ...]:
        if len(set(objects)) < len(objects):
            raise ValueError("names an object twice")
        return objects
