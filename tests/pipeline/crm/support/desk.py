"""A shop beside a place that is set up, on the morning after a night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from pipeline.crm.patience import Patience
from pipeline.crm.session import Outside
from pipeline.crm.verifying import LeadDifference
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_checks import ChecksReport, set_up, verify
from pipeline.stages.publish_report import PublishReport, TargetReport
from support.little_shop import LittleShop, lead_ids
from support.places import place_called

LEADS = 420
"""Those that are free to be written are more than Marketo takes by one call: files are imported as well."""
YES = Wish(may=lambda _: True)


class Desk:
    """A shop beside a place.

    Args:
        folder: Where both lie.
        name: The place.
        leads: The shop's leads; a number, or the ids.
        more: Further fields that are written.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        leads: int | Sequence[str] = LEADS,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.ids = lead_ids(leads) if isinstance(leads, int) else list(leads)
        self.place = place_called(name, folder / "place", self.ids)
        self.folder, self.more, self.night = folder, more, 0

    def __enter__(self) -> Self:
        self.place.__enter__()
        self.shop = LittleShop(self.folder / "shop", leads=len(self.ids), crm=self.place.crm(self.more))
        (done,) = _told(set_up(self.shop.settings, "", outside=self.outside)).set_up
        assert done.faults == ()
        self.created = done.created
        return self

    def __exit__(self, *error: object) -> None:
        self.place.__exit__(None, None, None)

    @property
    def outside(self) -> Outside:
        """The world, in which nobody waits for long."""
        quick = Patience(most_s=20, first_s=0.01, longest_s=0.05)
        return Outside(self.place.environment, quick, lambda: self.shop.morning(self.night))

    def score(self, night: int, scores: pa.Table | None = None) -> None:
        """Let a night's scores be the published ones."""
        self.night = night
        self.shop.score(night, scores)

    def publish(self, wish: Wish = YES) -> TargetReport:
        """Publish, and return what came of it when all leads are accounted for."""
        (report,) = _published(publish(self.shop.settings, wish, outside=self.outside)).targets
        tally = report.tally
        assert tally.given == tally.written + tally.unchanged + tally.rejected + tally.pending + tally.held
        assert not report.stopped, report.stopped
        return report

    def disagree(self) -> tuple[LeadDifference, ...]:
        """Return what differs between the ledger and the place, all leads read back."""
        (found,) = _told(verify(self.shop.settings, "", sample=10**6, outside=self.outside)).verified
        assert found.read == found.agree + len(found.differ)
        return found.differ

    def scores(self, night: int) -> dict[str, dict[str, Any]]:
        """Return the rows of the leads that nothing holds, by lead."""
        return {row["lead_id"]: row for row in self.shop.leads.scores(night).to_pylist() if not row["held"]}


def _told(report: ChecksReport) -> ChecksReport:
    assert not report.failures, report.failures
    return report


def _published(report: PublishReport) -> PublishReport:
    assert not report.failures, report.failures
    return report
