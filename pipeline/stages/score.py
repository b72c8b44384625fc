"""`leadlight score`: every lead of the cohort scored, stored once, and exported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import moments
from features.catalog import Feature
from features.errors import wrong_input
from features.local_time import instant, local_iso
from models import scoring
from models.grades import GradeShares
from models.model import LeadModel
from models.reason_codes import strange_values
from models.reasons import ReasonLimits, reason_texts
from pipeline.champion import champion, has_champion, scores_still
from pipeline.lead_data import LeadData, lead_data
from pipeline.progress import Progress, silent
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.settings import Settings
from pipeline.workspace import Workspace

BEST_SHOWN = 10
"""How many of the best leads a report carries."""


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
        is_published: False where another version became champion while this one scored.
        grades: Leads per grade.
        expected_conversions: Sum of the probabilities; None where a points card says none.
        best: The best leads: id, score, probability with interval, grade, reasons.
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
    is_published: bool
    grades: Mapping[str, int]
    expected_conversions: float | None
    best: list[dict[str, Any]]
    parquet: Path
    csv: Path


def score(
    settings: Settings, *, as_of: datetime | None = None, scored_at: datetime, progress: Progress = silent
) -> ScoreReport:
    """Score the cohort with the champion, store the scores and publish them; without one, by the shop's points card.

    Args:
        settings: The shop's config; tables must be ingested, and a model trained or a points card named.
        as_of: The moment of scoring, on the shop's clock where it is naive; by default the smallest
            ``data_until`` of the tables that the features read.
        scored_at: When this run happens (aware).
        progress: Told of every bucket done.

    Raises:
        LeadlightError: No model and no card, nothing ingested, or no lead to score.
    """
    if settings.points.card is not None and not has_champion(settings):
        from pipeline.stages.points_score import score_by_points  # which reports by what stands here

        return score_by_points(settings, as_of=as_of, scored_at=scored_at, progress=progress)
    workspace = Workspace(settings.shop.workspace)
    model, version = champion(settings)
    leads = lead_data(settings)
    ends = leads.data_until(model.features)
    newest = min(ends.values())
    moment = asked_moment(settings, as_of, scored_at=scored_at) if as_of else newest
    store = ScoreStore(workspace)
    run = store.find(moment, version)
    is_new = run is None
    if run is None:
        # What came after the moment of scoring was not read, so a replay when there is more data says the same.
        until = moments.from_us(min(moment, newest))
        shared = scoring.ScoringRun(
            model_version=version,
            data_until=until,
            scored_at=scored_at.astimezone(UTC),
            is_stale=bool(_stale(settings, ends, moment)),
        )
        scores = _scores(settings, leads, model, shared, moment=moment, progress=progress)
        run = store.add(scores, as_of=moment, model_version=version, scored_at=scored_at)
    # Whoever was promoted or rolled back to meanwhile must not be overruled by the champion of an hour ago.
    with workspace.publishing():
        is_published = scores_still(settings, version)
        if is_published:
            store.publish(run)
    scores = store.read(run)
    exported = store.export(run, readable(scores, model, currency=settings.shop.currency))
    return _report(scores, model, settings, run=run, is_new=is_new, is_published=is_published,
                   stale_tables=_stale(settings, ends, moment), exported=exported)  # fmt: skip


class Featured(Protocol):
    """What reads features, or says its points as features."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features."""
        ...


def asked_moment(settings: Settings, as_of: datetime, *, scored_at: datetime) -> int:
    """Return the moment of scoring that a person asked for (us).

    Args:
        settings: The shop's config.
        as_of: What was asked, on the shop's clock where it is naive.
        scored_at: When this run happens (aware).

    Raises:
        LeadlightError: It lies in the future. Scores that are stored stay, and a rollback would publish those again.
    """
    moment = instant(as_of, settings.shop.time_zone)
    if moment > moments.to_us(scored_at) + moments.DAY:  # a day, because clocks of zones and machines differ
        raise wrong_input(
            f"--as-of {as_of:%Y-%m-%d} lies in the future: nothing can be known by then.",
            hint="leave --as-of out to score as of the end of the data, or name a moment up to today.",
        )
    return moment


def _stale(settings: Settings, ends: Mapping[str, int], moment: int) -> tuple[str, ...]:
    """Return the tables whose data end longer before *moment* than the config allows."""
    allowed = settings.score.max_data_age_days * moments.DAY
    return tuple(sorted(name for name, end in ends.items() if allowed and moment - end > allowed))


