"""The settings of decisions: funnel stages, playbook, segments, who is left alone, how many can be called."""

from typing import Any, Final

from pydantic import Field, field_validator

from features.situation import Naming
from models.holds import CODES
from models.languages import LANGUAGES
from pipeline.settings_lead_table import Outcome
from pipeline.settings_question import Where
from pipeline.settings_tables import Section

SHIPPED: Final = "shipped"
"""In a list of rules: all shipped ones that the list does not name, in their order."""
_NAMING: Final = Naming()
_NO: Final[tuple[Outcome, ...]] = (
    "no", "false", "0", "n", "none", "denied", "declined", "refused", "withdrawn", "revoked", "opt_out", "opt-out",
    "unsubscribed",
)  # fmt: skip


class RuleSettings(Section):
    """One named rule; only the name of a shipped one takes that as it is."""

    name: str = Field(min_length=1, description="Its name; that of a shipped rule changes only what is said here.")
    label: str | dict[str, str] = Field(
        "", description="How people read it: text, or a text per language (en, pt, pl, ro); by default its name."
    )
    where: Where | list[Where] | None = Field(
        None, description="Conditions on the lead, or a list of which one set is enough; {} = everyone."
    )

    @field_validator("label", "wording", mode="after", check_fields=False)
    @classmethod
    def _languages_exist(cls, words: str | dict[str, str]) -> str | dict[str, str]:
        unknown = [code for code in words if code not in LANGUAGES] if isinstance(words, dict) else []
        if unknown:
            raise ValueError(f"there is no language {', '.join(unknown)}; there are {', '.join(LANGUAGES)}")
        return words


class PlaySettings(RuleSettings):
    """One rule of the playbook."""

    action: str = Field(
        "", description="What is done: call, email, recover_cart, discount, chat, webinar, wait, or your own word."
    )
    channel: str = Field("", description="How: phone, email, chat, none, or your own word.")
    wording: str | dict[str, str] = Field("", description="What to do, in a sentence, or a sentence per language.")


class SuppressSettings(Section):
    """Who is left alone. Such leads keep their score and are shown as held."""

    no_consent: list[Outcome] = Field(
        default_factory=lambda: list(_NO), description="What the leads' `consent` says that means no."
    )
    needs_consent: bool = Field(False, description="True: a lead whose consent is not known is left alone too.")
    unsubscribe: list[str] = Field(
        default_factory=lambda: list(_NAMING.unsubscribes), description="Types of events by which leads unsubscribe."
    )
    subscribe: list[str] = Field(
        default_factory=lambda: list(_NAMING.subscribes), description="Types of events by which they subscribe again."
    )
    deal_opens: list[str] = Field(
        default_factory=lambda: list(_NAMING.deal_opens), description="Outcomes that open a deal."
    )
    deal_closes: list[str] = Field(
        default_factory=lambda: list(_NAMING.deal_closes), description="Outcomes that close it."
    )
    ignore: list[str] = Field(
        default_factory=list,
        description="Reasons to hold a lead that do not count here: no_consent, unsubscribed, open_deal, override, "
        "held_in_crm.",
    )

    @field_validator("ignore")
    @classmethod
    def _codes_exist(cls, codes: list[str]) -> list[str]:
        if unknown := [code for code in codes if code not in CODES]:
            raise ValueError(f"there is no hold {', '.join(unknown)}; there are {', '.join(CODES)}")
        return codes


class DecisionSettings(Section):
    """What is done about a score."""

    stages: list[RuleSettings] = Field(
        default_factory=lambda: [RuleSettings(name=SHIPPED)],
        description="Funnel stages from the end of the funnel to its beginning, the first that holds; `shipped` stands "
        "for those of configs/playbooks/shop.yaml that the list does not name.",
    )
    playbook: list[PlaySettings] = Field(
        default_factory=lambda: [PlaySettings(name=SHIPPED)],
        description="What to do, the first rule that holds; `shipped` as for stages.",
    )
    segments: list[RuleSettings] = Field(
        default_factory=lambda: [RuleSettings(name=SHIPPED)],
        description="Named groups of leads, of which one may be in several; `shipped` as for stages.",
    )
    capacity_per_week: int | None = Field(
        None, ge=1, description="How many leads can be called in a week: what that brings is told with the scores."
    )
    suppress: SuppressSettings = Field(default_factory=SuppressSettings)

    @field_validator("stages", "playbook", "segments", mode="before")
    @classmethod
    def _by_name(cls, rules: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
        """Let a rule that is taken as it is be written as its name alone."""
        if not isinstance(rules, list):
            return rules
        return [{"name": rule} if isinstance(rule, str) else rule for rule in rules]
