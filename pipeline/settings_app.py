"""The part of a config about the web app: what it shows of people, who comes in, how it is reached."""

from ipaddress import ip_network
from typing import Literal

from pydantic import Field, field_validator

from pipeline.database_urls import holds_password
from pipeline.settings_tables import Section

PersonalColumn = Literal["display_name", "company", "owner", "email", "phone"]
LanguageCode = Literal["en", "pt", "pl", "ro"]
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def _all_languages() -> list[LanguageCode]:
    return ["en", "pt", "pl", "ro"]


class AppSettings(Section):
    """The web app (`leadlight serve`)."""

    personal: list[PersonalColumn] = Field(
        default_factory=list,
        description="Personal columns that lists, exports and the app may show: display_name, company, owner, email, "
        "phone. Without any, leads are told by their ids.",
    )
    languages: list[LanguageCode] = Field(
        default_factory=_all_languages,
        min_length=1,
        description="Languages that readers may choose; a browser that asks for none of them gets the first.",
    )
    max_data_age_hours: float = Field(
        48, gt=0, le=10_000, description="Age of the data, or of the scores, from which every page warns."
    )
    hosts: list[str] = Field(
        default_factory=list,
        description="Names under which the app is reached, such as leads.example.com. On loopback its own names are "
        "always allowed, and no other.",
    )
    trusted_header: str = Field(
        "", description="Header in which a proxy names the user it has checked, such as X-Forwarded-User."
    )
    trusted_proxies: list[str] = Field(
        default_factory=list, description="Addresses or networks of that proxy; the header is believed from there only."
    )
    session_hours: float = Field(12, gt=0, le=720, description="How long a login lasts.")
    database: str = Field(
        "",
        description="URL of the database for marks that people make; by default app.db in the workspace. "
        "LEADLIGHT_APP_DATABASE in the environment comes first: a URL with a password belongs there.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, networks: list[str]) -> list[str]:
        for one in networks:
            ip_network(one, strict=False)  # its ValueError says what is wrong
        return networks

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, names: list[str]) -> list[str]:
        for one in names:
            if not (one and set(one.lower()) <= _TOKEN | set("._[]:") and (one[0] == "[" or ":" not in one)):
                raise ValueError("a name is given without https://, port or path, such as leads.example.com")
        return names

    @field_validator("trusted_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if not set(name.lower()) <= _TOKEN:
            raise ValueError("a header's name is letters, digits and hyphens")
        return name

    @field_validator("database")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        if holds_password(url):
            raise ValueError("a password does not belong into a config: give the URL in LEADLIGHT_APP_DATABASE")
        return url