def readable(scores: pa.Table, model: Featured, *, currency: str) -> pa.Table:
    """Return scores as people open them: points as points, reasons as sentences.

    Args:
        scores: Stored scores (`models.scoring.score_schema`).
        model: Gives the features' words.
        currency: ISO code of amounts.
    """
    columns = {name: scores[name] for name in _EXPORTED}
    columns |= {axis: pc.divide(scores[axis].cast(pa.float64()), 100.0) for axis in ("fit", "engagement")}
    by_name = {feature.name: feature for feature in model.features}
    stored = scores["reasons"].combine_chunks()
    columns["reasons"] = _joined(reason_texts(stored, by_name, currency=currency))
    if isinstance(model, LeadModel):  # a points card has learned nothing that a lead could be unlike
        strange = ["; ".join(strange_values(one, model, currency=currency)) for one in _unlike(scores)]
        columns["unlike"] = pa.array(strange, pa.string())
    return pa.table(columns).sort_by("rank")


_EXPORTED = (
    "rank", "lead_id", "score", "probability", "probability_low", "probability_high", "grade", "temperature",
    "reason_code", "cell", "fit", "engagement", "as_of", "trigger_id", "data_until", "scored_at", "model_version",
)  # fmt: skip


def _unlike(scores: pa.Table) -> list[list[dict[str, Any]]]:
    """Return the values that stray of each score; scores of older versions do not say."""
    if "unlike" not in scores.column_names:
        return [[]] * len(scores)
    return [one or [] for one in scores["unlike"].to_pylist()]


def _joined(lists: pa.ListArray) -> pa.Array:
    return pc.binary_join(lists, "; ")


def _scores(
    settings: Settings,
    leads: LeadData,
    model: LeadModel,
    run: scoring.ScoringRun,
    *,
    moment: int,
    progress: Progress,
) -> pa.Table:
    config = _scoring_config(settings)
    parts = leads.waiting(
        model.features,
        lambda asked: scoring.score(model, asked, config=config, run=run),
        as_of=moment,
        progress=progress,
    )
    scores = scoring.with_ranks(pa.concat_tables(parts))
    if not len(scores):
        raise leads.nobody(moment)
    return scores


def _scoring_config(settings: Settings) -> scoring.ScoringConfig:
    wanted = settings.score
    return scoring.ScoringConfig(
        shares=GradeShares(**wanted.grades.model_dump()),
        reasons=ReasonLimits(most_for=wanted.reasons_for, most_against=wanted.reasons_against),
        threads=1,  # buckets already run side by side
    )


def _report(
    scores: pa.Table,
    model: LeadModel,
    settings: Settings,
    *,
    run: StoredRun,
    is_new: bool,
    is_published: bool,
    stale_tables: tuple[str, ...],
    exported: tuple[Path, Path],
) -> ScoreReport:
    counted = scores["grade"].drop_null().value_counts()
    codes = Counter(code for text in scores["reason_code"].to_pylist() if text for code in text.split(","))
    ranked = scores.filter(pc.is_valid(scores["score"])).sort_by("rank")
    best = best_of_each_lead(ranked).slice(0, BEST_SHOWN)
    return ScoreReport(
        as_of=local_iso(run.as_of, settings.shop.time_zone),
        model_version=run.model_version,
        leads=len(scores) - scores["score"].null_count,
        unscored=scores["score"].null_count,
        codes=dict(sorted(codes.items())),
        stale_tables=stale_tables,
        is_new=is_new,
        is_published=is_published,
        grades={
            str(entry["values"]): entry["counts"].as_py() for entry in sorted(counted, key=lambda e: str(e["values"]))
        },
        expected_conversions=float(pc.sum(scores["probability"]).as_py() or 0.0),
        best=best_leads(best, model, currency=settings.shop.currency),
        parquet=exported[0],
        csv=exported[1],
    )


def best_of_each_lead(ranked: pa.Table) -> pa.Table:
    """Return each lead's first row: one call answers all triggers that are open."""
    _, first = np.unique(ranked["lead_id"].to_numpy(), return_index=True)
    return ranked.take(pa.array(np.sort(first)))


def best_leads(rows: pa.Table, model: Featured, *, currency: str) -> list[dict[str, Any]]:
    """Return a few stored scores as plain data with their reasons in words."""
    by_name = {feature.name: feature for feature in model.features}
    texts = reason_texts(rows["reasons"].combine_chunks(), by_name, currency=currency).to_pylist()
    plain = rows.select(["rank", "lead_id", "score", "probability", "probability_low", "probability_high", "grade",
                         "temperature", "as_of", "trigger_id"]).to_pylist()  # fmt: skip
    points = [[reason["points"] for reason in row] for row in rows["reasons"].to_pylist()]
    return [
        {**row, "reasons": _for_before_against(said, worth)}
        for row, said, worth in zip(plain, texts, points, strict=True)
    ]


def _for_before_against(texts: list[str], hundredths: list[int]) -> list[dict[str, Any]]:
    """Return reasons as people read them: what speaks for the lead, strongest first, then what speaks against."""
    reasons = [{"text": text, "points": worth / 100} for text, worth in zip(texts, hundredths, strict=True)]
    return sorted(reasons, key=lambda reason: (reason["points"] < 0, -abs(reason["points"])))
