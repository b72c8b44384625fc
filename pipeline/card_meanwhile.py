"""What a shop with too few conversions is told: how many are missing, and what scores its leads until then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from features.errors import LeadlightError, wrong_input
from models.errors import NoConversionsError, TooFewConversionsError
from models.training import TrainingConfig
from pipeline.champion import has_champion
from pipeline.settings import Settings


@contextmanager
def told_what_is_missing(settings: Settings, config: TrainingConfig) -> Iterator[None]:
    """Let no training end for want of conversions without saying how many are missing.

    Args:
        settings: The shop's config.
        config: How a model is to be trained.

    Raises:
        LeadlightError: There were too few conversions; see `with_card_meanwhile`.
    """
    try:
        yield
    except TooFewConversionsError as error:
        raise with_card_meanwhile(error, settings, needed=config.least_conversions) from error


def with_card_meanwhile(error: TooFewConversionsError, settings: Settings, *, needed: int) -> LeadlightError:
    """Return *error* with how many conversions are missing, and with what scores meanwhile: champion or points card.

    Args:
        error: What stopped the training.
        settings: The shop's config.
        needed: Distinct converting leads that a training needs, at least.
    """
    fact, _, hint = str(error).partition("\n\nHint: ")
    lines = fact.splitlines()
    faults = [line.removeprefix("  - ") for line in lines[1:]] + _missing(error, needed)
    card = settings.points.card
    if has_champion(settings):
        hint = f"`leadlight score` goes on with the champion meanwhile. To train a model: {hint}"
    elif card is None:
        hint += " A points card can score meanwhile: `leadlight points init`."
    else:
        hint = f"`leadlight score` scores by the points card '{card.name}' meanwhile. To train a model: {hint}"
    return wrong_input(lines[0], faults, hint=hint)


def _missing(error: TooFewConversionsError, needed: int) -> list[str]:
    if isinstance(error, NoConversionsError):
        return [f"missing in all: {needed:,} leads that convert, at least; so far there are 0"]
    if not error.missing:
        return []
    leads = "one more lead that converts" if error.missing == 1 else f"{error.missing:,} more leads that convert"
    return [f"missing in all: {leads}, at least"]
