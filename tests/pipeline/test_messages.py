"""Every text is translated into every language, whole and with all that is to be filled in."""

import ast
import re
from collections.abc import Iterator

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

from pipeline.messages import DOMAINS, PLURALS, ROOT, TRANSLATED, update

MARKS = {"gettext": 1, "N_": 1, "_": 1, "ngettext": 2, "pgettext": 2, "npgettext": 3}
EVERY = [(domain, code) for domain in DOMAINS for code in TRANSLATED]


@pytest.fixture(scope="module")
def templates() -> dict[str, Catalog]:
    """Return all texts of each domain."""
    return {domain: gathered() for domain, (gathered, _folder) in DOMAINS.items()}


def translations(domain: str, code: str) -> Catalog:
    """Return one .po file as it is."""
    with (DOMAINS[domain][1] / code / f"{domain}.po").open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


def entries(catalog: Catalog) -> dict[tuple, object]:
    """Return the texts of *catalog* by context and text."""
    return {(one.context, one.id): one for one in catalog if one.id}


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the forms of a text: one, or one per plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def placeholders(text: str) -> set[str]:
    """Return what is still to be filled in: {n}, %(name)s."""
    return set(re.findall(r"\{\w+\}|%\(\w+\)[a-z]|\[/?\w+\]", text))


@pytest.mark.parametrize(("domain", "code"), EVERY)
def test_the_files_hold_what_is_said_and_nothing_else(templates, domain, code):
    """A new text without an entry, and an entry that nobody says any more, both call for `make messages`."""
    there = translations(domain, code)
    assert entries(there).keys() == entries(templates[domain]).keys()
    assert not there.obsolete


@pytest.mark.parametrize(("domain", "code"), EVERY)
def test_every_text_is_translated(domain, code):
    """No translation is empty, doubtful (fuzzy), or short of a plural form."""
    there = translations(domain, code)
    lacking = [
        one.id
        for one in entries(there).values()
        if one.fuzzy
        or not all(forms(one.string))
        or len(forms(one.string)) != (1 if isinstance(one.id, str) else there.num_plurals)
    ]
    assert lacking == []


@pytest.mark.parametrize(("domain", "code"), EVERY)
def test_a_translation_fills_in_what_the_text_fills_in(domain, code):
    """Placeholders are those of the text; only the form for one may leave the number out, as English does."""
    for one in entries(translations(domain, code)).values():
        wanted = placeholders(forms(one.id)[-1])
        said = [placeholders(form) for form in forms(one.string)]
        assert all(found == wanted for found in said[-1:] + said[1:]), one.id
        assert said[0] == wanted or (len(said) > 1 and wanted - said[0] <= {"{n}", "{days}", "%(n)s", "%(num)s"}), (
            one.id
        )


@pytest.mark.parametrize(("domain", "code"), EVERY)
def test_plurals_follow_the_rule_of_the_language(domain, code):
    """Each file states the rule that its forms were written for."""
    assert translations(domain, code).plural_forms.rstrip(";") == PLURALS[code]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_marked_text_is_gathered(templates, domain):
    """What Python's own parser finds, also inside f-strings, is in the catalog: no mark is overlooked."""
    there = {form for one in templates[domain] if one.id for form in forms(one.id)}
    folder = {"reasons": "models", "app": "pipeline"}[domain]
    marked = {text for file in (ROOT / folder).rglob("*.py") for text in _marked(file.read_text(encoding="utf-8"))}
    assert marked
    assert marked - there == set()


def test_translations_stay_and_what_is_not_said_any_more_goes(tmp_path):
    """A second run changes nothing; a new text is added empty, and an old one is dropped."""
    file = tmp_path / "pl" / "app.po"
    assert update(_template("hot", "cold"), file, code="pl") == 2
    filled = file.read_text(encoding="utf-8").replace('msgid "hot"\nmsgstr ""', 'msgid "hot"\nmsgstr "gorący"')
    file.write_text(filled, encoding="utf-8")
    assert update(_template("hot", "cold"), file, code="pl") == 1
    assert file.read_text(encoding="utf-8") == filled
    assert update(_template("hot", "new"), file, code="pl") == 1
    with file.open("rb") as source:
        assert {one.id: one.string for one in read_po(source) if one.id} == {"hot": "gorący", "new": ""}


def test_a_changed_plural_is_translated_anew(tmp_path):
    """The forms of another plural are not taken over."""
    file = tmp_path / "pl" / "app.po"
    update(_template(("1 call", "{n} calls")), file, code="pl")
    text = re.sub(r'(msgstr\[\d\]) ""', r'\1 "x"', file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    assert update(_template(("1 call", "{n} calls")), file, code="pl") == 0
    assert update(_template(("1 call", "{n} phone calls")), file, code="pl") == 1


def _template(*texts: str | tuple[str, str]) -> Catalog:
    catalog = Catalog()
    for text in texts:
        catalog.add(text)
    return catalog


def _marked(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            context = "pgettext" in name
            for argument in node.args[context : MARKS.get(name, 0)]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
                    yield argument.value
