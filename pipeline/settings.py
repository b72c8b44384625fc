"""The config: one YAML file per shop, checked whole before any work begins.

Unknown keys are refused with the nearest valid one; secrets never stand here, they come from the
environment. Every setting carries its description, which docs/settings.md repeats.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, PrivateAttr, ValidationError, field_validator

from pipeline.playbooks import faults as decision_faults
from pipeline.settings_app import AppSettings
from pipeline.settings_crm import PublishSettings, TargetSettings, target_name_faults
from pipeline.settings_decisions import DecisionSettings
from pipeline.settings_faults import (
    config_not_found,
    config_not_yaml,
    config_refused,
    data_not_found,
    fault_lines,
)
from pipeline.settings_features import FeatureSettings
from pipeline.settings_heard import heard_faults
from pipeline.settings_lead_table import LeadTableSettings
from pipeline.settings_model import ModelSettings
from pipeline.settings_question import QuestionSettings
from pipeline.settings_run import RunSettings
from pipeline.settings_score import ScoreSettings
from pipeline.settings_tables import Ingest, Section, Source, existing_zone, table_faults
from pipeline.yaml_keys import KeyTwiceError, OneOfEachLoader


class Shop(Section):
    """The shop itself."""

    name: str = Field(description="How reports call the shop.")
    time_zone: str = Field("UTC", description="IANA zone of naive times, days and the snapshot grid.")
    currency: str = Field("EUR", description="Currency of all amounts, as reports print it.")
    language: Literal["en", "pt", "pt-BR", "pl", "ro"] = Field(
        "en", description="Language of reasons and timelines in exports and commands; `pt` is that of Portugal."
    )
    workspace: Path = Field(
        Path("workspace"), description="Folder for tables, models and scores; relative to the config file."
    )

    @field_validator("currency")
    @classmethod
    def _currency_is_a_word(cls, currency: str) -> str:
        if currency and not currency.isalpha():
            raise ValueError("a currency is its ISO code, such as EUR")
        return currency

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        return existing_zone(zone)


class CertificateSettings(Section):
    """What is looked at before a model may be registered, and what a person has looked at already."""

    leads: int = Field(2000, ge=100, description="Leads whose features, cohort and labels are computed anew.")
    trusted: list[str] = Field(
        default_factory=list,
        description="Features, attributes or signals that look like leaks and are not: told, but they stop no model.",
    )


class ReportSettings(Section):
    """What reports and model cards show beside the whole."""

    segments: list[str] = Field(
        default_factory=list,
        description="Attributes of leads, or features, by which quality is reported; sensitive ones always are.",
    )


class PointsSettings(Section):
    """The shop's own points card."""

    card: Path | None = Field(
        None, description="Its file, such as points.yaml; relative to the config file. Scores while there is no model."
    )


