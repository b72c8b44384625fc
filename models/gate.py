"""The gate between a new model and the scores: it must be better, honest, and worth having.

On the newest forward window, and by models whose training labels had closed before it:

- *champion*: the paired bootstrap over leads says that the challenger's log-loss is lower (the 95 % interval of the
  difference lies above zero, and above rounding); or that it is no worse by more than a margin, and the champion is
  older than allowed;
- *card*: where no model scores yet but a points card of the shop's own does, the same bootstrap says that the model's
  log-loss is lower than the card's, whose points were turned into probabilities on the rows before the window;
- *calibration*: its calibration error is small, or no larger than chance alone would show (`models.reliability`);
- *baselines*: none of them has a lower log-loss.

Example: a challenger ahead of the champion by 0.004 nats a snapshot, 95 % from 0.001 to 0.007, is better. One ahead by
0.000, from -0.0015 to 0.0015, is no worse by more than 0.002: it passes once the champion is too old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.baselines import CARD, NAMES
from models.contest import OURS, Contest
from models.metrics import Estimate
from models.reliability import SMALL_ERROR, Reliability

_COMPARED: Final = (
    ("log_loss", "log-loss", 4),
    ("roc_auc", "ROC-AUC", 3),
    ("average_precision", "average precision", 3),
)
ROUNDING: Final = 1e-5
"""Nats below which a difference is rounding: two fits of one recipe on the same rows differ by some 1e-7."""


@dataclass(frozen=True)
class GateRules:
    """What the gate asks.

    Attributes:
        margin: How much worse than an aged champion a challenger may be at most, nats a snapshot (95 % bound).
        champion_days: Days after which the champion is old.
    """

    margin: float = 0.002
    champion_days: float = 90.0


@dataclass(frozen=True)
class GateCheck:
    """One thing that the gate asked.

    Attributes:
        name: ``champion``, ``card``, ``calibration``, ``baselines``, or what else was asked.
        passed: Whether it came out well.
        text: The facts and the threshold, one sentence.
    """

    name: str
    passed: bool
    text: str


@dataclass(frozen=True)
class Gate:
    """The decision.

    Attributes:
        checks: Everything that was asked.
    """

    checks: tuple[GateCheck, ...]

    @property
    def passes(self) -> bool:
        """Whether every check came out well."""
        return all(check.passed for check in self.checks)

    @property
    def why(self) -> str:
        """Return the reason in one line: what was in favour, or all that was against."""
        return " ".join(check.text for check in self.checks if check.passed == self.passes)


def against_champion(ahead: Estimate, *, champion: str, age_days: float, rules: GateRules) -> GateCheck:
    """Return whether the challenger may follow the champion.

    Args:
        ahead: The champion's log-loss minus the challenger's, with its paired 95 % interval.
        champion: The champion's label.
        age_days: Days since the champion was trained.
        rules: Margin and age.
    """
    bounds = f"95 %: {_nats(ahead.low)} to {_nats(ahead.high)}"
    figures = f"{_nats(ahead.value)} nats a snapshot against champion {champion} ({bounds})"
    is_old = age_days > rules.champion_days
    age = f"it is {age_days:.0f} days old"
    if ahead.low > ROUNDING:
        return GateCheck("champion", True, f"Better: {figures}.")
    if ahead.low <= -rules.margin:
        return GateCheck("champion", False, f"Not shown to be better, nor no worse by {rules.margin:g}: {figures}.")
    if is_old:
        return GateCheck("champion", True, f"No worse by {rules.margin:g}, and the champion is old ({age}): {figures}.")
    waits = f"no worse would do against a champion older than {rules.champion_days:.0f} days, {age}"
    return GateCheck("champion", False, f"Not shown to be better: {figures}; {waits}.")


def against_card(judged: Contest, *, card: str, note: str = "") -> GateCheck:
    """Return whether the model is better than the points card that scores so far, and what it gains.

    Args:
        judged: Both on the hold-out, the card under the name `CARD`.
        card: What the card is called.
        note: What must be said beside the figures; or empty.
    """
    ours, theirs, ahead = judged.metrics[OURS], judged.metrics[CARD], judged.ahead[CARD]
    is_better = ahead.low > ROUNDING
    figures = ", ".join(
        f"{words} {getattr(ours, name).value:.{digits}f} (the card {getattr(theirs, name).value:.{digits}f})"
        for name, words, digits in _COMPARED
    )
    verdict = "Better" if is_better else "Not shown to be better"
    gain = f"{_nats(ahead.value)} nats a snapshot (95 %: {_nats(ahead.low)} to {_nats(ahead.high)})"
    return GateCheck(
        "card", is_better, f"{verdict} than the points card '{card}': {gain}; {figures}.{note and ' ' + note}"
    )


def _nats(value: float) -> str:
    """Return a difference with its sign, and no sign where it rounds to nothing."""
    return f"{value:+.4f}".replace("-0.0000", "0.0000").replace("+0.0000", "0.0000")


def of_calibration(found: Reliability) -> GateCheck:
    """Return whether the challenger's probabilities hold."""
    figures = (
        f"calibration error {found.ece:.3f} (chance alone may show {found.by_chance:.3f}; {SMALL_ERROR:g} is always "
        f"allowed), {found.expected:.0f} conversions promised, {found.observed} came"
    )
    return GateCheck(
        "calibration", found.holds, f"Calibration {'holds' if found.holds else 'does not hold'}: {figures}."
    )


def of_baselines(judged: Contest) -> GateCheck:
    """Return whether every baseline has a higher log-loss than the challenger."""
    ours = judged.metrics[OURS].log_loss.value
    won = sorted(
        (name for name, ahead in judged.ahead.items() if ahead.value <= 0), key=lambda n: judged.ahead[n].value
    )
    if not won:
        return GateCheck("baselines", True, f"All {len(judged.ahead)} baselines lose (log-loss {ours:.4f}).")
    told = ", ".join(f"{NAMES.get(name, name)} {judged.metrics[name].log_loss.value:.4f}" for name in won)
    return GateCheck("baselines", False, f"Baselines win: log-loss {ours:.4f}, {told}.")
