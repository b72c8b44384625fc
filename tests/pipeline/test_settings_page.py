"""The page of settings says what the settings say."""

from typing import Literal

from pydantic import BaseModel, Field

from pipeline.settings_page import rows


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
