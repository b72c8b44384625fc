"""What `leadlight score` tells and exports, whether a model scored or a points card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalog import Feature
from features.local_time import local_iso
from models.capacity import Capacity, capacity
from models.each_lead import first_of_each_lead
from models.holds import is_held
from models.model import LeadModel
from models.reason_codes import strange_values
from models.reasons import reason_texts
from pipeline.decision_words import told_columns
from pipeline.labels import Labels
from pipeline.languages import Language, language
from pipeline.score_store import StoredRun
from pipeline.settings import Settings
from pipeline.stored_run import Unpublished

BEST_SHOWN = 10
"""How many of the best leads a report carries."""
_EXPORTED = ("rank", "lead_id", "score", "probability", "probability_low", "probability_high", "grade", "temperature")
_EXPORTED_AFTER = (
    "reason_code", "cell", "fit", "engagement", "as_of", "trigger_id", "data_until", "scored_at", "model_version",
)  # fmt: skip
_BEST_COLUMNS = (
    "rank", "lead_id", "score", "probability", "probability_low", "probability_high", "grade", "temperature",
    "as_of", "trigger_id", "stage", "play", "action", "channel", "segments", "held",
)  # fmt: skip


@dataclass(frozen=True)
class RunWords:
    """How a run is said.

    Attributes:
        features: How its points are said: a model's features, or the rules of a points card.
        labels: What it kept of its rules (`models.decisions.as_data`).
    """

    features: Sequence[Feature]
    labels: Mapping[str, Any]


@dataclass(frozen=True)
class ScoreReport:
    """What `score` stored.

    Attributes:
        as_of: The moment of scoring (ISO, on the shop's clock).
        model_version: The model that scored.
        leads: Rows scored.
        unscored: Rows with a reason code instead of a score.
        codes: Rows per reason code, beside a score or instead of it.
        stale_tables: Tables that end longer before the moment of scoring than the config allows.
        is_new: False where this run had been stored before; stored scores never change.
        unpublished: Why readers are not shown this run: they see another version's scores, because it became champion
            while this one scored, or scores beside a points card; or they see a later moment. None = they are shown it.
        grades: Leads per grade.
        expected_conversions: Sum of the probabilities; None where a points card says none.
        stages: Leads per stage of the funnel.
        actions: Leads per action that the playbook says, held ones left out.
        segments: Leads per segment.
        held: Leads that must be left alone, per code; one lead may have several.
        held_leads: Leads that have any of them; they are scored and shown like all.
        capacity: What the leads may bring that can be called in a week; None where the config names no number.
        best: The best leads: id, score, probability with interval, grade, what to do, reasons.
        parquet: The exported table.
        csv: The same as CSV.
    """

    as_of: str
    model_version: str
    leads: int
    unscored: int
    codes: Mapping[str, int]
    stale_tables: tuple[str, ...]
    is_new: bool
    unpublished: Unpublished | None
    grades: Mapping[str, int]
    expected_conversions: float | None
    stages: Mapping[str, int]
    actions: Mapping[str, int]
    segments: Mapping[str, int]
    held: Mapping[str, int]
    held_leads: int
    capacity: Capacity | None
    best: list[dict[str, Any]]
    parquet: Path
    csv: Path


def report_of(
    scores: pa.Table,
    words: RunWords,
    settings: Settings,
    *,
    run: StoredRun,
    is_new: bool,
    unpublished: Unpublished | None,
    exported: tuple[Path, Path],
    stale_tables: tuple[str, ...] = (),
) -> ScoreReport:
    """Return what people are told of a stored run.

    Args:
        scores: Its rows, as `models.scoring.score_schema` has them.
        words: How the run is said.
        settings: The shop's config.
        run: Where it is stored.
        is_new: Whether it was stored just now.
        unpublished: Why readers are not shown it; None = they are.
        exported: The Parquet file and the CSV file for people.
        stale_tables: Tables that ended too long before the moment of scoring.
    """
    ranked = scores.filter(pc.is_valid(scores["score"])).sort_by("rank")
    best = ranked.take(pa.array(first_of_each_lead(ranked["lead_id"])[:BEST_SHOWN]))
    held_rows, per_week = is_held(scores["held"]), settings.decisions.capacity_per_week
    expected = pc.sum(scores["probability"]).as_py()
    return ScoreReport(
        as_of=local_iso(run.as_of, settings.shop.time_zone),
        model_version=run.model_version,
        leads=len(ranked),
        unscored=len(scores) - len(ranked),
        codes=_counted(pc.list_flatten(pc.split_pattern(scores["reason_code"], ","))),
        stale_tables=stale_tables,
        is_new=is_new,
        unpublished=unpublished,
        grades=_counted(scores["grade"]),
        # Leads without a probability are a points card's; without any lead the sum is nothing.
        expected_conversions=expected if len(ranked) else 0.0,
        stages=_in_order(_counted(scores["stage"]), words.labels.get("stages", {})),
        actions=_counted(scores["action"].filter(pa.array(~held_rows))),
        segments=_counted(pc.list_flatten(scores["segments"])),
        held=_counted(pc.list_flatten(scores["held"])),
        held_leads=int(np.count_nonzero(held_rows)),
        capacity=None if per_week is None else capacity(scores, per_week=per_week),
        best=_told(best, words, settings),
        parquet=exported[0],
        csv=exported[1],
    )


def readable(
    scores: pa.Table,
    words: RunWords,
    settings: Settings,
    *,
    learned_by: LeadModel | None = None,
) -> pa.Table:
    """Return scores as people open them: points as points, reasons as sentences.

    Args:
        scores: Stored scores (`models.scoring.score_schema`).
        words: How the run is said.
        settings: The shop's config: its currency and language.
        learned_by: The model that scored: it can say which values are unlike its training; a points card, None,
            has learned nothing that a lead could be unlike.
    """
    columns = {name: scores[name] for name in _EXPORTED}
    columns |= told_columns(scores, Labels(language(settings.shop.language), words.labels))
    columns |= {name: scores[name] for name in _EXPORTED_AFTER}
    columns |= {axis: pc.divide(scores[axis].cast(pa.float64()), 100.0) for axis in ("fit", "engagement")}
    by_name = {feature.name: feature for feature in words.features}
    currency, said_in = settings.shop.currency, language(settings.shop.language)
    sentences = reason_texts(scores["reasons"].combine_chunks(), by_name, currency=currency, language=said_in)
    columns["reasons"] = pc.binary_join(sentences, "; ")
    if learned_by is not None:
        columns["unlike"] = _unlike(scores, learned_by, currency=currency, said_in=said_in)
    return pa.table(columns).sort_by("rank")


def _unlike(scores: pa.Table, model: LeadModel, *, currency: str, said_in: Language) -> pa.Array:
    """Return the values that stray of each score, in words; scores of older versions do not say."""
    said = np.full(len(scores), "", dtype=object)
    if "unlike" in scores.column_names:
        # Few leads stray: only these are worded one by one.
        places = np.flatnonzero(pc.fill_null(pc.list_value_length(scores["unlike"]), 0).to_numpy())
        strays = scores["unlike"].take(pa.array(places)).to_pylist()
        said[places] = ["; ".join(strange_values(one, model, currency=currency, language=said_in)) for one in strays]
    return pa.array(said, pa.string())


def _counted(values: pa.ChunkedArray) -> dict[str, int]:
    """Return how often each value occurs, in order of values; missing ones do not count."""
    counted = values.drop_null().value_counts().to_pylist()
    return {str(one["values"]): one["counts"] for one in sorted(counted, key=lambda one: str(one["values"]))}


def _in_order(counts: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    """Return *counts* in the order of *names*, those that nobody has as 0, then what has no name there."""
    return {name: counts.get(name, 0) for name in names} | dict(counts)


def _told(rows: pa.Table, words: RunWords, settings: Settings) -> list[dict[str, Any]]:
    """Return a few stored scores as plain data, what to do and the reasons in words."""
    by_name = {feature.name: feature for feature in words.features}
    currency, said_in = settings.shop.currency, language(settings.shop.language)
    texts = reason_texts(rows["reasons"].combine_chunks(), by_name, currency=currency, language=said_in).to_pylist()
    points = [[reason["points"] for reason in row] for row in rows["reasons"].to_pylist()]
    to_do = told_columns(rows, Labels(said_in, words.labels))
    said = pa.table({"stage_label": to_do["stage"], **{name: to_do[name] for name in ("next_action", "wording")}})
    return [
        {**row, **what, "reasons": _for_before_against(why, worth)}
        for row, what, why, worth in zip(
            rows.select(_BEST_COLUMNS).to_pylist(), said.to_pylist(), texts, points, strict=True
        )
    ]


def _for_before_against(texts: list[str], hundredths: list[int]) -> list[dict[str, Any]]:
    """Return reasons as people read them: what speaks for the lead, strongest first, then what speaks against."""
    reasons = [{"text": text, "points": worth / 100} for text, worth in zip(texts, hundredths, strict=True)]
    return sorted(reasons, key=lambda reason: (reason["points"] < 0, -abs(reason["points"])))
