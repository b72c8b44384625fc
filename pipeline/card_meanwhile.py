"""What a shop with too few conversions is told: how many are missing, and what scores its leads until then."""

from __future__ import annotations

from features.errors import LeadlightError, wrong_input
from models.errors import TooFewConversionsError
from pipeline.settings import Settings


def with_card_meanwhile(error: TooFewConversionsError, settings: Settings) -> LeadlightError:
    """Return *error* with how many conversions are missing, and with the shop's points card as what scores meanwhile.

    Args:
        error: What stopped the training.
        settings: The shop's config.
    """
    fact, _, hint = str(error).partition("\n\nHint: ")
    lines = fact.splitlines()
    faults = [line.removeprefix("  - ") for line in lines[1:]]
    if error.missing:
        leads = "one more lead that converts" if error.missing == 1 else f"{error.missing:,} more leads that convert"
        faults.append(f"missing in all: {leads}, at least")
    card = settings.points.card
    if card is None:
        hint += " A points card can score meanwhile: `leadlight points init`."
    else:
        hint = f"`leadlight score` scores by the points card '{card.name}' meanwhile. To train a model: {hint}"
    return wrong_input(lines[0], faults, hint=hint)
