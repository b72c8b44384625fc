"""`leadlight retrain`: a new model, and the gate between it and the scores.

Against a champion the gate decides alone. A points card was chosen by a person: where it scores, for want of a
champion, a model that passes is proposed, and a person lets it score with `leadlight promote`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from features.catalog import Feature
from features.matrix import FeatureTable
from features.plan import columns_read
from models import bundle, gate, registry
from models.baselines import CARD
from models.contest import paired_log_loss
from models.gate import Gate, GateCheck, GateRules
from models.registry import ModelVersion
from models.registry.training import flat
from models.reliability import reliability
from models.rematch import Reign, rematch, remembered
from pipeline.champion import has_champion, place_of
from pipeline.lead_data import lead_data
from pipeline.points_file import read_card
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.fitting import Fitted, fit, register, table_to_learn_from
from pipeline.stages.train_report import TrainReport, report_of

_FOR_CHAMPION = "champion/"
"""Before the names of features that the champion reads and the config no longer wants."""
_LEARNED = "The card has odds of its own: if it was learned from these very rows, the comparison flatters it."


@dataclass(frozen=True)
class RetrainReport:
    """What `retrain` did.

    Attributes:
        trained: The new model.
        champion: Label of the champion it was set against; empty where there was none.
        champion_was_refitted: Whether that champion had seen the window and was fitted anew up to it.
        checks: What the gate asked, and how it came out.
        is_promoted: Whether the new model scores from now on.
        is_proposed: Whether it passed, and waits for a person to let it score in place of the points card.
        card: Name of the points card that keeps scoring; empty where a model scores, or nothing.
        gain_over_card: By how much the card's log-loss is higher than the model's, in nats a snapshot, with the paired
            95 % bounds over leads; None where no card scores.
    """

    trained: TrainReport
    champion: str
    champion_was_refitted: bool
    checks: tuple[GateCheck, ...]
    is_promoted: bool
    is_proposed: bool
    card: str
    gain_over_card: tuple[float, float, float] | None


@dataclass(frozen=True)
class _Champion:
    """The champion of the moment.

    Attributes:
        version: Its registration.
        reign: Its model and recipe.
        question: The question it answers, as its training noted it.
    """

    version: ModelVersion
    reign: Reign
    question: Mapping[str, Any]


def retrain(settings: Settings, *, now: datetime, progress: Progress = silent) -> RetrainReport:
    """Train a challenger, and make it champion if it passes the gate; where a points card scores, propose it.

    Args:
        settings: The shop's config; its tables must have been ingested.
        now: When this happens (aware); tells the champion's age.
        progress: Told of every step.

    Raises:
        LeadlightError: Nothing ingested, nothing ripe, too few conversions, or the champion's files are gone.
    """
    champion = _champion(settings)
    also, faults = _for_champion(settings, champion)
    fitted = fit(settings, table_to_learn_from(settings, also=also, progress=progress), progress=progress)
    progress("asking the gate", 0, 0)
    checks, was_refitted = _against(settings, champion, fitted, faults=faults, now=now)
    decided = Gate((*checks, *_on_its_own(settings, fitted)))
    logged = register(settings, fitted, alias=registry.CHALLENGER, progress=progress)
    scoring_card = settings.points.card if champion is None else None
    is_promoted = decided.passes and scoring_card is None
    if is_promoted:
        registry.promote(place_of(settings), logged.label, why=f"gate: {decided.why}", at=now)
        logged = registry.version(place_of(settings), logged.label)
    return RetrainReport(
        trained=report_of(settings, fitted, logged),
        champion=champion.version.label if champion else "",
        champion_was_refitted=was_refitted,
        checks=decided.checks,
        is_promoted=is_promoted,
        is_proposed=decided.passes and not is_promoted,
        card=scoring_card.name if scoring_card else "",
        gain_over_card=_gain_over_card(fitted) if scoring_card else None,
    )


def _champion(settings: Settings) -> _Champion | None:
    if not has_champion(settings):
        return None
    version = registry.champion(place_of(settings))
    notes = json.loads(bundle.verified_files(version.bundle)["training.json"])
    reign = remembered(bundle.load(version.bundle), notes)
    return _Champion(version, reign, notes["parameters"])


def _for_champion(settings: Settings, champion: _Champion | None) -> tuple[tuple[Feature, ...], list[str]]:
    """Return the features that only the champion reads, and what of them the tables no longer hold."""
    if champion is None:
        return (), []
    features = champion.reign.model.features
    available = lead_data(settings).available
    lacking = [
        f"{table}.{column}"
        for table, columns in columns_read(features).items()
        for column in sorted(columns - available.get(table, set()))
    ]
    return () if lacking else tuple(replace(one, name=_FOR_CHAMPION + one.name) for one in features), lacking


def _against(
    settings: Settings, champion: _Champion | None, fitted: Fitted, *, faults: Sequence[str], now: datetime
) -> tuple[tuple[GateCheck, ...], bool]:
    """Return what the gate says of challenger and who scores so far, and whether a champion was fitted anew."""
    if champion is None:
        return _against_card(settings, fitted), False
    refused = _incomparable(settings, champion, faults)
    if refused:
        return (GateCheck("champion", passed=False, text=refused),), False
    hold_out = fitted.trained.hold_out
    theirs = rematch(champion.reign, _as_champion_sees(fitted.table, champion.reign), hold_out)
    ahead = paired_log_loss(
        hold_out.log_odds, theirs.log_odds, hold_out.converted, hold_out.lead, seed=settings.model.seed
    )
    wanted = settings.model.gate
    check = gate.against_champion(
        ahead,
        champion=champion.version.label,
        age_days=(now - champion.version.trained_at) / timedelta(days=1),
        rules=GateRules(margin=wanted.margin, champion_days=wanted.champion_max_age_days),
    )
    return (check,), theirs.was_refitted


def _against_card(settings: Settings, fitted: Fitted) -> tuple[GateCheck, ...]:
    """Return what the gate says of challenger and points card; nothing where no card is named."""
    path = settings.points.card
    if path is None:
        return ()
    note = _LEARNED if read_card(path).odds is not None else ""
    return (gate.against_card(fitted.judged, card=path.name, note=note),)


def _gain_over_card(fitted: Fitted) -> tuple[float, float, float]:
    ahead = fitted.judged.ahead[CARD]
    return ahead.value, ahead.low, ahead.high


def _incomparable(settings: Settings, champion: _Champion, faults: Sequence[str]) -> str:
    """Return why the champion cannot be asked, or nothing."""
    label = champion.version.label
    by_hand = "compare them yourself, then `leadlight promote`"
    if faults:
        return f"Champion {label} reads {', '.join(faults)}, which the tables no longer hold: {by_hand}."
    asked = flat({"question": settings.asked})
    others = sorted(
        name.removeprefix("question.")
        for name in {*asked, *champion.question}
        if name.startswith("question.") and name != "question.name" and asked.get(name) != champion.question.get(name)
    )
    if others:
        return f"Champion {label} answers another question ({', '.join(others)} differ): {by_hand}."
    return ""


def _as_champion_sees(table: FeatureTable, reign: Reign) -> FeatureTable:
    """Return *table* with the champion's features in place of the challenger's."""
    features = reign.model.features
    beside = table.beside if table.beside is not None else pa.table({})
    columns = pa.table({one.name: beside[_FOR_CHAMPION + one.name] for one in features})
    return replace(table, columns=columns, features=features, beside=None)


def _on_its_own(settings: Settings, fitted: Fitted) -> tuple[GateCheck, GateCheck]:
    hold_out = fitted.trained.hold_out
    found = reliability(hold_out.log_odds, hold_out.converted, seed=settings.model.seed)
    return gate.of_calibration(found), gate.of_baselines(fitted.judged)
