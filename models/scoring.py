"""Scores as they are stored: one immutable row per lead and moment, enough to replay and explain it.

Rows are scored block by block, so memory grows with the result alone. A row depends on its lead alone, but
for its rank: grade, points and reasons are the same whoever else is scored. Points are hundredths of a point
throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.catalog import FAMILIES
from features.errors import wrong_input
from features.moment_type import MOMENT
from models import grades
from models.decision_columns import DECISION_COLUMNS
from models.explain import Explainer, explainer
from models.model import ROWS_PER_BLOCK, rows_of
from models.points import points, total_hundredths
from models.reason_codes import UNLIKE_TYPE, Doubts, doubts
from models.reasons import REASON_TYPE, ReasonLimits, stored_reasons
from models.row_hash import row_hashes

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.model import LeadModel


@dataclass(frozen=True)
class ScoringConfig:
    """What a shop may choose about scores.

    Attributes:
        shares: Which shares of the newest training leads get which grade.
        reasons: How many reasons a lead gets.
        threads: Threads that explain; None = one per core. They change no bit.
    """

    shares: grades.GradeShares = field(default_factory=grades.GradeShares)
    reasons: ReasonLimits = field(default_factory=ReasonLimits)
    threads: int | None = None


@dataclass(frozen=True)
class ScoringRun:
    """What all rows of one run share.

    Attributes:
        model_version: Name of the model's version.
        data_until: Until when the data reached (UTC).
        scored_at: When the run began (UTC); given, because this package knows no clock.
        is_stale: Whether a table that the features read ends too long before the moment of scoring.
    """

    model_version: str = ""
    data_until: datetime | None = None
    scored_at: datetime | None = None
    is_stale: bool = False


@dataclass(frozen=True)
class _Scorer:
    model: LeadModel
    cuts: grades.Cuts
    config: ScoringConfig
    run: ScoringRun
    explainer: Explainer | None


def score_schema(features: tuple[Feature, ...]) -> pa.Schema:
    """Return the columns of a stored score.

    Args:
        features: The model's features, in its order: the fields of ``points``.
    """
    families = dict.fromkeys([*FAMILIES, *(feature.family for feature in features)])
    return pa.schema(
        {
            "lead_id": pa.string(),
            "as_of": MOMENT,
            "trigger_id": pa.string(),
            "rank": pa.int64(),
            "score": pa.int64(),
            "probability": pa.float64(),
            "probability_low": pa.float64(),
            "probability_high": pa.float64(),
            "log_odds": pa.float64(),
            "grade": pa.string(),
            "temperature": pa.string(),
            "cell": pa.string(),
            **DECISION_COLUMNS,
            "points_total": pa.int64(),
            "fit": pa.int64(),
            "engagement": pa.int64(),
            "points_family": pa.struct(dict.fromkeys(families, pa.int32())),
            "points": pa.struct({feature.name: pa.int32() for feature in features}),
            "reasons": pa.list_(REASON_TYPE),
            "reason_code": pa.string(),
            "unlike": pa.list_(UNLIKE_TYPE),
            "data_until": MOMENT,
            "scored_at": MOMENT,
            "model_version": pa.string(),
            "features_hash": pa.string(),
        }
    )


def score(
    model: LeadModel,
    table: FeatureTable,
    *,
    explain: bool = True,
    config: ScoringConfig | None = None,
    run: ScoringRun | None = None,
    unscored: pa.Table | None = None,
) -> pa.Table:
    """Return the stored score of every lead in *table*, ranked within this run.

    Args:
        model: The model.
        table: One row per lead and moment; labels are not read.
        explain: Whether to compute points and reasons; without them their columns are null.
        config: The shop's choices; None = the defaults.
        run: What all rows share.
        unscored: Leads without a score: ``lead_id``, ``as_of``, ``trigger_id`` and ``reason_code``.

    Returns:
        `score_schema`, in the table's order, then the unscored (block by block, those with a code instead of a score
        come after the others). ``points_total`` is ``round(100 · (unclipped
        score - 50))``; ``points``, ``points_family`` and ``fit`` + ``engagement`` sum exactly to it.

    Raises:
        LeadlightError: The table lacks features that the model reads, or has them of another kind.
    """
    parts = list(score_blocks(model, table, explain=explain, config=config, run=run))
    if unscored is not None:
        parts.append(_without_score(unscored, model, run or ScoringRun()))
    return with_ranks(pa.concat_tables([score_schema(model.features).empty_table(), *parts]))


def score_blocks(
    model: LeadModel,
    table: FeatureTable,
    *,
    explain: bool = True,
    config: ScoringConfig | None = None,
    run: ScoringRun | None = None,
) -> Iterator[pa.Table]:
    """Yield stored scores in blocks of at most 65,536 rows, with null ranks; arguments as for `score`."""
    check_features(model, table)
    config = config or ScoringConfig()
    scorer = _Scorer(
        model=model,
        cuts=grades.cuts(model.newest_probabilities, config.shares),
        config=config,
        run=run or ScoringRun(),
        explainer=explainer(model, threads=config.threads) if explain else None,
    )
    for start in range(0, len(table), ROWS_PER_BLOCK):
        yield from _doubted_block(scorer, rows_of(table, start, ROWS_PER_BLOCK))


def with_ranks(scores: pa.Table, *, by: str = "log_odds") -> pa.Table:
    """Return *scores* with ``rank`` filled: 1 = the highest log-odds; lead id, then moment, settle ties.

    Args:
        scores: Stored scores.
        by: What to rank by instead; who has none gets no rank.
    """
    order = [
        (by, "descending"),
        ("lead_id", "ascending"),
        ("as_of", "ascending"),
        ("trigger_id", "ascending"),
    ]
    places = pc.sort_indices(scores, sort_keys=order).to_numpy()
    ranks = np.empty(len(places), dtype=np.int64)
    ranks[places] = np.arange(1, len(places) + 1)
    is_unscored = np.asarray(pc.is_null(scores[by]), dtype=np.bool_)
    at = scores.schema.get_field_index("rank")
    return scores.set_column(at, "rank", pa.array(ranks, mask=is_unscored))


def check_features(model: LeadModel, table: FeatureTable) -> None:
    """Refuse a table that does not hold what the model reads.

    Raises:
        LeadlightError: Columns are missing or of another kind; all are named.
    """
    faults = []
    for feature in model.features:
        if feature.name not in table.columns.column_names:
            faults.append(f"{feature.name}   (missing)")
            continue
        found = "category" if pa.types.is_dictionary(table.columns[feature.name].type) else "number"
        if found != feature.kind:
            faults.append(f"{feature.name}   (a {found}, the model was trained on a {feature.kind})")
    if faults:
        hint = "score with the config that the model was trained with, or train again."
        raise wrong_input("The features do not fit the model:", faults, hint=hint)


def _doubted_block(scorer: _Scorer, block: FeatureTable) -> Iterator[pa.Table]:
    """Yield the scores of a block, and then its leads that get a reason code instead."""
    found = doubts(scorer.model, block, is_stale=scorer.run.is_stale)
    if not found.is_unscored.any():
        yield _score_block(scorer, block, found)
        return
    scored, unscored = np.flatnonzero(~found.is_unscored), np.flatnonzero(found.is_unscored)
    yield _score_block(scorer, block.take(scored), found.take(scored))
    keys = block.keys.take(pa.array(unscored))
    codes = found.take(unscored).codes
    yield _without_score(keys.append_column("reason_code", codes), scorer.model, scorer.run)


def _score_block(scorer: _Scorer, block: FeatureTable, found: Doubts) -> pa.Table:
    model = scorer.model
    predictions = model.predict(block)
    columns = {
        "lead_id": block.keys["lead_id"],
        "as_of": block.keys["as_of"],
        "trigger_id": block.keys["trigger_id"],
        "score": predictions.score,
        "probability": predictions.probability,
        "probability_low": predictions.low,
        "probability_high": predictions.high,
        "log_odds": predictions.log_odds,
        "grade": grades.grades(predictions.probability, scorer.cuts),
        "temperature": grades.temperatures(predictions.probability, scorer.cuts),
        "points_total": total_hundredths(predictions.log_odds, model),
        "reason_code": found.codes,
        "unlike": found.unlike,
        "features_hash": row_hashes(block, model.feature_names),
    }
    if scorer.explainer is not None:
        columns |= _explained(scorer, scorer.explainer, block, predictions.log_odds)
    return as_scores(columns, len(block), run=scorer.run, features=model.features)


def _explained(
    scorer: _Scorer, explainer: Explainer, block: FeatureTable, log_odds: npt.NDArray[np.float64]
) -> dict[str, object]:
    """Return the columns that say why."""
    of_block = points(explainer.explain(block, log_odds), scorer.model)
    fit, engagement = of_block.per_axis["fit"], of_block.per_axis["engagement"]
    families = of_block.per_family
    return {
        "fit": fit,
        "engagement": engagement,
        "cell": grades.cells(fit, engagement, scorer.cuts),
        "points_family": _struct({name: families[name] for name in families}),
        "points": _struct(dict(zip(scorer.model.feature_names, of_block.per_feature.T, strict=True))),
        "reasons": stored_reasons(of_block, block, limits=scorer.config.reasons),
    }


def _struct(fields: dict[str, npt.NDArray[np.int64]]) -> pa.StructArray:
    arrays = [pa.array(values.astype(np.int32)) for values in fields.values()]
    return pa.StructArray.from_arrays(arrays, names=list(fields))


def _without_score(unscored: pa.Table, model: LeadModel, run: ScoringRun) -> pa.Table:
    columns = {name: unscored[name] for name in ("lead_id", "as_of", "trigger_id", "reason_code")}
    return as_scores(columns, unscored.num_rows, run=run, features=model.features)


def as_scores(columns: dict[str, object], n_rows: int, *, run: ScoringRun, features: tuple[Feature, ...]) -> pa.Table:
    """Return *columns* in the stored schema, with what the run gives to all rows; the others are null.

    Args:
        columns: Values by name of a column of `score_schema`.
        n_rows: How many rows they have.
        run: What all rows share.
        features: What the points are of.
    """
    schema = score_schema(features)
    shared = {"data_until": run.data_until, "scored_at": run.scored_at, "model_version": run.model_version}
    filled = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name in shared:
            filled.append(pa.repeat(pa.scalar(shared[name], kind), n_rows))
        elif name in columns:
            filled.append(_as_column(columns[name], kind))
        else:
            filled.append(pa.nulls(n_rows, kind))
    return pa.table(filled, schema=schema)


def _as_column(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:  # noqa: ANN401  (numpy or Arrow)
    return values.cast(kind) if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
