"""The card's sections about data and quality: what it learned from, and how it did on what it never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from features.moments import local_date
from models.baselines import NAMES
from models.model_card_numbers import figure, percent, whole
from models.model_card_page import Block, Chart, Section, Table, Text
from models.training import moments_of

if TYPE_CHECKING:
    from models.metrics import Metrics
    from models.model_card_facts import CardFacts
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
    moments, held_out, zone = moments_of(facts.table), facts.trained.hold_out, facts.setting.zone
    ripe = np.concatenate([held_out.train_rows, held_out.test_rows])
    rows = [
        ("learned from, before the hold-out", *_counts(moments.take(held_out.train_rows), zone)),
        ("hold-out, never seen by the judged model", *_counts(moments.take(held_out.test_rows), zone)),
        ("all together, from which the model that ships learned", *_all_counts(facts, moments, ripe)),
    ]
    head: tuple[str, ...] = ("", "snapshots", "leads", "converting leads", "snapshots converted", "asked from", "to")
    if not facts.setting.has_dates:
        head, rows = head[:-2], [row[:-2] for row in rows]
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
    judged = {"leadlight": facts.trained.metrics, **facts.others}
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
    gains, calibration = facts.curves.gains, facts.curves.calibration
    contacted = np.array(GAINS_SHOWN)
    found, low, high = (
        np.interp(contacted, gains.share_contacted, line) for line in (gains.share_found, gains.low, gains.high)
    )
    reached = tuple(
        (whole(one), whole(a), f"{whole(b)} – {whole(c)}")
        for one, a, b, c in zip(contacted, found, low, high, strict=True)
    )
    tenths = tuple(
        (f"{place + 1}", percent(said), percent(came), f"{percent(below)} – {percent(above)}")
        for place, (said, came, below, above) in enumerate(
            zip(calibration.predicted, calibration.observed, calibration.low, calibration.high, strict=True)
        )
    )
    weight = calibration.rows / calibration.rows.sum()
    said, came = float(weight @ calibration.predicted), float(weight @ calibration.observed)
    charts = (
        Chart(
            f"The best 10 % of leads hold {whole(gains.found_at(0.10))} of the conversions",
            gains,
            Table(("contacted, best first", "conversions reached", "95 % interval"), reached),
        ),
        Chart(
            f"Predicted {percent(said)} on average, {percent(came)} converted",
            calibration,
            Table(("tenth of the leads", "predicted", "converted", "95 % interval"), tenths),
        ),
    )
    return Section("In pictures", charts)


def _figures(metrics: Metrics) -> tuple[str, ...]:
    named = metrics.estimates()
    return tuple(figure(named[name], places=2 if name.startswith("lift") else 3) for name in SHOWN)


def _counts(moments: Moments, zone: str) -> tuple[str, ...]:
    return (
        f"{len(moments):,}",
        f"{np.unique(moments.lead).size:,}",
        f"{moments.converting_leads(moments.converted):,}",
        percent(float(moments.converted.mean())),
        str(local_date(int(moments.as_of.min()), zone)),
        str(local_date(int(moments.as_of.max()), zone)),
    )


def _all_counts(facts: CardFacts, moments: Moments, judged: np.ndarray) -> tuple[str, ...]:
    """Return the counts of what shipped: rows whose label was open at the hold-out's beginning are in it too."""
    ripe = facts.table.labels["is_ripe"].to_numpy() if facts.table.labels is not None else None
    rows = np.sort(judged) if ripe is None else np.flatnonzero(ripe)
    return _counts(moments.take(rows), facts.setting.zone)
