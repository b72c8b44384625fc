"""A connector to HubSpot's stand-in, with a clock that only its own waits move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fakes.hubspot import FakeHubSpot
from fakes.serving import serving
from pipeline.crm.connectors.hubspot import KIND
from pipeline.crm.connectors.hubspot.connector import HubSpot
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Patience
from pipeline.crm.promise import CrmField, FieldType
from pipeline.crm.turns import NoTurns
from support import hubspot_description

TOKEN = "pat-eu1-secret"
FIELDS = (
    CrmField("leadlight_score", FieldType.INTEGER, label="Leadlight score"),
    CrmField("leadlight_probability", FieldType.NUMBER),
    CrmField("leadlight_grade", FieldType.CHOICE, choices=("A", "B", "C")),
    CrmField("leadlight_reason", FieldType.TEXT, length=500),
    CrmField("leadlight_is_hot", FieldType.BOOLEAN),
    CrmField("leadlight_as_of", FieldType.MOMENT),
)


@dataclass
class Waits:
    """Time that passes only where somebody waits.

    Attributes:
        seconds: Each wait.
    """

    seconds: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Note a wait."""
        self.seconds.append(seconds)

    def clock(self) -> float:
        """Return the time that was waited."""
        return sum(self.seconds)


@contextmanager
def connected(
    fake: FakeHubSpot,
    state: Path,
    *,
    key: str = "leadlight_key",
    may_create: bool = False,
    token: str = TOKEN,
    waits: Waits | None = None,
    **options: object,
) -> Iterator[HubSpot]:
    """Serve *fake*, and give a connector to it that takes no turns.

    Afterwards all that it said is held against HubSpot's own descriptions, where they are here.
    """
    waits = waits or Waits()
    patience = Patience(most_s=60, first_s=0.01, clock=waits.clock, sleep=waits.sleep)
    environment = {"LEADLIGHT_HUBSPOT_TOKEN": token}
    surroundings = Surroundings("sales", key, state, state, environment, patience=patience, may_create=may_create)
    with serving(fake) as url:
        connector = KIND.connect(KIND.options(base_url=url, **options), surroundings)
        for calling in (connector._http, connector._searching):
            calling._turns.close()
            calling._turns = NoTurns()
        try:
            yield connector
        finally:
            connector.close()
            if hubspot_description.is_here():
                hubspot_description.hold_against_description(fake.calls)
