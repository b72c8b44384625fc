"""docs/playbook.md: everything that rules may ask stands there, and its example is a config that loads."""

import os
from pathlib import Path

import pytest
import yaml

from features.situation import FACTS
from models.decision_facts import VOCABULARY
from models.holds import CODES
from pipeline.settings import parse

#: The tests may run from a copy of their own, which has no docs.
CHECKOUT = Path(os.environ.get("LEADLIGHT_CHECKOUT", Path(__file__).parents[2]))
PAGE = CHECKOUT / "docs" / "playbook.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [part.split("```")[0] for part in TEXT.split("```yaml\n")[1:]]


@pytest.mark.parametrize("name", [*VOCABULARY, *CODES, "stage"])
def test_every_name_is_explained(name):
    """What a rule may ask, and why a lead may be held, is told."""
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_explained_as_the_code_explains_it(name):
    """The page and the vocabulary say the same."""
    assert f"| `{name}` | {FACTS[name].means.removesuffix('.')}" in TEXT


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_settings(example):
    """What a reader copies loads."""
    tables = {"leads": {"path": "leads.csv", "attributes": {"employees": "number"}}}
    assert parse({"shop": {"name": "S"}, "tables": tables, **yaml.safe_load(example)}, place=Path("shop.yaml"))
