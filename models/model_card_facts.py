"""What a model card is drawn from: a training, and what the shop's config says around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.grades import GradeShares

if TYPE_CHECKING:
    from features.matrix import FeatureTable
    from models.metrics import Metrics
    from models.plots_curves import Curves
    from models.segments import SegmentReport
    from models.training import TrainedModel


@dataclass(frozen=True)
class Setting:
    """What the training itself does not know, in words.

    Attributes:
        shop: The shop's name.
        question: The question as the shop put it.
        asked: What is predicted, point by point: name and meaning.
        coverage: Each table with its first and last day.
        kept_out: Sensitive attributes that the model does not read.
        verdict: How it did beside the baselines, in one sentence.
        beats_all: Whether that is good news; None = not known.
        zone: The shop's time zone, in which days are shown.
        has_dates: Whether moments mean anything; False for a table of leads without dates.
        shares: Which shares get which grade.
    """

    shop: str = ""
    question: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    coverage: Sequence[tuple[str, str, str]] = ()
    kept_out: Sequence[str] = ()
    verdict: str = ""
    beats_all: bool | None = None
    zone: str = "UTC"
    has_dates: bool = True
    shares: GradeShares = field(default_factory=GradeShares)


@dataclass(frozen=True)
class CardFacts:
    """Everything that a card says.

    Attributes:
        trained: The models and how they were judged.
        table: The training table.
        others: Metrics of the baselines on the same hold-out, by name.
        curves: The curves of the hold-out.
        importance: Rows of `models.plots_shap.ShapSummary`, the most important feature first.
        setting: What the config says.
        segments: Quality by segment, where asked for.
        certificate: The leak certificate as plain data, where there is one: ``passed`` and ``checks`` with
            ``name``, ``asks``, ``threshold`` and ``outcome`` each.
        fingerprint: Of the training data.
        run_id: MLflow's id of the run; a version's label ends with its first eight characters.
        trained_at: When (aware); None = not said.
        software: Names and versions of what it was made with.
    """

    trained: TrainedModel
    table: FeatureTable
    others: Mapping[str, Metrics]
    curves: Curves
    importance: Sequence[Mapping[str, Any]]
    setting: Setting = field(default_factory=Setting)
    segments: SegmentReport | None = None
    certificate: Mapping[str, Any] | None = None
    fingerprint: str = ""
    run_id: str = ""
    trained_at: datetime | None = None
    software: Mapping[str, str] = field(default_factory=dict)
