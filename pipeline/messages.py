"""What there is to translate, gathered into the .po files that translators edit: `make messages`.

Two domains per language: ``models/locale/<code>/reasons.po`` holds what is said of a lead (phrases of the features,
units, doubts), ``pipeline/locale/<code>/app.po`` everything around it. Texts are found where they stand:

    Python      arguments of gettext, ngettext, pgettext, N_ and _
    templates   Jinja2 anywhere in pipeline: _(…), ngettext(…), {% trans %}
    phrases     the catalog of features is data: its phrases are asked of a shop that has everything
    playbook    labels and wording of the shipped rules, configs/playbooks/shop.yaml

Translations that are there stay; new texts are added empty, and what nobody says any more is dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from babel.messages import Catalog, Message
from babel.messages.extract import extract, extract_from_file
from babel.messages.pofile import read_po, write_po

from features.catalog import Phrase
from features.families.everything import full_catalog
from models import points_card_columns
from models.attribute_names import ATTRIBUTE_NAMES
from pipeline.languages import LANGUAGES
from pipeline.playbooks import shipped_texts

ROOT: Final = Path(__file__).parent.parent
TRANSLATED: Final = tuple(code for code in LANGUAGES if code != "en")
PLURALS: Final = {
    "pt": "nplurals=2; plural=(n != 1)",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)",
    "ro": "nplurals=3; plural=(n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2)",
}
"""Rules of plurals as GNU gettext spells them; those of Babel tell 0 apart in Portuguese."""
_KEYWORDS: Final = {
    "gettext": None, "N_": None, "_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
_JINJA: Final = "jinja2.ext:babel_extract"
_WIDTH: Final = 120


def reasons() -> Catalog:
    """Return what is said of a lead, without translations."""
    found = Catalog(domain="reasons")
    for phrase in (*(feature.phrase for feature in full_catalog()), *points_card_columns.PHRASES):
        _add_phrase(found, phrase)
    for name in ATTRIBUTE_NAMES:
        found.add(name, context="name", auto_comments=["What a column is called, as in “{name}: {n}”."])
    _add_python(found, ROOT / "models")
    return found


def app() -> Catalog:
    """Return everything around it, without translations."""
    found = Catalog(domain="app")
    _add_python(found, ROOT / "pipeline")
    _add_templates(found, ROOT / "pipeline")
    for text in shipped_texts():
        found.add(text)
    return found


DOMAINS: Final = {"reasons": (reasons, ROOT / "models" / "locale"), "app": (app, ROOT / "pipeline" / "locale")}


def update(template: Catalog, file: Path, *, code: str) -> int:
    """Bring *file* up to date with *template* and return how many texts still lack a translation.

    Args:
        template: All texts.
        file: The translations into one language; made where it is not there.
        code: The language.
    """
    known = _translations(file, code)
    fresh = Catalog(locale=code, domain=template.domain, project="Leadlight", header_comment="")
    for message in sorted(template, key=lambda one: (_first(one.id), one.context or "")):
        if message.id:
            _take_over(fresh, message, known.get(message.id, message.context))
    _write(fresh, file, code)
    return sum(not all(_forms(one.string)) for one in fresh if one.id)


def main() -> None:
    """Bring every .po file up to date, and tell what is still to be translated."""
    for name, (gathered, folder) in DOMAINS.items():
        template = gathered()
        for code in TRANSLATED:
            lacking = update(template, folder / code / f"{name}.po", code=code)
            sys.stdout.write(f"{code} {name}: {len(template)} texts, {lacking} to translate\n")


def _add_phrase(found: Catalog, phrase: Phrase) -> None:
    found.add((phrase.one, phrase.many) if phrase.one else phrase.many)
    for text in (phrase.zero, phrase.missing):
        if text:
            found.add(text)


def _add_python(found: Catalog, folder: Path) -> None:
    for file in sorted(folder.rglob("*.py")):
        for _line, text, comments, context in extract_from_file(
            "python", file, keywords=_KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
        ):
            _add(found, text, comments, context)


def _add_templates(found: Catalog, folder: Path) -> None:
    options = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
    for file in sorted(folder.rglob("*.html")):
        with file.open("rb") as source:
            for _line, text, comments, context in extract(_JINJA, source, keywords=_KEYWORDS, options=options):
                _add(found, text, comments, context)


def _add(found: Catalog, text: str | tuple[str, ...], comments: list[str], context: str | None) -> None:
    if text and text != ("",):
        found.add(text, auto_comments=comments, context=context)


def _translations(file: Path, code: str) -> Catalog:
    if not file.is_file():
        return Catalog(locale=code)
    with file.open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


def _take_over(fresh: Catalog, message: Message, old: Message | None) -> None:
    """Add *message* to *fresh* with the translation that it had."""
    if old is None or old.id != message.id:
        fresh.add(message.id, auto_comments=message.auto_comments, context=message.context)
        return
    fresh.add(
        message.id,
        old.string,
        auto_comments=message.auto_comments,
        user_comments=old.user_comments,
        flags=old.flags & {"fuzzy"},
        context=message.context,
    )


def _forms(text: str | Sequence[str] | None) -> Sequence[str]:
    return (text,) if isinstance(text, str) else text or ("",)


def _first(text: str | Sequence[str]) -> str:
    return _forms(text)[0]


def _write(catalog: Catalog, file: Path, code: str) -> None:
    """Write the translations under a header that tells nothing but the language: dates would change each time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        target.write(b'msgid ""\nmsgstr ""\n')
        target.writelines(f'"{line}\\n"\n'.encode() for line in _header(code))
        target.write(b"\n")
        write_po(target, catalog, width=_WIDTH, no_location=True, omit_header=True, ignore_obsolete=True)


def _header(code: str) -> Iterator[str]:
    yield f"Language: {code}"
    yield "MIME-Version: 1.0"
    yield "Content-Type: text/plain; charset=UTF-8"
    yield "Content-Transfer-Encoding: 8bit"
    yield f"Plural-Forms: {PLURALS[code]};"


if __name__ == "__main__":
    main()
