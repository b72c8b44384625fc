"""From settings to the question and the catalog that `features` computes."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from features import conditions, families
from features.catalog import Feature, Measure, Phrase, over_windows
from features.cohorts import Cohort
from features.errors import LeadlightError, wrong_input
from features.labels import Conversion
from features.plan import DIRECT
from features.rfm import rfm_features
from features.snapshots import Grid, Trigger
from features.training_table import Question
from models.points_card import PointsCard
from models.points_card_columns import BoundCard, bind
from pipeline import segmenting
from pipeline.points_file import read_card
from pipeline.settings import Settings
from pipeline.settings_features import OwnFeature, OwnMeasure
from pipeline.settings_question import QuestionSettings, SnapshotSettings


def question(settings: Settings) -> Question:
    """Return the question that the config asks."""
    asked = settings.question
    return Question(
        conversion=_conversion(asked),
        snapshots=_snapshots(asked.snapshots),
        cohort=Cohort(asked.cohort.who, conditions.parse(asked.cohort.where)),
        horizon_days=asked.horizon_days,
        settle_days=asked.settle_days,
        zone=settings.shop.time_zone,
    )


def catalog(
    settings: Settings, *, available: Mapping[str, AbstractSet[str]], event_types: AbstractSet[str] | None = None
) -> tuple[Feature, ...]:
    """Return the features that the config wants of the tables at hand.

    Args:
        settings: The shop's config.
        available: Columns per timeline table.
        event_types: The types of events that occur, or None where unknown.
    """
    wanted = settings.features
    found = families.catalog(
        available,
        families.Choice(
            windows=tuple(sorted(wanted.windows)),
            families=tuple(wanted.families),
            added=_own_features(settings),
            dropped=tuple(wanted.drop),
            event_types={ours: tuple(names) for ours, names in wanted.event_types.items()},
        ),
        attributes=_attributes_of_model(settings, available),
        trigger=_trigger_columns(settings),
        event_types=event_types,
    )
    segmenting.refuse_sensitive(settings, found)
    return found


def beside(
    settings: Settings, *, available: Mapping[str, AbstractSet[str]], event_types: AbstractSet[str] | None = None
) -> tuple[Feature, ...]:
    """Return the columns that judges read and the model does not.

    Args:
        settings: The shop's config.
        available: Columns per timeline table.
        event_types: The types of events that occur, or None where unknown.

    Raises:
        LeadlightError: The config names a points card that has faults or reads what is not there.
    """
    found = (*rfm_features(available), *segmenting.columns(settings, attributes(settings, available)))
    if settings.points.card is None:
        return found
    names = {feature.name for feature in found}
    card = points_card(settings, available=available, event_types=event_types)
    return (*found, *(feature for feature in card.features if feature.name not in names))


def points_card(
    settings: Settings, *, available: Mapping[str, AbstractSet[str]], event_types: AbstractSet[str] | None = None
) -> BoundCard:
    """Return the points card that the config names, with what it reads of the tables at hand.

    Args:
        settings: The shop's config, with ``points.card``.
        available: Columns per timeline table.
        event_types: The types of events that occur, or None where unknown.

    Raises:
        LeadlightError: The config names no card, or the card has faults or reads what is not there.
    """
    return bound(settings, named_card(settings), available=available, event_types=event_types)


def bound(
    settings: Settings,
    card: PointsCard,
    *,
    available: Mapping[str, AbstractSet[str]],
    event_types: AbstractSet[str] | None = None,
) -> BoundCard:
    """Return *card*, whoever names it, with what it reads of the tables at hand.

    Raises:
        LeadlightError: It reads what is not there.
    """
    return bind(
        card,
        available=available,
        attributes=attributes(settings, available),
        catalog=catalog(settings, available=available, event_types=event_types),
    )


def named_card(settings: Settings) -> PointsCard:
    """Return the points card that the config names.

    Raises:
        LeadlightError: The config names no card, or the card has faults.
    """
    if settings.points.card is None:
        raise _no_card_named()
    return read_card(settings.points.card)


def _no_card_named() -> LeadlightError:
    hint = "write one with `leadlight points init`, and name it in the config under points: {card: points.yaml}."
    return wrong_input("The config names no points card.", hint=hint)


def _conversion(asked: QuestionSettings) -> Conversion:
    where = conditions.parse(asked.conversion.where)
    if asked.conversion.minimum_amount is not None:
        # Beside what `where` asks of the amount: all conditions must hold.
        where += conditions.parse({"amount": {"min": asked.conversion.minimum_amount}})
    return Conversion(asked.conversion.table, conditions.canonical(where))


def _snapshots(asked: SnapshotSettings) -> Grid | Trigger:
    if asked.trigger is not None:
        trigger = asked.trigger
        return Trigger(trigger.table, conditions.parse(trigger.where), trigger.match, trigger.until)
    if asked.every.endswith("mo"):
        return Grid(months=int(asked.every[:-2]), first=asked.first, last=asked.last)
    days = int(asked.every[:-1]) * (7 if asked.every.endswith("w") else 1)
    return Grid(days=days, first=asked.first, last=asked.last)


def attributes(settings: Settings, available: Mapping[str, AbstractSet[str]]) -> dict[str, str]:
    """Return the usable attributes; those left out at ingest are not among the columns."""
    kept = available.get("attributes", set())
    mapped = {
        name: spec.type for source in settings.tables.get("leads", []) for name, spec in source.attributes.items()
    }
    return {name: kind for name, kind in mapped.items() if name in kept and kind in ("text", "number")}


def _attributes_of_model(settings: Settings, available: Mapping[str, AbstractSet[str]]) -> dict[str, str]:
    """Return the usable attributes that the model may read."""
    kept_out = segmenting.kept_out(settings)
    return {name: kind for name, kind in attributes(settings, available).items() if name not in kept_out}


def _trigger_columns(settings: Settings) -> dict[str, str] | None:
    trigger = settings.question.snapshots.trigger
    if trigger is None:
        return None
    extra = {
        name: spec.type for source in settings.tables.get(trigger.table, []) for name, spec in source.extra.items()
    }
    return {name: kind for name, kind in extra.items() if kind in ("text", "number")}


def _own_features(settings: Settings) -> tuple[Feature, ...]:
    windows = tuple(settings.features.windows)
    return tuple(found for own in settings.features.add for found in _expanded(own, windows))


def _expanded(own: OwnFeature, windows: tuple[int, ...]) -> list[Feature]:
    words = own.name.replace("_", " ")
    feature = Feature(
        name=own.name,
        family=own.family,
        kind=own.kind,
        unit=own.unit,
        concept=own.concept or own.name,
        phrase=Phrase(
            own.phrase.many or "{name}: {n}", own.phrase.one, own.phrase.zero, own.phrase.missing, name=words
        ),
        description=own.description or f"{words} {{window}}.",
        monotone=own.monotone,
        measure=_measure(own.measure),
    )
    if own.measure.kind in DIRECT:
        return [feature]
    chosen = tuple(0 if window == "ever" else window for window in own.windows) or windows
    return over_windows(feature, chosen)


def _measure(own: OwnMeasure) -> Measure:
    return Measure(
        kind=own.kind,
        table=own.table,
        where=conditions.parse(own.where),
        column=own.column,
        of=conditions.parse(own.of),
        long_window=own.long_window,
        since_table=own.since_table,
        since_where=conditions.parse(own.since_where),
        half_life=own.half_life,
    )
