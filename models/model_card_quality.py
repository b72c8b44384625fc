"""The card's sections about data and quality: what it learned from, and how it did on what it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from models.baselines import NAMES
from models.contest import OURS
from models.model_card_numbers import figure, percent, whole
from models.model_card_page import Block, Chart, Section, Table, Text
from models.plots_curves import MARKED_SHARE
from models.training import moments_of, ripe_rows

if TYPE_CHECKING:
    from models.metrics import Metrics
    from models.model_card_facts import CardFacts
    from models.plots_curves import Calibration, Gains
    from models.splits import Moments

SHOWN: Final = {
    "average_precision": "average precision ↑",
    "roc_auc": "ROC-AUC ↑",
    "log_loss": "log-loss ↓",
    "ece": "calibration error ↓",
    "lift_at_10": "lift of the best 10 % ↑",
}
GAINS_SHOWN: Final = (0.05, 0.10, 0.20, 0.30, 0.50)


def data_section(facts: CardFacts) -> Section:
    """Say what there was to learn from, and what was set aside to judge on."""
    moments, held_out, day = moments_of(facts.table), facts.trained.hold_out, facts.setting.day
    _, ripe, _ = ripe_rows(facts.table)
    rows = [
        ("learned from, before the hold-out", *_counts(moments.take(held_out.train_rows), day)),
        ("hold-out, never seen by the judged model", *_counts(moments.take(held_out.test_rows), day)),
        # More than the two above: a label that was open when the hold-out began is in neither of them.
        ("all together, from which the model that ships learned", *_counts(ripe, day)),
    ]
    head = ("", "snapshots", "leads", "converting leads", "snapshots converted", "asked from", "to")
    blocks: list[Block] = [
        Text("A snapshot is one lead at one moment: what was known then, and what happened next."),
        Table(head, tuple(rows)),
    ]
    if facts.setting.coverage:
        blocks.append(Table(("table", "from", "to"), tuple(facts.setting.coverage), "What the tables cover"))
    if facts.fingerprint:
        blocks.append(Text(f"Fingerprint of the data: {facts.fingerprint}. Equal data have equal fingerprints."))
    return Section("Data", tuple(blocks))


def figures_section(facts: CardFacts) -> Section:
    """Show the model beside the baselines on the same rows."""
    judged = {OURS: facts.trained.metrics, **facts.others}
    rows = tuple((NAMES.get(name, name), *_figures(metrics)) for name, metrics in judged.items())
    note = Text(
        "On the hold-out, by a model that learned only from what had closed before; the model that ships was then "
        "fitted in the same way on everything. Behind each figure its 95 % interval, from drawing leads anew. "
        "↑ higher is better, ↓ lower is better."
    )
    table = Table(("", *SHOWN.values()), rows, "The model beside plain ones, on the same rows", strong=frozenset({0}))
    return Section("How good it is", (note, table))


def charts_section(facts: CardFacts) -> Section:
    """Draw how many conversions the best leads hold, and whether probabilities come true."""
    return Section("In pictures", (_gains_chart(facts.curves.gains), _calibration_chart(facts.curves.calibration)))


def _gains_chart(gains: Gains) -> Chart:
    contacted = np.array(GAINS_SHOWN)
    found, low, high = (
        np.interp(contacted, gains.share_contacted, line) for line in (gains.share_found, gains.low, gains.high)
    )
    rows = tuple(
        (whole(one), whole(a), f"{whole(b)} – {whole(c)}")
        for one, a, b, c in zip(contacted, found, low, high, strict=True)
    )
    title = f"The best {whole(MARKED_SHARE)} of leads hold {whole(gains.found_at(MARKED_SHARE))} of the conversions"
    return Chart(title, gains, Table(("contacted, best first", "conversions reached", "95 % interval"), rows))


def _calibration_chart(tenths: Calibration) -> Chart:
    rows = tuple(
        (f"{place}", percent(said), percent(came), f"{percent(below)} – {percent(above)}")
        for place, (said, came, below, above) in enumerate(
            zip(tenths.predicted, tenths.observed, tenths.low, tenths.high, strict=True), start=1
        )
    )
    weight = tenths.rows / tenths.rows.sum()
    said, came = float(weight @ tenths.predicted), float(weight @ tenths.observed)
    title = f"Predicted {percent(said)} on average, {percent(came)} converted"
    return Chart(title, tenths, Table(("tenth of the leads", "predicted", "converted", "95 % interval"), rows))


def _figures(metrics: Metrics) -> tuple[str, ...]:
    named = metrics.estimates()
    return tuple(figure(named[name], places=2 if name.startswith("lift") else 3) for name in SHOWN)


def _counts(moments: Moments, day: Callable[[int], str]) -> tuple[str, ...]:
    return (
        f"{len(moments):,}",
        f"{np.unique(moments.lead).size:,}",
        f"{moments.converting_leads(moments.converted):,}",
        percent(float(moments.converted.mean())),
        day(int(moments.as_of.min())),
        day(int(moments.as_of.max())),
    )
