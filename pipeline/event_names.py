"""What the types of events that we know are called, in a language; others keep the shop's own name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from features.families.offering import EVENT_TYPES
from models.wording import plain
from pipeline.languages import N_, Language

_NAMES: Final = {
    "email_sent": N_("e-mail sent"),
    "email_opened": N_("e-mail opened"),
    "email_clicked": N_("link in an e-mail clicked"),
    "download": N_("download"),
    "webinar": N_("webinar attended"),
    "product_view": N_("product viewed"),
    "price_view": N_("price page viewed"),
    "cart_add": N_("added to the cart"),
    "checkout": N_("checkout begun"),
}


def event_name(sent_as: str, own_names: Mapping[str, Sequence[str]], language: Language) -> str:
    """Return an event type in words.

    Args:
        sent_as: The type as the shop sends it.
        own_names: The shop's own names of event types, by ours.
        language: In which it is said.
    """
    for ours, names in {**EVENT_TYPES, **own_names}.items():
        if sent_as in names:
            return language.gettext(_NAMES[ours])
    return plain(sent_as).replace("_", " ")
