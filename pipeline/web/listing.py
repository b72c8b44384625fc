"""One page of the list: each lead with its top reasons, its next action, and what people said since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from markupsafe import Markup

from models.holds import OVERRIDE
from pipeline import labels
from pipeline.marks import CONTACTED, Mark, hold_of
from pipeline.published.asks import Ask
from pipeline.published.editions import Edition
from pipeline.published.keys import of_lead
from pipeline.published.list_columns import PERSONAL
from pipeline.published.rows import ListRow
from pipeline.published.run_info import Choice
from pipeline.web.filters import Wish, ask_of
from pipeline.web.harmless import plain
from pipeline.web.speech import templates
from pipeline.web.visit import Visit
from pipeline.web.visit import labels as labels_of
from pipeline.web.words import Scorer


@dataclass(frozen=True)
class Why:
    """One reason in a list: its sentence, and whole points."""

    text: str
    points: int


@dataclass(frozen=True)
class Standing:
    """What people said about a lead, as it stands now.

    Attributes:
        hold: The hold that keeps it from being contacted, or None.
        contacted: The newest word that somebody contacted it, or None.
    """

    hold: Mark | None = None
    contacted: Mark | None = None

    def held(self, codes: Sequence[str]) -> tuple[str, ...]:
        """Return why the lead must be left alone now, given the codes that the run found."""
        without = tuple(code for code in codes if code != OVERRIDE)
        return (*without, OVERRIDE) if self.hold is not None else without


@dataclass(frozen=True)
class Shown:
    """One lead as a list shows it.

    Attributes:
        row: The stored row.
        key: How addresses name the lead.
        name: What people call it: its name where the config allows, else its id.
        reasons: The strongest reasons, in words.
        held: Why it must be left alone, as of now.
        standing: What people said about it.
    """

    row: ListRow
    key: str
    name: str
    reasons: list[Why]
    held: tuple[str, ...]
    standing: Standing = field(default_factory=Standing)


@dataclass(frozen=True)
class Listing:
    """A page of the list.

    Attributes:
        wish: What was asked.
        leads: Those on this page.
        total: How many leads there are under these filters.
        next, previous: Where the neighbouring pages begin and end; empty = there is none.
        choices: Every filter's values, with how many leads have each.
    """

    wish: Wish
    leads: list[Shown]
    total: int
    next: str
    previous: str
    choices: Mapping[str, Sequence[Choice]]


def listing(visit: Visit, edition: Edition, wish: Wish) -> Listing:
    """Return the page of the list that *wish* asks for."""
    found = edition.page(asked(visit, edition, wish))
    return Listing(
        wish=wish,
        leads=shown(visit, edition, found.rows),
        total=found.total,
        next=found.next.text if found.next else "",
        previous=found.previous.text if found.previous else "",
        choices=offered(visit, edition),
    )


def _by_effort(choice: Choice) -> tuple[int, int]:
    """Order actions as a morning goes: what people must do themselves first, waiting last; a shop's own between."""
    known = list(labels.ACTIONS)
    place = known.index(choice.value) if choice.value in known else len(known) - 1.5
    return (int(2 * place), -choice.leads)


def offered(visit: Visit, edition: Edition) -> Mapping[str, Sequence[Choice]]:
    """Return what each filter offers; owners where the config lets people be named, actions as a morning goes."""
    found = dict(edition.choices())
    if "owner" not in visit.house.settings.app.personal:
        found["owners"] = ()
    return {**found, "actions": sorted(found.get("actions", ()), key=_by_effort)}


def asked(visit: Visit, edition: Edition, wish: Wish) -> Ask:
    """Return *wish* as this edition is asked."""
    return ask_of(wish, edition.choices(), _overridden(visit) if wish.held else None)


def _overridden(visit: Visit) -> frozenset[int]:
    """Return the keys of the leads that people hold now."""
    return frozenset(map(of_lead, visit.house.marks.held(visit.now)["lead_id"].to_pylist()))


def shown(visit: Visit, edition: Edition, rows: Sequence[ListRow]) -> list[Shown]:
    """Return rows of a list as people read them."""
    scorer = visit.house.words.of(edition.run.model_version)
    standings = standings_of(visit, [row.lead_id for row in rows])
    said = (edition.id, visit.said.locale)
    told = [visit.house.told.get((*said, row.position), partial(_told, visit, row, scorer)) for row in rows]
    return [_standing_as(one, standings[one.row.lead_id]) if one.row.lead_id in standings else one for one in told]


def drawn(visit: Visit, edition: Edition, lead: Shown) -> Markup:
    """Return a row of the list as HTML."""
    label = labels_of(visit, edition)

    def draw() -> Markup:
        row: Markup = templates(visit.said).get_template("lead_row.html").module.lead_row(lead, label)  # type: ignore[attr-defined]
        return row

    return visit.house.drawn.get((edition.id, visit.said.locale, lead.row.position, lead.standing), draw)


def standings_of(visit: Visit, lead_ids: Sequence[str]) -> Mapping[str, Standing]:
    """Return what people said about these leads, as it stands now; leads without a word are absent."""
    marks = visit.house.marks.of_leads(lead_ids)
    return {lead_id: standing(of_lead, visit.now) for lead_id, of_lead in marks.items()}


def standing(marks: Sequence[Mark], now: datetime) -> Standing:
    """Return how the marks of one lead, newest first, stand at *now*."""
    contacted = next((mark for mark in marks if mark.kind == CONTACTED and not mark.is_withdrawn), None)
    return Standing(hold_of(marks, now), contacted)


def name_of(row: ListRow) -> str:
    """Return what people call a lead: its name where the list has one, else its id."""
    return plain(row.display_name) or plain(row.lead_id)


def words_of(stored: Sequence[Mapping[str, Any]] | None, scorer: Scorer, visit: Visit) -> list[Why]:
    """Return stored reasons in words."""
    currency = visit.house.settings.shop.currency
    return [
        Why(scorer.why(one, currency=currency, language=visit.said), round(one["points"] / 100)) for one in stored or ()
    ]


def _told(visit: Visit, row: ListRow, scorer: Scorer) -> Shown:
    """Return a lead that nobody said anything about."""
    allowed = visit.house.settings.app.personal
    # What may not be shown is not stored either, unless the config was another one then.
    hidden: dict[str, Any] = {name: None for name in PERSONAL if name not in allowed and getattr(row, name) is not None}
    seen = replace(row, **hidden) if hidden else row
    reasons = words_of(row.reasons, scorer, visit)
    return Shown(seen, key=row.key, name=name_of(seen), reasons=reasons, held=Standing().held(row.held or ()))


def _standing_as(lead: Shown, said: Standing) -> Shown:
    """Return a lead that people said something about."""
    return replace(lead, held=said.held(lead.row.held or ()), standing=said)
