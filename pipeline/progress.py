"""How long work tells how far it has come, without knowing who listens."""

from collections.abc import Callable

NEWS = " · "
"""What stands behind this in a step's words is news of that step, not another one: "tuning · best 0.231"."""

#: Called with the step in a person's words, how much of it is done, and how much there is (0: unknown).
Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Tell nobody."""
