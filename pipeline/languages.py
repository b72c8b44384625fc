"""The languages of everything outside the models: pages, commands, the playbook's wording.

Words of the models (reasons, doubts, units) lie in `models/locale`, all others in `pipeline/locale`; a language of
this module knows both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from models import languages
from models.languages import LANGUAGES, N_, NAMES, Language

__all__ = ["APP", "ENGLISH", "LANGUAGES", "NAMES", "N_", "Language", "_", "language", "preferred"]

LOCALE: Final = Path(__file__).parent / "locale"
APP: Final = (LOCALE, "app")
MOST_WISHES: Final = 20
"""Languages of a browser that are looked at."""
_ = N_
"""The same mark as `N_`: at the top of a module nobody knows yet in which language it will be said."""


def language(code: str) -> Language:
    """Return the language that *code* names, with all words of ours; English where we have none by that name."""
    return _with_app(languages.language(code))


def preferred(accepted: str, offered: Sequence[str] = LANGUAGES) -> str:
    """Return the code that fits a browser's wishes best: "pt-BR", or "en" where none fits.

    Args:
        accepted: The header Accept-Language: ``pl-PL,pl;q=0.9,en;q=0.5``. Nonsense in it is passed over.
        offered: Codes of the languages that may be chosen; the first stands in where none fits.
    """
    for wish in _by_weight(accepted):
        if wish.partition("-")[0].lower() in offered:
            return wish
    return offered[0]


def _by_weight(accepted: str) -> list[str]:
    """Return the wished languages, the most wanted first; what is not wanted at all is left out."""
    wishes = []
    for part in accepted.split(",")[:MOST_WISHES]:
        tag, _semicolon, weight = part.strip().partition(";q=")
        try:
            wishes.append((float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(wishes, key=lambda wish: -wish[0]) if weight > 0]


@cache
def _with_app(said: Language) -> Language:
    return replace(said, domains=(APP, *said.domains))


ENGLISH: Final = language("en")
