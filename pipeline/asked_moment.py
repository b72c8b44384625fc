"""The moment of scoring that a person asks for with ``--as-of``."""

from __future__ import annotations

from datetime import datetime

from features import moments
from features.errors import wrong_input
from features.local_time import instant
from pipeline.settings import Settings


def asked_moment(settings: Settings, as_of: datetime, *, scored_at: datetime) -> int:
    """Return the moment of scoring that a person asked for (us).

    Args:
        settings: The shop's config.
        as_of: What was asked, on the shop's clock where it is naive.
        scored_at: When this run happens (aware).

    Raises:
        LeadlightError: It lies in the future. Scores that are stored stay, and a rollback would publish those again.
    """
    moment = instant(as_of, settings.shop.time_zone)
    if moment > moments.to_us(scored_at) + moments.DAY:  # a day, because clocks of zones and machines differ
        raise wrong_input(
            f"--as-of {as_of:%Y-%m-%d} lies in the future: nothing can be known by then.",
            hint="leave --as-of out to score as of the end of the data, or name a moment up to today.",
        )
    return moment
