"""A model beside its rivals on the same rows: who is ahead, and is it more than chance?

Two models are compared by the difference of their log-losses, row by row, with a 95 % interval from the paired
bootstrap over leads (`models.bootstrap`): both are judged on the same resampled people, so what is hard for both
cancels out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.baselines import NAMES
from models.bootstrap import bootstrap_spread, sample_of_leads
from models.metrics import Estimate, Metrics, evaluate, row_losses

OURS: Final = "leadlight"
RESAMPLES: Final = 1000

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Contest:
    """The model and its rivals on one set of rows.

    Attributes:
        metrics: Quality by name, `OURS` first.
        ahead: By rival: its log-loss minus the model's, in nats a row, with the paired 95 % interval over leads;
            above zero the model is ahead.
    """

    metrics: Mapping[str, Metrics]
    ahead: Mapping[str, Estimate]

    @property
    def lost_to(self) -> tuple[str, ...]:
        """The rivals with a lower log-loss or a higher average precision, the strongest first."""
        ours = self.metrics[OURS].average_precision.value
        won = [
            name
            for name, ahead in self.ahead.items()
            if ahead.value <= 0 or self.metrics[name].average_precision.value > ours
        ]
        return tuple(sorted(won, key=lambda name: self.ahead[name].value))

    @property
    def unsure_of(self) -> tuple[str, ...]:
        """The rivals that are behind by no more than chance may explain."""
        return tuple(name for name, ahead in self.ahead.items() if name not in self.lost_to and ahead.low <= 0)

    def verdict(self) -> str:
        """Return one sentence for the first line of a report."""
        if self.lost_to:
            return f"This model does not beat {_listed([self._told(name) for name in self.lost_to])}."
        if self.unsure_of:
            doubt = _listed([NAMES.get(name, name) for name in self.unsure_of])
            return f"This model is ahead of all {len(self.ahead)} baselines; over {doubt} it may be by chance."
        return f"This model beats all {len(self.ahead)} baselines by more than chance explains."

    def _told(self, name: str) -> str:
        theirs, ours, rival = self.metrics[name], self.metrics[OURS], NAMES.get(name, name)
        return (
            f"{rival} (log-loss {ours.log_loss.value:.4f}, {rival} {theirs.log_loss.value:.4f}; "
            f"average precision {ours.average_precision.value:.3f}, {rival} {theirs.average_precision.value:.3f})"
        )


def contest(margins: Mapping[str, Floats], converted: Bools, lead: Hashes, *, seed: int = 0) -> Contest:
    """Judge the model and its rivals on the same rows.

    Args:
        margins: Log-odds by name, each of shape ``(n_rows,)``; `OURS` among them.
        converted: The labels, shape ``(n_rows,)``.
        lead: Hash of each row's lead, shape ``(n_rows,)``.
        seed: Seeds the resampling.
    """
    metrics = {name: evaluate(one, converted, lead, seed=seed) for name, one in margins.items()}
    ours = margins[OURS]
    ahead = {
        name: paired_log_loss(ours, one, converted, lead, seed=seed) for name, one in margins.items() if name != OURS
    }
    return Contest(metrics, ahead)


def paired_log_loss(
    ours: Floats, theirs: Floats, converted: Bools, lead: Hashes, *, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Return by how much *theirs* has the higher log-loss than *ours*, in nats a row, with the paired 95 % interval.

    Args:
        ours: Log-odds by the model, shape ``(n_rows,)``.
        theirs: Log-odds of the same rows by the other one.
        converted: The labels.
        lead: Hash of each row's lead: the rows of one person are drawn together.
        resamples: How many times leads are drawn anew.
        seed: Seeds the resampling.
    """
    difference = row_losses(theirs, converted) - row_losses(ours, converted)
    rows, scale = sample_of_leads(lead)
    _, place = np.unique(lead[rows], return_inverse=True)
    total, count = np.bincount(place, difference[rows]), np.bincount(place)

    def mean(weight: Floats) -> Floats:
        drawn = weight @ count
        return np.array([(weight @ total) / drawn if drawn else np.nan])

    below, above = bootstrap_spread(mean, len(count), resamples=resamples, seed=seed)
    value = float(difference.mean())
    return Estimate(value, value + scale * min(float(below[0]), 0.0), value + scale * max(float(above[0]), 0.0))


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
