"""The gate lets a model through that is better, honest and worth having, and no other."""

import numpy as np
import pytest

from models import gate
from models.contest import contest, paired_log_loss
from models.gate import Gate, GateCheck, GateRules
from models.metrics import Estimate
from models.model import sigmoid
from models.reliability import reliability

RULES = GateRules(margin=0.002, champion_days=90)


@pytest.mark.parametrize(
    ("low", "age_days", "passed", "said"),
    [
        (0.0001, 1, True, "Better"),
        (1e-6, 1, False, "Not shown to be better"),
        (0.0, 1, False, "Not shown to be better"),
        (-0.0019, 91, True, "No worse by 0.002"),
        (-0.0019, 90, False, "no worse would do against"),
        (-0.0020, 1000, False, "nor no worse by"),
    ],
)
def test_better_passes_and_no_worse_only_once_the_champion_is_old(low, age_days, passed, said):
    """The 95 % bound decides: above zero, above minus the margin with an old champion, or not at all."""
    check = gate.against_champion(
        Estimate(low + 0.001, low, low + 0.002), champion="3-abc", age_days=age_days, rules=RULES
    )
    assert check.passed is passed
    assert said in check.text
    assert "3-abc" in check.text


def test_one_failed_check_is_enough_to_refuse_and_is_the_reason():
    """A gate passes when all checks do; its reason names what was against, or else all that was in favour."""
    good, bad = GateCheck("champion", True, "Better."), GateCheck("calibration", False, "Off.")
    assert Gate((good,)).passes
    assert Gate((good,)).why == "Better."
    assert not Gate((good, bad)).passes
    assert Gate((good, bad)).why == "Off."


def test_calibration_and_baselines_are_asked_of_the_same_rows():
    """Probabilities that are off fail, and a baseline with the lower log-loss is named with its figure."""
    rng = np.random.default_rng(0)
    truth = rng.normal(-1, 1, 4000)
    converted, lead = rng.random(4000) < sigmoid(truth), np.arange(4000).astype(np.uint64)
    assert gate.of_calibration(reliability(truth, converted)).passed
    off = gate.of_calibration(reliability(truth + 1, converted))
    assert not off.passed
    assert "does not hold" in off.text
    judged = contest({"leadlight": truth * 0.5, "rfm": truth}, converted, lead)
    lost = gate.of_baselines(judged)
    assert not lost.passed
    ours, theirs = (judged.metrics[name].log_loss.value for name in ("leadlight", "rfm"))
    assert lost.text == f"Baselines win: log-loss {ours:.4f}, log-RFM logistic {theirs:.4f}."
    assert gate.of_baselines(contest({"leadlight": truth, "rfm": truth * 0.5}, converted, lead)).passed


@pytest.mark.parametrize(("card", "passed", "said"), [(0.5, True, "Better than"), (1.0, False, "Not shown to be")])
def test_a_points_card_is_left_only_for_what_is_shown_to_be_better(card, passed, said):
    """The paired bound decides, equal is not enough, and all three figures of both stand in the sentence."""
    rng = np.random.default_rng(0)
    truth = rng.normal(-1, 1, 4000)
    converted, lead = rng.random(4000) < sigmoid(truth), np.arange(4000).astype(np.uint64)
    judged = contest({"leadlight": truth, "points": truth * card}, converted, lead)
    check = gate.against_card(judged, card="points.yaml", note="Beware.")
    assert check.passed is passed
    assert check.text.startswith(said)
    for name, digits in (("log_loss", 4), ("roc_auc", 3), ("average_precision", 3)):
        ours, theirs = (getattr(judged.metrics[one], name).value for one in ("leadlight", "points"))
        assert f"{ours:.{digits}f} (the card {theirs:.{digits}f})" in check.text
    assert check.text.endswith(" Beware.")


def test_a_challenger_that_is_clearly_worse_never_passes():
    """Worse by some .01 nats on 4,000 leads, even an old champion keeps its place, in 40 windows of 40."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = rng.normal(-1.5, 1, 4000)
        converted, lead = rng.random(4000) < sigmoid(truth), np.arange(4000).astype(np.uint64)
        worse = truth + rng.normal(0, 0.4, 4000)
        ahead = paired_log_loss(worse, truth, converted, lead, resamples=200, seed=seed)
        assert not gate.against_champion(ahead, champion="1-a", age_days=1000, rules=RULES).passed
