"""What codes of a stored score are called: stages, actions, channels, grades, and the app's own.

A shop may call its stages, plays and segments as it likes; those words are kept with the run and come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.languages import N_, Language
from pipeline.web.harmless import plain

STAGES: Final = {
    "visitor": N_("Visitor"),
    "lead": N_("Lead"),
    "engaged": N_("Engaged"),
    "cart": N_("Open cart"),
    "customer": N_("Customer"),
    "repeat_customer": N_("Repeat customer"),
    "lapsed": N_("Lapsed"),
}
ACTIONS: Final = {
    "call": N_("Call"),
    "recover_cart": N_("Recover the cart"),
    "chat": N_("Offer a chat"),
    "discount": N_("Offer a discount"),
    "webinar": N_("Invite to a webinar"),
    "email": N_("Send an e-mail"),
    "wait": N_("Wait"),
}
CHANNELS: Final = {
    "phone": N_("by phone"),
    "email": N_("by e-mail"),
    "chat": N_("by chat"),
    "sms": N_("by text message"),
    "post": N_("by post"),
}
SEGMENTS: Final = {
    "new_buyers": N_("New buyers"),
    "undecided_with_open_cart": N_("Undecided with an open cart"),
    "dormant_a_leads": N_("Dormant A leads"),
    "best_customers": N_("Best customers"),
}
HELD: Final = {
    "no_consent": N_("No consent to be contacted"),
    "unsubscribed": N_("Unsubscribed"),
    "open_deal": N_("Already in an open deal"),
    "override": N_("Held by a colleague"),
}
TEMPERATURES: Final = {"hot": N_("Hot"), "warm": N_("Warm"), "cold": N_("Cold")}
CODES: Final = {
    "no_history": N_("Nothing is known of this lead yet"),
    "stale_data": N_("No news for too long"),
    "unlike_training": N_("Unlike the leads the model learned from"),
    "no_consent": N_("No consent to be contacted"),
    "not_in_cohort": N_("Not among the leads asked about"),
}
MARKS: Final = {
    "hold": N_("Hold"),
    "release": N_("Released"),
    "contacted": N_("Contacted"),
    "grade": N_("Grade set by hand"),
    "owner": N_("Owner set by hand"),
}
_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "stage": STAGES, "action": ACTIONS, "channel": CHANNELS, "segment": SEGMENTS, "held": HELD,
    "temperature": TEMPERATURES, "code": CODES, "mark": MARKS,
}  # fmt: skip


_OWN: Final = {"stage": "stages", "play": "plays", "segment": "segments"}
"""Kinds whose words a run remembers, and where (`models.decisions.as_data`)."""


@dataclass(frozen=True)
class Labels:
    """Names of codes in one language.

    Attributes:
        said: The language.
        named: What the shop called its stages, plays and segments when the run was made.
    """

    said: Language
    named: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __call__(self, kind: str, code: str | None) -> str:
        """Return what *code* of *kind* is called; a code without a name is said as it is spelled."""
        if not code:
            return ""
        own = self._own(kind, code, "label")
        if own:
            return own
        known = _KINDS.get(kind, {}).get(code, "")
        return self.said.gettext(known) if known else plain(code.replace("_", " ").capitalize())

    def wording(self, play: str | None) -> str:
        """Return what the playbook says to do under the rule called *play*; empty = nothing."""
        return self._own("play", play or "", "wording")

    def _own(self, kind: str, code: str, part: str) -> str:
        """Return the shop's own words, in the language where it gave them in several."""
        words = self.named.get(_OWN.get(kind, ""), {}).get(code, {}).get(part, "")
        if isinstance(words, Mapping):
            return plain(words.get(self.said.code) or words.get("en") or next(iter(words.values()), ""), most=300)
        return self.said.gettext(plain(words, most=300))
