"""Templates of pages in one language: whatever they are given is escaped, and a name that is not given is a fault."""

from __future__ import annotations

from collections.abc import Callable

import jinja2
from markupsafe import Markup

from pipeline.languages import Language


def page_templates(loader: jinja2.BaseLoader, said: Language) -> jinja2.Environment:
    """Return the templates that *loader* finds, with ``_``, ``ngettext``, ``pgettext`` and ``said`` of a language."""
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        auto_reload=False,  # a package's own do not change, and each look takes time
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(said.gettext, said.ngettext, newstyle=True, pgettext=said.pgettext)  # type: ignore[attr-defined]
    # Jinja2's own asks the template's context for every text, a quarter of a page's time; ours says the same.
    made.globals.update(said=said, _=_gettext(said))
    # What rows say again and again, as filters: Jinja2 looks at whatever is called for marks of its own.
    made.filters.update(number=said.number, share=said.share)
    return made


def _gettext(said: Language) -> Callable[..., Markup]:
    def told(text: str, **given: object) -> Markup:
        return Markup(said.gettext(text)) % given  # noqa: S704 - our own translations; what is given is escaped

    return told
