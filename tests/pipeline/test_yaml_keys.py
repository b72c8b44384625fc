"""A config in which a key stands twice says which, and where; mappings that are merged may meet."""

import pytest

from features.errors import LeadlightError
from pipeline.settings import load, read_yaml

CONFIG = "shop: {name: Tiny shop}\ntables:\n  orders: {path: orders.csv}\n"


def read(tmp_path, text):
    """Return what a file of that text holds."""
    path = tmp_path / "leadlight.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{CONFIG}shop: {{name: Other}}\n", "'shop' stands twice, in lines 1 and 4"),
        (f"{CONFIG}  'orders':\n    path: others.csv\n", "'orders' stands twice, in lines 3 and 4"),
        ("a:\n  - b: 1\n    c: {d: 1, d: 2}\n", "'d' stands twice, in lines 3 and 3"),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path, text, said):
    """At whatever depth, however it is quoted: of two values only the last would count."""
    with pytest.raises(LeadlightError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)


def test_the_same_key_in_different_places_is_fine(tmp_path):
    """Two tables may each have a path."""
    assert read(tmp_path, f"{CONFIG}  carts: {{path: carts.csv}}\n")["tables"]["carts"] == {"path": "carts.csv"}


def test_what_is_merged_may_be_said_otherwise(tmp_path):
    """A mapping laid under another, or two of them, leaves keys that stand in both; the nearer ones count."""
    text = "a: &a {x: 1, y: 1}\nb: &b {z: 2}\ndeep: {c: &c {<<: *a, <<: *b, x: 3}}\nd: {<<: *c, y: 4}\n"
    found = read(tmp_path, text)
    assert found["deep"]["c"] == {"x": 3, "y": 1, "z": 2}
    assert found["d"] == {"x": 3, "y": 4, "z": 2}


def test_whoever_loads_the_config_is_told(tmp_path):
    """The path of the file stands in the message."""
    path = tmp_path / "leadlight.yaml"
    path.write_text(f"{CONFIG}tables: {{}}\n", encoding="utf-8")
    with pytest.raises(LeadlightError, match=r"leadlight\.yaml' has faults"):
        load(path)
