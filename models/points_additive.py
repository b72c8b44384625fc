"""A small additive model of binned features: weights that are never negative, features chosen one by one.

    log-odds = b + Σ_f w_f · evidence_f(bin),      w_f >= 0

Evidence is the log-odds of a bin less that of the feature's typical bin (weight of evidence, as credit scorecards have
it), so a non-negative weight keeps every feature's direction. At each step the candidates that promise most by the
slope of the loss are fitted in full, and the one with the most gain per rule joins, until no rule is left to give or
nothing gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.points_bins import Binned

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TRIED: Final = 4
"""Candidates that are fitted in full at each step."""
LEAST_GAIN: Final = 3.0
"""Nats that a rule must gain over all rows to be worth its line; rows of one lead are not independent."""
PULL: Final = 0.5
"""Penalty on the square of each weight, in nats: keeps weights finite."""
MOST_STEPS: Final = 25
MOST_HALVINGS: Final = 20
ENOUGH: Final = 1e-2
"""Nats by which a step must better the loss to be followed by another."""
TINY: Final = 1e-9


@dataclass(frozen=True)
class Additive:
    """A fitted model.

    Attributes:
        chosen: The features, in the order in which they joined.
        weights: One each, >= 0.
        b: The intercept.
    """

    chosen: tuple[Binned, ...]
    weights: Floats
    b: float


def fit_additive(candidates: Sequence[Binned], converted: Bools, *, most_rules: int) -> Additive:
    """Return the additive model of at most *most_rules* rules: bins beside the typical ones.

    Args:
        candidates: Binned features; several may be of one feature, cut finer or coarser: one of them joins.
        converted: The labels, both kinds.
        most_rules: Rules, >= 1.
    """
    label = converted.astype(np.float64)
    rate = label.mean()
    model, loss = Additive((), np.empty(0), float(np.log(rate / (1 - rate)))), _constant_loss(label)
    while True:
        steps = [step for one in candidates if (step := _step(model.chosen, one)).rules <= most_rules and step.added]
        if not steps:
            return model
        promised = _promises(model, [step.candidate for step in steps], label)
        order = np.argsort(-promised / np.array([step.added for step in steps]), kind="stable")[:TRIED]
        tried = [_fit(steps[place].chosen, label, start=model) for place in order]
        gains = [(loss - found[1]) / steps[place].added for place, found in zip(order, tried, strict=True)]
        best = int(np.argmax(gains))
        if gains[best] < LEAST_GAIN:
            return model
        model, loss = tried[best]


@dataclass(frozen=True)
class _Step:
    """A candidate that joins, or takes the place of a coarser version of its feature."""

    candidate: Binned
    chosen: tuple[Binned, ...]
    added: int

    @property
    def rules(self) -> int:
        return sum(_rules(one) for one in self.chosen)


def _step(chosen: tuple[Binned, ...], candidate: Binned) -> _Step:
    names = [one.feature.name for one in chosen]
    if candidate.feature.name not in names:
        return _Step(candidate, (*chosen, candidate), _rules(candidate))
    place = names.index(candidate.feature.name)
    finer = (*chosen[:place], candidate, *chosen[place + 1 :])
    return _Step(candidate, finer, max(_rules(candidate) - _rules(chosen[place]), 0))


def _rules(one: Binned) -> int:
    return len(one.tests) - 1


def evidence(one: Binned) -> Floats:
    """Return each row's evidence, shape ``(n_rows,)``."""
    return one.evidence[one.code]


def _margins(model: Additive, n_rows: int) -> Floats:
    margins = np.full(n_rows, model.b)
    for one, weight in zip(model.chosen, model.weights, strict=True):
        margins += weight * evidence(one)
    return margins


def _promises(model: Additive, candidates: Sequence[Binned], label: Floats) -> Floats:
    """Return how much each candidate's best step from weight 0 would gain, by slope and curvature of the loss."""
    probability = 1.0 / (1.0 + np.exp(-_margins(model, len(label))))
    error, curvature = label - probability, probability * (1 - probability)
    found = np.zeros(len(candidates))
    for place, one in enumerate(candidates):
        n = len(one.tests) + 1
        code = one.code % n  # rows in no bin, -1, stand last, where the evidence is 0
        slope = float(np.bincount(code, error, minlength=n) @ one.evidence)
        bend = np.bincount(code, curvature, minlength=n)
        centred = one.evidence - (bend @ one.evidence) / bend.sum()
        found[place] = max(slope, 0.0) ** 2 / (2 * (bend @ centred**2 + 1e-12))
    return found


def _fit(chosen: tuple[Binned, ...], label: Floats, *, start: Additive) -> tuple[Additive, float]:
    """Return the model of the *chosen* features and its summed log-loss, by Newton steps held within weights >= 0."""
    x = np.stack([*(evidence(one) for one in chosen), np.ones(len(label))], axis=1)
    at = np.append(np.concatenate([start.weights, [0.5] * (len(chosen) - len(start.weights))]), start.b)
    pull = np.append(np.full(len(chosen), PULL), 0.0)
    loss = _penalised(x @ at, label, at, pull)
    for _ in range(MOST_STEPS):
        probability = 1.0 / (1.0 + np.exp(-(x @ at)))
        slope = (probability - label) @ x + 2 * pull * at
        bend = (x * (probability * (1 - probability))[:, None]).T @ x + np.diag(2 * pull + TINY)
        free = (at > 0) | (slope < 0) | (pull == 0)
        step = np.zeros(len(at))
        step[free] = np.linalg.solve(bend[np.ix_(free, free)], slope[free])
        before = loss
        for _ in range(MOST_HALVINGS):
            tried = np.where(pull > 0, np.maximum(at - step, 0.0), at - step)
            if (loss := _penalised(x @ tried, label, tried, pull)) <= before:
                at = tried
                break
            step /= 2
        if not before - loss > ENOUGH:
            break
    model = Additive(chosen, at[:-1], float(at[-1]))
    margins = x @ at
    return model, float((np.logaddexp(0.0, margins) - label * margins).sum())


def _penalised(margins: Floats, label: Floats, at: Floats, pull: Floats) -> float:
    return float((np.logaddexp(0.0, margins) - label * margins).sum() + (pull * at**2).sum())


def _constant_loss(label: Floats) -> float:
    rate = label.mean()
    return float(-len(label) * (rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
