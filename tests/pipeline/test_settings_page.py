"""The page of settings says what the settings say."""

from typing import Literal

from pydantic import BaseModel, Field

from pipeline.crm.kinds import kind_of
from pipeline.settings_page import page, rows


class Leaf(BaseModel):
    colour: Literal["red", "blue"] = Field("red", description="Its colour.")
    size: int | None = Field(None, description="Its size.")


class Root(BaseModel):
    leaves: dict[str, list[Leaf]] = Field(description="All of them.")
    name: str = Field(description="Its name.")
    on: bool = Field(default=False, description="Whether.")
    leaf: Leaf = Field(default_factory=Leaf, description="One of them.")
    more: list[Leaf] = Field(default_factory=lambda: [Leaf(colour="blue")], description="Some of them.")


def test_every_setting_has_a_row_with_place_default_and_meaning():
    """Sections are followed through dicts and lists down to single settings."""
    assert list(rows(Root)) == [
        ("leaves", "required", "All of them."),
        ("leaves.NAME[].colour", "`red`", "Its colour. One of `red`, `blue`."),
        ("leaves.NAME[].size", "none", "Its size."),
        ("name", "required", "Its name."),
        ("on", "`false`", "Whether."),
        ("leaf", "see below", "One of them."),
        ("leaf.colour", "`red`", "Its colour. One of `red`, `blue`."),
        ("leaf.size", "none", "Its size."),
        ("more", "`[{colour: blue}]`", "Some of them."),
        ("more[].colour", "`red`", "Its colour. One of `red`, `blue`."),
        ("more[].size", "none", "Its size."),
    ]


def test_every_option_of_a_connector_has_a_row_below_its_kind():
    """By the name that a config gives it."""
    below = dict(part.split("`\n", 1) for part in page().split("## `crm.NAME.connect` of the kind `")[1:])
    assert list(below) == ["file", "sql", "hubspot", "salesforce", "marketo", "webhook"]
    for name, table in below.items():
        for option, field in kind_of(name).options.model_fields.items():
            assert f"| `crm.NAME.connect.{field.alias or option}` |" in table
