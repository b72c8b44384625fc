"""How close a model comes to the best possible prediction of a synthetic shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.errors import LeadlightError, wrong_input
from pipeline.synthetic.draws import Bools, Floats

_KEYS = ("lead_id", "as_of")
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Quality:
    """How good probabilities were on rows with known labels.

    Attributes:
        auc: Area under the ROC curve, 0 to 1; ties count half.
        log_loss: Mean negative log-likelihood of the labels, in nats.
    """

    auc: float
    log_loss: float


@dataclass(frozen=True)
class BestPossible:
    """A model beside the best possible prediction, on the same rows.

    Attributes:
        rows: Number of rows judged.
        conversions: Of these, converted.
        best: Quality of the best possible probability.
        model: Quality of the model.
        constant_log_loss: Log-loss of the rows' own conversion rate, the same for all.
    """

    rows: int
    conversions: int
    best: Quality
    model: Quality
    constant_log_loss: float

    @property
    def auc(self) -> float:
        """The best possible AUC."""
        return self.best.auc

    @property
    def log_loss(self) -> float:
        """The best possible log-loss."""
        return self.best.log_loss

    @property
    def share_of_possible_auc(self) -> float:
        """How much of the way from guessing (0.5) to the best possible AUC the model goes."""
        return (self.model.auc - 0.5) / (self.best.auc - 0.5)

    @property
    def share_of_possible_log_loss(self) -> float:
        """How much of the way from the constant's to the best possible log-loss it goes."""
        possible = self.constant_log_loss - self.best.log_loss
        return (self.constant_log_loss - self.model.log_loss) / possible


def best_possible(truth: pa.Table, scored: pa.Table) -> BestPossible:
    """Compare a model with the best possible prediction on the rows of *scored*.

    Args:
        truth: ``lead_id``, ``as_of``, ``best_probability``, as `shop.truth` returns.
        scored: ``lead_id``, ``as_of``, ``probability`` (0 to 1, the model's) and ``converted``
            (bool), one row per lead and as_of whose label is ripe.

    Returns:
        Both qualities and the constant's.

    Raises:
        LeadlightError: Rows of *scored* are unknown to *truth*, or all labels are the same.
    """
    best = best_probabilities(truth, scored)
    converted = np.asarray(scored["converted"].to_numpy(), dtype=np.bool_)
    if converted.all() or not converted.any():
        raise _one_class(len(converted), conversions=int(converted.sum()))
    probability = np.asarray(scored["probability"].to_numpy(), dtype=np.float64)
    rate = np.full(len(converted), converted.mean())
    return BestPossible(
        rows=len(converted),
        conversions=int(converted.sum()),
        best=quality(converted, best),
        model=quality(converted, probability),
        constant_log_loss=quality(converted, rate).log_loss,
    )


def quality(converted: Bools, probability: Floats) -> Quality:
    """Return how good *probability* is for the labels *converted*, shape ``(n,)`` each."""
    inside = np.clip(probability, _SMALLEST, 1.0 - _SMALLEST)
    log_loss = -np.where(converted, np.log(inside), np.log1p(-inside)).mean()
    return Quality(auc=_auc(converted, probability), log_loss=float(log_loss))


def _auc(converted: Bools, probability: Floats) -> float:
    """P(a converted row is above one that is not) + half of P(equal), from mean ranks."""
    _, level, size = np.unique(probability, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(size) - (size - 1) / 2.0
    positives = int(converted.sum())
    above = mean_rank[level][converted].sum() - positives * (positives + 1) / 2.0
    return float(above / (positives * (len(converted) - positives)))


def best_probabilities(truth: pa.Table, scored: pa.Table) -> Floats:
    """Return the best possible probability of each row of *scored* (``lead_id``, ``as_of``), in its order."""
    as_of = pa.timestamp("us", tz="UTC")
    asked = pa.table(
        {
            "lead_id": scored["lead_id"].cast(pa.string()),
            "as_of": scored["as_of"].cast(as_of),
            "row": np.arange(len(scored), dtype=np.int64),
        }
    )
    found = asked.join(truth.select([*_KEYS, "best_probability"]), keys=list(_KEYS))
    found = found.sort_by("row")
    missing = found["best_probability"].null_count
    if missing:
        raise _unknown_rows(missing, len(scored))
    return np.asarray(found["best_probability"].to_numpy(), dtype=np.float64)


def _unknown_rows(missing: int, rows: int) -> LeadlightError:
    return wrong_input(
        f"The truth knows nothing about {missing:,} of {rows:,} scored rows.",
        hint="score the shop that the truth belongs to, on a grid of every 28 days.",
    )


def _one_class(rows: int, *, conversions: int) -> LeadlightError:
    return wrong_input(
        f"Quality needs rows of both kinds, but {conversions:,} of {rows:,} converted.",
        hint="judge more leads or more as-ofs.",
    )
