"""The language of a request, and templates that speak it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from starlette.requests import Request

from models.wording import begun
from pipeline.labels import Labels
from pipeline.languages import LANGUAGES, NAMES, Language, language, preferred
from pipeline.page_templates import page_templates
from pipeline.report_page import TEMPLATES as REPORT_TEMPLATES
from pipeline.settings_app import AppSettings
from pipeline.web import pictures
from pipeline.web.harmless import plain
from pipeline.web.static_files import address_of

COOKIE: Final = "leadlight_language"
_LONGEST_HEADER: Final = 500
_DRAWN_KEPT: Final = 16_384


def spoken(request: Request, settings: AppSettings) -> Language:
    """Return the language of a request: the one chosen, else the one that the browser wishes for.

    Args:
        request: Its cookie and its header Accept-Language.
        settings: Which languages may be chosen.
    """
    chosen = request.cookies.get(COOKIE, "")
    if chosen in settings.languages:
        return language(chosen)
    return language(preferred(request.headers.get("accept-language", "")[:_LONGEST_HEADER], settings.languages))


@lru_cache(maxsize=len(LANGUAGES) * 2)
def templates(said: Language) -> Environment:
    """Return the templates of the app in one language."""
    # Some pictures are those of the report that is mailed.
    made = page_templates(ChoiceLoader([PackageLoader("pipeline.web"), FileSystemLoader(REPORT_TEMPLATES)]), said)
    made.globals.update(names=NAMES, static=address_of, label=Labels(said), draw=pictures, plain=plain, begun=begun)
    made.filters["plain"] = plain
    # What rows have in common is drawn once: a macro of small arguments has few answers.
    made.filters["kept"] = lru_cache(_DRAWN_KEPT)(lambda value, macro, *more: macro(value, *more))
    return made


def page(name: str, said: Language, values: dict[str, Any]) -> str:
    """Return the template called *name* in one language."""
    return templates(said).get_template(name).render(values)
