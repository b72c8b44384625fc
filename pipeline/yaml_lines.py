"""A mapping on one line of YAML, as points cards spell their rules."""

from collections.abc import Mapping

import yaml


def one_line(values: Mapping[str, object]) -> str:
    """Return *values* in braces, in their order and never wrapped: ``{name: ordered, points: 5}``."""
    text = yaml.safe_dump(dict(values), default_flow_style=True, sort_keys=False, allow_unicode=True, width=2**31)
    return str(text).strip()
