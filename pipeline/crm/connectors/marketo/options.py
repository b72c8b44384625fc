"""The section ``connect`` of a Marketo target."""

from __future__ import annotations

from pydantic import Field

from pipeline.settings_tables import Section


class MarketoOptions(Section):
    """How Marketo is reached, and how much of what all its integrations share Leadlight takes."""

    base_url: str = Field(
        description="The instance's REST address without /rest, such as https://123-ABC-456.mktorest.com."
    )
    identity_url: str = Field("", description="Where tokens are given out; by default base_url with /identity.")
    client_id_env: str = Field(
        "LEADLIGHT_MARKETO_CLIENT_ID", description="Environment variable with the client id of the LaunchPoint service."
    )
    client_secret_env: str = Field(
        "LEADLIGHT_MARKETO_CLIENT_SECRET", description="Environment variable with its client secret."
    )
    partition: str = Field("", description="Lead partition in which leads are created; by default Marketo's own.")
    bulk_from: int = Field(
        3_000, ge=1, description="From so many leads to be written on, files are imported where leads may be created."
    )
    file_rows: int = Field(10_000, ge=301, le=100_000, description="Leads of one file that is imported.")
    poll_s: float = Field(5, gt=0, le=300, description="Seconds after which an import is first asked about.")
    import_most_s: float = Field(
        7_200, gt=0, description="Seconds for which one import is waited for; the next run goes on waiting."
    )
    settle_s: float = Field(
        300,
        ge=0,
        description="Seconds that an earlier run's import is given to end where its name was lost, or where Marketo "
        "does not find it: two at once would create leads twice.",
    )
    at_once: int = Field(5, ge=1, le=5, description="Calls at the same time; Marketo lets all integrations make 10.")
    calls_per_20_s: int = Field(
        50,
        ge=1,
        description="Calls in 20 seconds, over all processes of this workspace; all integrations share Marketo's limit "
        "of 100.",
    )
    daily_calls: int = Field(
        0,
        ge=0,
        description="Calls of all integrations on one day, by Marketo's count, from which writing stops; 0 = any.",
    )
    timeout_s: float = Field(60, gt=0, description="Seconds without a byte after which a call is cut short.")
    allow_http: list[str] = Field(
        default_factory=list, description="Hosts that may be called without TLS, beside this machine itself."
    )
