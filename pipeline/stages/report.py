"""`leadlight report`: the published scores as a whole, and what came of earlier ones, as one page fit to mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from features.local_time import local_iso
from features.moments import to_us
from pipeline import languages
from pipeline.lead_data import lead_data
from pipeline.progress import Progress, silent
from pipeline.published.asks import Ask
from pipeline.published.editions import Edition, Published
from pipeline.published.tallies import Group, ScoreColumn
from pipeline.score_store import ScoreStore
from pipeline.settings import Settings
from pipeline.track_record import TrackRecord, keep, ripe_after_days, track_record
from pipeline.workspace import Workspace

GROUPED_BY: Final = ("grade", "source", "campaign", "segment", "stage", "action")
"""What leads and expected conversions are told by, in order."""


@dataclass(frozen=True)
class ShopReport:
    """The published scores as a whole.

    Attributes:
        shop: Its name.
        question: What is predicted, in the shop's words; may be empty.
        as_of: The moment of scoring (ISO, on the shop's clock).
        data_until: Until when the data told what happened (ISO, on the shop's clock); empty where that is not known.
        model_version: The model that scored.
        words: What the shop calls its stages, plays and segments (`models.decisions.as_data`).
        leads: Rows with a score.
        unscored: Rows with a reason code instead.
        hot: Leads called hot.
        held: Leads that must be left alone.
        expected: Expected conversions; None where a points card gives none.
        chance_range: What chance allows around that in 95 of 100 cases; None as above.
        ripe_after_days: Days after which an outcome is known.
        by: Leads and expected conversions by each of `GROUPED_BY`; segments overlap. What is known of no lead is not
            there.
        spread: Leads by score.
        track: What came of earlier scores; None while no outcome is known.
    """

    shop: str
    question: str
    as_of: str
    data_until: str
    model_version: str
    words: Mapping[str, Any]
    leads: int
    unscored: int
    hot: int
    held: int
    expected: float | None
    chance_range: tuple[int, int] | None
    ripe_after_days: int
    by: Mapping[str, list[Group]]
    spread: list[ScoreColumn]
    track: TrackRecord | None


@dataclass(frozen=True)
class WrittenReport:
    """A report and the page that tells it."""

    report: ShopReport
    page: Path


def write_report(
    settings: Settings, *, out: Path | None = None, language: str = "", progress: Progress = silent
) -> WrittenReport:
    """Write the report as one HTML file and return both.

    Args:
        settings: The shop's config.
        out: The file; by default ``reports/report.html`` in the workspace.
        language: Code of the language; by default the shop's.
        progress: Told of every part done.

    Raises:
        LeadlightError: Nothing was scored or ingested yet.
    """
    from pipeline.report_page.rendering import html

    workspace = Workspace(settings.shop.workspace)
    told = report(settings, progress=progress)
    page = out or workspace.root / "reports" / "report.html"
    text = html(told, languages.language(language or settings.shop.language))
    with workspace.writing(page) as path:
        path.write_text(text, encoding="utf-8")
    keep(workspace, told.track)
    return WrittenReport(told, page)


def report(settings: Settings, *, progress: Progress = silent) -> ShopReport:
    """Return what is to be told of the published scores and of earlier ones.

    Args:
        settings: The shop's config.
        progress: Told of every part done.

    Raises:
        LeadlightError: Nothing was scored or ingested yet.
    """
    workspace = Workspace(settings.shop.workspace)
    edition = Published(workspace).open()
    track = track_record(settings, ScoreStore(workspace), lead_data(settings), progress=progress)
    run, zone = edition.run, settings.shop.time_zone
    groups = {column: edition.by(column) for column in GROUPED_BY}
    return ShopReport(
        shop=settings.shop.name,
        question=settings.question.name,
        as_of=local_iso(run.as_of, zone),
        data_until=local_iso(to_us(run.earliest_end), zone) if run.earliest_end else "",
        model_version=run.model_version,
        words=run.labels,
        leads=run.scored,
        unscored=run.rows - run.scored,
        hot=_hot(edition),
        held=edition.page(Ask(held=True, size=1)).total,
        expected=run.expected_conversions,
        chance_range=edition.chance_range,
        ripe_after_days=ripe_after_days(settings),
        by={column: found for column, found in groups.items() if any(group.value for group in found)},
        spread=edition.spread,
        track=track,
    )


def _hot(edition: Edition) -> int:
    return sum(choice.leads for choice in edition.choices().get("temperatures", ()) if choice.value == "hot")
