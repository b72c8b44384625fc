"""The settings of the write-back: which CRMs scores go to, which of their properties are written, which are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from models.wording import one_line
from pipeline.database_urls import holds_password
from pipeline.settings_tables import MOST_DAYS, Section

Source = Literal[
    "score", "probability", "probability_low", "probability_high", "grade", "temperature", "cell", "fit",
    "engagement", "rank", "stage", "next_action", "action", "channel", "wording", "segments", "reasons", "reason_1",
    "reason_2", "reason_3", "as_of", "scored_at", "model_version", "lead_id",
]  # fmt: skip
LONGEST_TEXT: Final = 60_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_LONGEST_SHOWN: Final = 80
_LONGEST_PROPERTY: Final = 200
_OF_FORMULAS: Final = ("=", "+", "-", "@")
"""What a formula of a spreadsheet begins with, and no property's name does."""


def _property_name(name: str) -> str:
    """Return *name*, which may be that of a property or of a column; one that is left empty names none."""
    is_named = name.isprintable() and any(letter.isalnum() for letter in name) and not name.startswith(_OF_FORMULAS)
    if name and not (is_named and name == name.strip() and len(name) <= _LONGEST_PROPERTY):
        raise ValueError(
            f"no property is called so: a name has a letter or a digit, at most {_LONGEST_PROPERTY} characters, "
            "no blank at its ends, and begins with none of = + - @"
        )
    return name


PropertyName = Annotated[str, AfterValidator(_property_name)]


def _said(spec: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """Let a field be written as the name of what goes into it."""
    return {"from": spec} if isinstance(spec, str) else spec


class FieldSettings(Section):
    """What goes into one property of the CRM; only the name of what goes into it takes the rest as by default."""

    source: Source = Field(alias="from", description="The part of a score that goes into it.")
    length: int = Field(
        0, ge=0, le=LONGEST_TEXT, description="Characters it has room for; 0 = as many as that part may need."
    )
    language: Literal["", "en", "pt", "pt-BR", "pl", "ro"] = Field(
        "", description="Language of its words; by default shop.language."
    )
    digits: int = Field(4, ge=0, le=12, description="Digits behind the point of a probability.")
    values: dict[str, str] = Field(
        default_factory=dict, description="What the CRM calls each value, such as {A: Hot, B: Warm}; all are named."
    )


class OutcomeSettings(Section):
    """A property whose values tell what became of a lead."""

    property: PropertyName = Field(min_length=1, description="Its name in the CRM.")
    values: dict[str, str] = Field(
        default_factory=dict,
        description="Value in the CRM: outcome in the table, such as {closedwon: won}; without any, as it stands.",
    )


def _property(spec: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    return {"property": spec} if isinstance(spec, str) else spec


class ReadSettings(Section):
    """What is read from the CRM, and never written."""

    override: PropertyName = Field(
        "", description="Property by which people say to leave a lead alone; any value but those of `no` says so."
    )
    no: list[str] = Field(
        default_factory=lambda: ["", "no", "false", "0", "n", "none"],
        description="Values of `override` that mean: not held.",
    )
    owner: PropertyName = Field("", description="Property of who looks after the lead.")
    stage: PropertyName = Field("", description="Property of how far sales has come with the lead.")
    outcomes: list[Annotated[OutcomeSettings, BeforeValidator(_property)]] = Field(
        default_factory=list, description="Properties that tell what became of a lead: won, qualified, disqualified."
    )

    @property
    def properties(self) -> tuple[str, ...]:
        """All properties that are read, each once."""
        named = [self.override, self.owner, self.stage, *(one.property for one in self.outcomes)]
        return tuple(dict.fromkeys(name for name in named if name))


class TargetSettings(Section):
    """One place that scores are written to."""

    kind: str = Field(
        "", description="file, sql, hubspot, salesforce, marketo, webhook, or another package's; by default its name."
    )
    key: PropertyName = Field(
        "leadlight_key", min_length=1, description="Property that holds the lead's id and tells records."
    )
    fields: dict[PropertyName, Annotated[FieldSettings, BeforeValidator(_said)]] = Field(
        min_length=1, description="Property of the CRM: what goes into it. Leadlight writes these and no others."
    )
    create: bool = Field(False, description="True: a lead that has no record yet gets one; else its row is rejected.")
    min_change: int = Field(
        3, ge=1, le=100, description="Points that a score must have moved by to be written again by itself."
    )
    max_age_days: float = Field(
        30, gt=0, le=MOST_DAYS, description="What was written longer ago is written again though it stayed the same."
    )
    ask_above: float = Field(
        0.5, ge=0, le=1, description="Share of the leads that change from which a person is asked, as --yes answers."
    )
    keep_leavers: bool = Field(
        False,
        description="True: a lead that is no longer scored keeps its last score; else its properties are emptied.",
    )
    read: ReadSettings = Field(default_factory=ReadSettings)
    connect: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,  # somebody may have written a token there, which is told when the target is opened
        description="How it is reached: settings of its kind, listed below and explained in docs/crm.md; no secrets.",
    )
    settle_s: float = Field(
        10,
        ge=0,
        le=3_600,
        description="Seconds within which a call of a run that was cut short may still take effect: nothing else is "
        "sent before.",
    )
    give_up_after_s: float = Field(
        900, gt=0, le=86_400, description="Seconds of trouble after which a run stops, to be resumed later."
    )

    @field_validator("fields")
    @classmethod
    def _have_names(cls, fields: dict[str, FieldSettings]) -> dict[str, FieldSettings]:
        if "" in fields:
            raise ValueError("a property has a name")
        return fields

    @model_validator(mode="after")
    def _names_each_property_once(self) -> TargetSettings:
        """Refuse names that are the same, case aside: most CRMs, databases and readers of files take them for one."""
        spelled: dict[str, list[str]] = {}
        for name in self.fields:
            spelled.setdefault(name.casefold(), []).append(name)
        if alike := [names for names in spelled.values() if len(names) > 1]:
            raise ValueError(f"{', '.join(alike[0])}: fields of one name, case aside, are one property")
        if self.key.casefold() in spelled:
            raise ValueError(f"{self.key}: the key tells records apart and is no field beside")
        read = {name.casefold() for name in self.read.properties}
        if both := sorted(name for name in self.fields if name.casefold() in read):
            raise ValueError(f"{', '.join(both)}: Leadlight never writes what it reads")
        return self


class PublishSettings(Section):
    """The ledger of what was written where."""

    ledger: str = Field(
        "",
        description="URL of its database; by default ledger.db in the workspace. LEADLIGHT_LEDGER in the environment "
        "comes first: a URL with a password belongs there.",
    )
    tls: bool = Field(
        True, description="False: a ledger on another machine need not be reached encrypted, nor its server known."
    )
    tls_ca: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    keep_days: float = Field(
        400, ge=1, le=MOST_DAYS, description="The rows of a run are kept so long; what stands in a CRM is kept always."
    )

    @field_validator("ledger")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        if holds_password(url):
            raise ValueError("a password does not belong into a config: give the URL in LEADLIGHT_LEDGER")
        return url


def target_name_faults(names: list[str]) -> list[str]:
    """Return what is wrong with the names of targets: files are called after them."""
    return [
        f"crm.{one_line(name, longest=_LONGEST_SHOWN)}: a target's name is at most 60 letters, digits, hyphens, dots "
        "and underscores, and begins with a letter or a digit"
        for name in names
        if not _NAME.fullmatch(name)
    ]