def _as_lists(tables: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    """Let a table with one source be written without a list."""
    if not isinstance(tables, dict):
        return tables
    return {name: spec if isinstance(spec, list) else [spec] for name, spec in tables.items()}


class Settings(Section):
    """The whole config of one shop."""

    shop: Shop
    data: str = Field("", description="Folder of the data, or package:NAME/FOLDER; relative to the config file.")
    tables: dict[str, list[Source]] = Field(default_factory=dict, description="Sources of the canonical tables.")
    lead_table: LeadTableSettings | None = Field(
        None, description="Instead of tables: one row per lead, without any history."
    )
    ingest: Ingest = Field(default_factory=Ingest)
    question: QuestionSettings = Field(default_factory=QuestionSettings)
    features: FeatureSettings = Field(default_factory=FeatureSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    certificate: CertificateSettings = Field(default_factory=CertificateSettings)
    score: ScoreSettings = Field(default_factory=ScoreSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)
    points: PointsSettings = Field(default_factory=PointsSettings)
    decisions: DecisionSettings = Field(default_factory=DecisionSettings)
    app: AppSettings = Field(default_factory=AppSettings)
    crm: dict[str, TargetSettings] = Field(default_factory=dict, description="Where scores are written to, by name.")
    publish: PublishSettings = Field(default_factory=PublishSettings)
    run: RunSettings = Field(default_factory=RunSettings)

    _listed = field_validator("tables", mode="before")(_as_lists)
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """The folder in which the paths of targets start: the config's own."""
        return self._folder

    @property
    def named_attributes(self) -> dict[str, bool]:
        """The attributes of leads that the config names, and whether each is sensitive."""
        if self.lead_table is not None:
            return self.lead_table.named_attributes
        specs = [spec for source in self.tables.get("leads", []) for spec in source.attributes.items()]
        return {name: any(spec.sensitive for other, spec in specs if other == name) for name, _ in specs}

    @property
    def attribute_kinds(self) -> dict[str, str] | None:
        """The attributes of leads that the config names, and what they hold; None where the data will tell."""
        if self.lead_table is None:
            return {
                name: spec.type for source in self.tables.get("leads", []) for name, spec in source.attributes.items()
            }
        specs = self.lead_table.attributes
        return {name: spec.type for name, spec in specs.items()} if isinstance(specs, dict) else None

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked of the leads, as plain data: models that answer different questions are not compared."""
        if self.lead_table is not None:
            return {"name": self.question.name, **self.lead_table.asked}
        return self.question.model_dump(mode="json")

    @property
    def data_folder(self) -> Path:
        """The folder in which relative paths and {data} are looked up."""
        return Path(self.data)


def load(path: Path, *, data: str | None = None, beside: Path | None = None) -> Settings:
    """Return the settings of the config at *path*.

    Args:
        path: The YAML file.
        data: Where the data lie, in place of the config's ``data``.
        beside: Where relative paths of the config start; by default at the config's own folder, so
            that a job may run from anywhere.

    Raises:
        LeadlightError: The file is not there, is no YAML, or has faults: all are listed.
    """
    return parse(read_yaml(path), place=path, data=data, beside=beside)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that the YAML file at *path* holds."""
    if not path.is_file():
        raise config_not_found(path)
    try:
        raw = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=OneOfEachLoader)  # noqa: S506 - a SafeLoader
    except KeyTwiceError as error:
        raise config_refused(path, [str(error)]) from error
    except (yaml.YAMLError, ValueError) as error:  # a day that does not exist, or text that is no UTF-8
        raise config_not_yaml(path, error) from error
    if not isinstance(raw, dict):
        raise config_not_yaml(path, "it holds no settings")
    return raw


def parse(raw: dict[str, Any], *, place: Path, data: str | None = None, beside: Path | None = None) -> Settings:
    """Return the settings that *raw* spells; see `load`.

    Args:
        raw: What the YAML file holds.
        place: The file, for messages.
        data: In place of the config's ``data``.
        beside: Where relative paths start; by default at the folder of *place*.
    """
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise config_refused(place, [*fault_lines(error, Settings, raw=raw), *_readable_table_faults(raw)]) from error
    if faults := [
        *_kind_faults(settings, raw),
        *decision_faults(settings.decisions, settings.attribute_kinds),
        *target_name_faults(list(settings.crm)),
        *heard_faults(settings.tables, settings.crm),
    ]:
        raise config_refused(place, faults)
    base = place.parent if beside is None else beside
    shop = settings.shop.model_copy(update={"workspace": base / settings.shop.workspace})
    found = _data_folder(data, Path()) if data else _data_folder(settings.data, base)
    card = settings.points.card
    points = settings.points.model_copy(update={"card": None if card is None else base / card})
    whole = settings.model_copy(update={"shop": shop, "data": str(found), "points": points})
    whole._folder = base  # noqa: SLF001 - not a setting that a file may hold
    return whole


def as_yaml(settings: Settings) -> str:
    """Return what the config says, as YAML, fit to be kept with a model and shown to others.

    What is as by default is left out, and so is where files lie and how CRMs are reached: somebody may have written a
    token there, which only `leadlight publish` would refuse.
    """
    said = settings.model_dump(
        mode="json",
        by_alias=True,
        exclude_unset=True,
        exclude={"data": True, "shop": {"workspace"}, "points": {"card"}, "crm": {"__all__": {"connect"}}},
    )
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def _kind_faults(settings: Settings, raw: dict[str, Any]) -> list[str]:
    """Return what is wrong with the tables, or what a lead table has no use for."""
    if settings.lead_table is None:
        return table_faults(settings.tables)
    asked = raw.get("question") or {}
    idle = [f"question.{name}" for name in asked if name != "name"]
    idle += [name for name in ("tables", "features") if raw.get(name)]
    lines = [f"{name}: a lead table has no history, so this has no meaning beside lead_table" for name in idle]
    if settings.model.holdout_from is not None and settings.lead_table.date is None:
        lines.append("model.holdout_from: needs lead_table.date")
    return lines


class _TablesAlone(BaseModel):
    tables: dict[str, list[Source]]

    _listed = field_validator("tables", mode="before")(_as_lists)


def _readable_table_faults(raw: dict[str, Any]) -> list[str]:
    """Return the faults among the tables where other sections have faults too: all are told at once."""
    if "lead_table" in raw:
        return []
    try:
        return table_faults(_TablesAlone.model_validate(raw).tables)
    except ValidationError:
        return []  # what is wrong there has been said


def _data_folder(data: str, beside: Path) -> Path:
    if not data.startswith("package:"):
        return beside / data
    name, _, folder = data.removeprefix("package:").partition("/")
    try:
        return Path(str(files(name) / folder))
    except ModuleNotFoundError as error:
        raise data_not_found(data, name) from error
