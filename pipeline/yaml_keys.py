"""YAML in which no key stands twice: of two values for one setting only the last would count, and nobody would know."""

from __future__ import annotations

from typing import Any, Final

import yaml

_MERGED: Final = "tag:yaml.org,2002:merge"
"""``<<``, which lays one mapping under another: what stands in both stands there on purpose."""


class KeyTwiceError(yaml.MarkedYAMLError):
    """A key that stands twice in one mapping, with both lines."""


class OneOfEachLoader(yaml.SafeLoader):
    """Plain YAML whose mappings hold each key once."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - the library's own
        """Return a mapping as it is written, before others are merged into it.

        Raises:
            KeyTwiceError: One of its keys stands there twice.
        """
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGED:
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                raise KeyTwiceError(problem=f"'{key.value}' stands twice, in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        return node
