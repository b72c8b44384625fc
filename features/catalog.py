"""The declarative catalog: what a feature measures, and how it is said to a marketer.

A feature is a signal (the rows of one table that meet conditions), a measure of it, and a
window; plus family, unit and the phrase that explains it. The kernel computes what stands here;
nothing else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from features.conditions import Conditions, parse, spell

FAMILIES = ("purchase", "engagement", "funnel", "acquisition", "fit", "calendar")
"""Families of features, in the order in which they are shown."""
FIT_FAMILIES = ("acquisition", "fit")
"""The families of the axis *fit*: who the lead is. All others are *engagement*."""

MEASURES = {
    "count": "number of rows",
    "sum": "sum of a column",
    "mean": "mean of a column over the rows that have it",
    "share": "rows that also meet `of`, as a share of all rows",
    "rate": "rows that meet `of`, per row of the signal",
    "distinct": "number of different values of a column",
    "first": "a column's value in the earliest row",
    "last": "a column's value in the latest row",
    "days_since_first": "days from the earliest row to as_of",
    "days_since_last": "days from the latest row to as_of",
    "mean_gap": "mean days between consecutive rows",
    "overdue": "days since the latest row over the mean gap",
    "trend": "rows a day in the window over rows a day in `long_window`",
    "open_count": "rows since the latest row of `since`",
    "open_sum": "sum of a column over the rows since the latest row of `since`",
    "open_age": "days since the earliest row after the latest row of `since`",
    "decayed_linear": "rows, each counting 1 less its age over the window",
    "decayed_half_life": "rows, each counting half as much after every `half_life` days",
    "trigger": "a column of the row that pulled the trigger",
    "trigger_days": "length of the label window that the trigger opens, in days",
    "lead_age": "days since the lead exists",
    "weekday": "local day of the week of as_of, 1 = Monday",
    "month": "local month of as_of",
    "day_of_month": "local day of the month of as_of",
}
"""Every measure and what it means; ``share`` … ``open_age`` are missing without rows to measure."""


@dataclass(frozen=True)
class Phrase:
    """How a feature is said in English: whole phrases, since other languages inflect and order their words otherwise.

    ``{n}`` stands for the formatted value, ``{change}`` for a ratio told as a rise or a fall, ``{window}`` and
    ``{name}`` for what stands below. They are filled in when a phrase is read, in the language of the reader.

    Attributes:
        many: For any other value ("{n} orders {window}").
        one: For exactly 1; empty means `many`.
        zero: For 0; empty means `many`.
        missing: For a missing value; empty means "{name} not known".
        name: What the shop calls the thing measured; empty means the feature's name.
        window: Days looked back, as ``{window}`` says them; 0 = so far.
    """

    many: str
    one: str = ""
    zero: str = ""
    missing: str = ""
    name: str = ""
    window: int = 0


@dataclass(frozen=True)
class Measure:
    """What the sweep computes for one feature.

    Attributes:
        kind: One of `MEASURES`.
        table: The table whose rows are measured; empty for calendar and lead age.
        where: The rows that make the signal.
        column: The column measured, where the kind needs one.
        window: Days looked back from as_of; 0 = since the data begin.
        of: For ``share``: what the counted rows must meet besides `where`; for ``rate``: instead of it.
        long_window: For ``trend``: days of the longer window.
        since_table: For ``open_*``: the table whose latest row closes what was open.
        since_where: For ``open_*``: which rows of that table close it.
        half_life: For ``decayed_half_life``: days after which a row counts half.
        is_partial: Whether a window that reaches before the data holds what there is; else it is missing.
    """

    kind: str
    table: str = ""
    where: Conditions = ()
    column: str = ""
    window: int = 0
    of: Conditions = ()
    long_window: int = 0
    since_table: str = ""
    since_where: Conditions = ()
    half_life: int = 0
    is_partial: bool = False


@dataclass(frozen=True)
class Feature:
    """One column of the training table.

    Attributes:
        name: Column name: subject, measure, window.
        family: One of `FAMILIES`.
        kind: ``number`` or ``category``.
        unit: count | money | days | share | ratio | seconds | pages | category | number.
        concept: Features of one concept give one reason.
        phrase: The words for a marketer.
        description: One line for the data dictionary.
        monotone: -1, 0 or 1: the direction a shop knows to be true.
        measure: How it is computed; None for a column that was brought ready-made.
    """

    name: str
    family: str
    kind: str
    unit: str
    concept: str
    phrase: Phrase
    description: str
    monotone: int = 0
    measure: Measure | None = None

    @property
    def axis(self) -> str:
        """The axis of the score it belongs to: ``fit`` or ``engagement``."""
        return "fit" if self.family in FIT_FAMILIES else "engagement"


def window_name(window: int) -> str:
    """Return the suffix that names a window: ``30d``, or ``ever``."""
    return f"{window}d" if window else "ever"


def window_words(window: int) -> str:
    """Return a window as English words that end a description: "in the last 30 days", "so far"."""
    if not window:
        return "so far"
    return "in the last day" if window == 1 else f"in the last {window} days"


def over_windows(feature: Feature, windows: tuple[int, ...]) -> list[Feature]:
    """Return *feature* once per window, its name suffixed and its phrase told which window it speaks of.

    Example:
        ``orders_count`` over (30, 0) gives ``orders_count_30d`` and ``orders_count_ever``.
    """
    return [_in_window(feature, window) for window in windows]


def as_dict(feature: Feature) -> dict[str, object]:
    """Return *feature* as plain data for JSON; `from_dict` reads it back equal."""
    data = asdict(replace(feature, measure=None))
    if feature.measure is not None:
        measure = asdict(feature.measure)
        for name in ("where", "of", "since_where"):
            measure[name] = spell(getattr(feature.measure, name))
        data["measure"] = measure
    return data


def from_dict(data: Mapping[str, object]) -> Feature:
    """Return the feature that `as_dict` wrote."""
    plain = dict(data)
    phrase = Phrase(**plain.pop("phrase"))  # type: ignore[arg-type]
    spelled = plain.pop("measure", None)
    measure = None
    if spelled is not None:
        fields = dict(spelled)  # type: ignore[call-overload]
        for name in ("where", "of", "since_where"):
            fields[name] = parse(fields[name])
        measure = Measure(**fields)
    return Feature(phrase=phrase, measure=measure, **plain)  # type: ignore[arg-type]


def _in_window(feature: Feature, window: int) -> Feature:
    return replace(
        feature,
        name=f"{feature.name}_{window_name(window)}",
        phrase=replace(feature.phrase, window=window),
        description=feature.description.replace("{window}", window_words(window)),
        measure=replace(feature.measure, window=window) if feature.measure else None,
    )
