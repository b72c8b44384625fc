"""Translations as GNU gettext knows them, straight from .po files.

The files that translators edit are the ones that are shipped and read: no build step, and no compiled copy beside
them that could fall behind. A file is read once in a process.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path


@cache
def translations(files: tuple[Path, ...]) -> NullTranslations:
    """Return what *files* translate, an earlier one before a later one; what none translates stays as it is.

    Args:
        files: .po files of one language; one that is not there translates nothing. Fuzzy entries do not count.
    """
    found = NullTranslations()
    for file in reversed([file for file in files if file.is_file()]):
        one = _read(file)
        one.add_fallback(found)
        found = one
    return found


def _read(file: Path) -> GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with file.open("rb") as source:
        # Without its locale Babel leaves the rule of plurals out.
        write_mo(compiled, read_po(source, locale=file.parent.name, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)
