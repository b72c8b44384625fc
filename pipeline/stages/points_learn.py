"""`leadlight points learn`: a card distilled from the data, judged beside the model, written as points.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.errors import LeadlightError, wrong_input
from features.matrix import FeatureTable
from models.contest import OURS
from models.points_card import PointsCard
from models.points_judging import LEARNED, JudgedCard, learn_and_judge
from models.points_learning import MOST_RULES
from pipeline.card_meanwhile import told_what_is_missing
from pipeline.languages import language
from pipeline.points_file import read_card, spell_card
from pipeline.progress import Progress, silent
from pipeline.row_words import day, rows_are, told
from pipeline.settings import Settings
from pipeline.stages.fitting import table_to_learn_from, training_config
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class LearnReport:
    """What `learn` wrote and how it did.

    Attributes:
        card: The file.
        label: What its scores are marked with.
        rules: Name and points of each rule.
        base: Points that every lead begins with.
        rows_are: What rows are called: ``snapshots`` or ``leads``.
        train_rows: Snapshots that the written card learned from.
        conversions: Distinct converting leads among them.
        test_from: First as_of of the hold-out (ISO, or the row), empty where other leads were held out.
        metrics: By name (the model, the learned card, the given one) and metric: value and 95 % bounds over leads.
        auc_given_up: ROC-AUC that the card is below the model.
        log_loss_given_up: Log-loss that it is above the model, in nats a snapshot, with 95 % bounds over leads.
    """

    card: Path
    label: str
    rules: tuple[tuple[str, int], ...]
    base: int
    rows_are: str
    train_rows: int
    conversions: int
    test_from: str
    metrics: Mapping[str, Mapping[str, tuple[float, float, float]]]
    auc_given_up: float
    log_loss_given_up: tuple[float, float, float]


def learn(
    settings: Settings,
    *,
    out: Path,
    most_rules: int = MOST_RULES,
    replace: bool = False,
    table: FeatureTable | None = None,
    progress: Progress = silent,
) -> LearnReport:
    """Learn a card, say what it gives up against the model, and write it to *out*.

    Args:
        settings: The shop's config; its tables must have been ingested.
        out: The file.
        most_rules: Rules at most.
        replace: Whether a card that is there may be replaced.
        table: The training table where it is at hand; else it is computed.
        progress: Told of every step.

    Raises:
        LeadlightError: A card is there, nothing is ripe, too few conversions, or nothing tells leads apart.
    """
    if out.exists() and not replace:
        raise _exists(out)
    if table is None:
        table = table_to_learn_from(settings, progress=progress)
    config = training_config(settings)
    with told_what_is_missing(settings, config):
        judged = learn_and_judge(
            table,
            config=config,
            most_rules=most_rules,
            shares=settings.score.grades.shares,
            currency=settings.shop.currency,
            language=language(settings.shop.language),
            given=read_card(settings.points.card) if settings.points.card is not None else None,
            notify=lambda text: progress(text, 0, 0),
        )
    report = _report(settings, out, judged)
    with Workspace(settings.shop.workspace).writing(out) as part:
        part.write_text(spell_card(judged.learned.card, head=_head(report)), encoding="utf-8")
    return report


def _report(settings: Settings, out: Path, judged: JudgedCard) -> LearnReport:
    card: PointsCard = judged.learned.card
    metrics = judged.contest.metrics
    lost = judged.contest.ahead[LEARNED]
    return LearnReport(
        card=out,
        label=card.label,
        rules=tuple((rule.name, rule.points) for rule in card.rules),
        base=card.base,
        rows_are=rows_are(settings),
        train_rows=judged.learned.rows,
        conversions=judged.learned.conversions,
        test_from="" if judged.test_from is None else told(settings, judged.test_from),
        metrics={
            name: {key: (one.value, one.low, one.high) for key, one in of_one.estimates().items()}
            for name, of_one in metrics.items()
        },
        auc_given_up=metrics[OURS].roc_auc.value - metrics[LEARNED].roc_auc.value,
        log_loss_given_up=(lost.value, lost.low, lost.high),
    )


def _head(report: LearnReport) -> str:
    """Return what stands above the rules: where they come from, and what they are worth."""
    ours, card = report.metrics[OURS], report.metrics[LEARNED]
    rows = f"{report.train_rows:,} {report.rows_are}"
    when = f"from {day(report.test_from)} on" if report.test_from else "on other leads"
    return (
        f"Learned by Leadlight from {rows} ({report.conversions:,} converting leads).\n"
        f"Judged {when}: ROC-AUC {card['roc_auc'][0]:.3f} (the model {ours['roc_auc'][0]:.3f}), "
        f"log-loss {card['log_loss'][0]:.4f} (the model {ours['log_loss'][0]:.4f}).\n"
        "The printed points are the points used: change them as you like, and try the card with\n"
        "`leadlight points check`. The odds hold for these points; after a change they are a guess."
    )


def _exists(path: Path) -> LeadlightError:
    hint = "give another file with --out, or --force to replace it."
    return wrong_input(f"There is a points card at '{path}' already; it was left alone.", hint=hint)
