"""The part of a config that says how a model is trained, tuned and let through to the scores."""

from datetime import date
from typing import Literal

from pydantic import Field

from pipeline.settings_tables import MOST_DAYS, Section


class GateSettings(Section):
    """What `leadlight retrain` asks of a new model before it may score."""

    margin: float = Field(
        0.002,
        ge=0,
        description="Most log-loss that it may lose to an old champion, by the 95 % bound of the paired difference.",
    )
    champion_max_age_days: float = Field(
        90, ge=0, le=MOST_DAYS, description="Days after its training from which a champion is old."
    )


class TuningSettings(Section):
    """How `leadlight tune` seeks settings of the model, and whether training uses them."""

    trials: int = Field(30, ge=1, description="Trials of a study in all, those of earlier runs included.")
    minutes: float = Field(20.0, gt=0, description="Time of one run; the study goes on in the next.")
    objective: Literal["log_loss", "average_precision", "roc_auc", "brier"] = Field(
        "log_loss", description="What trials are judged by, over forward folds."
    )
    use: bool = Field(default=True, description="Whether training uses the settings that tuning found.")


class ModelSettings(Section):
    """How the model is trained."""

    seed: int = Field(0, description="Seed of everything random.")
    max_trees: int = Field(300, ge=1, description="Trees over all bags: explaining costs by tree.")
    holdout_share: float = Field(0.2, gt=0, lt=1, description="Newest share of snapshots held out, in whole as-ofs.")
    holdout_from: date | None = Field(None, description="Hold out everything asked from this day on, instead.")
    use_sensitive: bool = Field(False, description="True: the model may read attributes marked sensitive.")
    experiment: str = Field("", description="MLflow experiment; by default the shop's name.")
    tracking_uri: str = Field("", description="MLflow server; by default SQLite in the workspace.")
    gate: GateSettings = Field(default_factory=GateSettings)
    tuning: TuningSettings = Field(default_factory=TuningSettings)
