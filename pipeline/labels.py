"""What codes of a stored score are called: stages, actions, channels, holds, temperatures, reason codes, marks.

A shop calls its stages, plays and segments as it likes; those words are kept with the run and come first. Our own are
written as they stand inside a sentence ("no consent").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from models.decision_rules import Words
from models.wording import begun, one_line
from pipeline.languages import N_, Language

LONGEST: Final = 300
"""Characters of a shop's own words that are shown."""
_KEPT: Final = 1_000
ACTIONS: Final = {
    "call": N_("Call"),
    "recover_cart": N_("Recover the cart"),
    "chat": N_("Offer a chat"),
    "discount": N_("Offer a discount"),
    "webinar": N_("Invite to a webinar"),
    "email": N_("Send an e-mail"),
    "wait": N_("Wait"),
}
"""As a morning goes: what people must do themselves first, waiting last."""
_CHANNELS: Final = {
    "phone": N_("by phone"),
    "email": N_("by e-mail"),
    "chat": N_("by chat"),
    "sms": N_("by text message"),
    "post": N_("by post"),
}
_HOLDS: Final = {
    "no_consent": N_("no consent"),
    "unsubscribed": N_("unsubscribed"),
    "open_deal": N_("in an open deal"),
    "override": N_("held by a colleague"),
    "held_in_crm": N_("held in the CRM"),
}
_TEMPERATURES: Final = {"hot": N_("hot"), "warm": N_("warm"), "cold": N_("cold")}
_CODES: Final = {
    "no_history": N_("Nothing is known of this lead yet"),
    "stale_data": N_("No news for too long"),
    "unlike_training": N_("Unlike the leads the model learned from"),
}
_MARKS: Final = {
    "hold": N_("Hold"),
    "contacted": N_("Contacted"),
}
_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "action": ACTIONS, "channel": _CHANNELS, "held": _HOLDS, "temperature": _TEMPERATURES, "code": _CODES,
    "mark": _MARKS,
}  # fmt: skip
_OWN: Final = {"stage": "stages", "play": "plays", "segment": "segments"}
"""Kinds whose words a run keeps, and where (`models.decisions.as_data`)."""
_NOTHING_SENT: Final = ("channel", "none")


@dataclass(frozen=True)
class Labels:
    """Names of codes in one language.

    Attributes:
        said: The language.
        named: What the shop called its stages, plays and segments when the run was made; empty for a run of before
            there were any.
    """

    said: Language
    named: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _alone: dict[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, kind: str, code: str | None) -> str:
        """Return what *code* of *kind* is called where it stands alone; empty without a code.

        A shop's own words stay as the shop wrote them; a code without words is said as it is spelled.
        """
        asked = (kind, code or "")
        if asked not in self._alone:
            if len(self._alone) >= _KEPT:
                self._alone.clear()
            self._alone[asked] = self._own(*asked, "label") or begun(self.inside(kind, code))
        return self._alone[asked]

    def inside(self, kind: str, code: str | None) -> str:
        """Return the same as it stands inside a sentence: "no consent", "by phone"."""
        if not code or (kind, code) == _NOTHING_SENT:
            return ""
        known = _KINDS.get(kind, {}).get(code, "")
        plain = one_line(code.replace("_", " ").capitalize(), longest=LONGEST)
        return self._own(kind, code, "label") or (self.said.gettext(known) if known else plain)

    def wording(self, play: str | None) -> str:
        """Return what the playbook says to do under the rule called *play*, in a sentence; empty = nothing."""
        return self._own("play", play or "", "wording")

    def leave_alone(self, codes: Sequence[str]) -> str:
        """Return the next action of a held lead, with why it is held."""
        why = ", ".join(self.inside("held", code) for code in codes)
        return self.said.gettext("Leave alone: {why}").replace("{why}", why)

    def _own(self, kind: str, code: str, part: str) -> str:
        """Return the shop's own words in the language, else in English, else in any; ours by their translation."""
        words: Words = self.named.get(_OWN.get(kind, ""), {}).get(code, {}).get(part, "")
        if isinstance(words, Mapping):
            words = words.get(self.said.code) or words.get("en") or next(iter(words.values()), "")
            return one_line(words, longest=LONGEST)
        return self.said.gettext(one_line(words, longest=LONGEST))
