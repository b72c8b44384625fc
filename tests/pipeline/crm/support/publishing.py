"""Publishing a little shop's scores in a world without time, every report held to its sum."""

from __future__ import annotations

from datetime import timedelta

from pipeline.crm.session import Outside
from pipeline.stages.publish import Wish, publish
from pipeline.stages.publish_report import TargetReport
from support.clock import Clock, patience_by
from support.little_shop import LittleShop

YES = Wish(may=lambda _: True)


def outside(
    shop: LittleShop,
    night: int = 0,
    *,
    hours: float = 0.0,
    clock: Clock | None = None,
    most_s: float = 100,
    environment: dict[str, str] | None = None,
) -> Outside:
    """Return the world on the morning after a night, or some hours later; nobody sleeps in it."""
    return Outside(
        environment=environment or {},
        patience=patience_by(clock or Clock(), most_s=most_s),
        clock=lambda: shop.morning(night) + timedelta(hours=hours),
    )


def published(shop: LittleShop, wish: Wish = YES, night: int = 0, **world) -> TargetReport:
    """Publish and return the report of the one target, whose parts add up."""
    report = publish(shop.settings, wish, outside=outside(shop, night, **world))
    assert not report.failures, report.failures
    (one,) = report.targets
    tally = one.tally
    assert tally.given == tally.written + tally.unchanged + tally.rejected + tally.pending + tally.held
    return one
