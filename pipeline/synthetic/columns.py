"""A run's history as the shop would export it: Arrow tables, rows known by the export only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic import periods
from pipeline.synthetic.browsing import CHANNELS, LANDING_PAGES, Visits
from pipeline.synthetic.draws import Bools, Draw, Ints, uniforms
from pipeline.synthetic.events import ITEMS, NOTHING, TYPES, Events
from pipeline.synthetic.history import History
from pipeline.synthetic.orders import CATEGORIES
from pipeline.synthetic.orders import CHANNELS as ORDER_CHANNELS
from pipeline.synthetic.people import AGE_BANDS, COUNTRIES, DEVICES, MISSING, SIGNUP_SOURCES, Leads
from pipeline.synthetic.visitors import GROUP, NOBODY, STRANGER

CUSTOMER_TYPES = ("private", "company")
"""What buying for a company or not is called in the files."""

_GIVEN = ("Ana", "Ben", "Cora", "David", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jan", "Kofi", "Lena")
_FAMILY = ("Almeida", "Berg", "Costa", "Dumont", "Eze", "Fischer", "Grant", "Hale", "Ito", "Jones")


def leads_table(history: History) -> pa.Table:
    """Return the leads, one row per version, told apart by ``recorded_at``."""
    leads = history.leads
    changed = np.flatnonzero(leads.changed < periods.end())
    place = np.concatenate([np.arange(len(leads), dtype=np.int64), changed])
    later = np.arange(len(place)) >= len(leads)
    order = np.lexsort((later, place))
    place, later = place[order], later[order]
    recorded = np.where(later, leads.changed[place], leads.created[place])
    versions = _versions(leads, place, later)
    return pa.table(
        {
            "lead_id": _lead_ids(leads).take(pa.array(place)),
            "created_at": _times(leads.created[place]),
            "recorded_at": _times(recorded),
            "name": _names(leads).take(pa.array(place)),
            **versions,
            "signup_source": _words(leads.signup_source[place], SIGNUP_SOURCES),
        }
    )


def orders_table(history: History) -> pa.Table:
    """Return the orders; a cancellation after the export has not happened yet."""
    orders = history.orders.take(history.orders.known < periods.end())
    orders = orders.take(_by_lead(orders.lead, orders.ordered))
    cancelled = orders.cancelled < periods.end()
    with_coupon = orders.discount_cents > 0
    return pa.table(
        {
            "order_id": _ids("o", history.leads, orders.lead),
            "lead_id": _lead_ids(history.leads).take(pa.array(orders.lead)),
            "ordered_at": _times(orders.ordered),
            "recorded_at": _times(orders.known),
            "amount": orders.cents / 100.0,
            "discount": orders.discount_cents / 100.0,
            "coupon": _words(np.where(with_coupon, 0, MISSING), ("WELCOME",)),
            "items": orders.pieces,
            "category": _words(orders.category, CATEGORIES),
            "channel": _words(orders.channel, ORDER_CHANNELS),
            "cancelled_at": _times(np.where(cancelled, orders.cancelled, 0), missing=~cancelled),
        }
    )


def sessions_table(history: History) -> pa.Table:
    """Return the sessions, signed in or not."""
    visits = history.visits.take(history.visits.recorded < periods.end())
    visits = visits.take(_by_lead(visits.maker, visits.started))
    sources, mediums, campaigns = zip(*CHANNELS, strict=True)
    return pa.table(
        {
            "session_id": _ids("s", history.leads, visits.maker),
            "lead_id": _lead_ids(history.leads).take(_places(visits.lead)),
            "visitor_id": _visitor_ids(history, visits),
            "started_at": _times(visits.started),
            "recorded_at": _times(visits.recorded),
            "duration_s": visits.duration,
            "pages": visits.pages,
            "source": _words(visits.channel, sources),
            "medium": _words(visits.channel, mediums),
            "campaign": _words(visits.channel, campaigns),
            "device": _words(visits.device, DEVICES),
            "landing_page": _words(visits.landing, LANDING_PAGES),
        }
    )


def events_table(history: History) -> pa.Table:
    """Return what happened on pages and with e-mails."""
    events = history.events.take(history.events.recorded < periods.end())
    events = events.take(_by_lead(events.maker, events.occurred))
    category = np.where(events.item == NOTHING, MISSING, events.item % len(CATEGORIES))
    mailings = [f"news-{number + 1:02d}" for number in range(periods.PERIODS)]
    return pa.table(
        {
            "event_id": _ids("e", history.leads, events.maker),
            "lead_id": _lead_ids(history.leads).take(_places(events.lead)),
            "visitor_id": _visitor_ids(history, events),
            "occurred_at": _times(events.occurred),
            "recorded_at": _times(events.recorded),
            "type": _words(events.type, TYPES),
            "item": _words(events.item, [f"sku-{item:03d}" for item in range(ITEMS)]),
            "category": _words(category, CATEGORIES),
            "value": pa.array(_price(events.item), mask=events.item == NOTHING),
            "campaign": _words(events.mailing, mailings),
        }
    )


def identities_table(history: History) -> pa.Table:
    """Return the links made by the export, by lead and time."""
    links = history.links
    made = np.lexsort((links.visitor, links.linked, links.lead))
    made = made[links.linked[made] < periods.end()]
    return pa.table(
        {
            "visitor_id": _browser_ids(history.leads).take(pa.array(links.visitor[made])),
            "lead_id": _lead_ids(history.leads).take(pa.array(links.lead[made])),
            "linked_at": _times(links.linked[made]),
        }
    )


def truth_table(history: History) -> pa.Table:
    """Return the best possible probability per lead and as_of, by lead and time."""
    truth = history.truth
    order = np.lexsort((truth.period, truth.lead))
    return pa.table(
        {
            "lead_id": _lead_ids(history.leads).take(pa.array(truth.lead[order])),
            "as_of": _times(periods.starts()[truth.period[order]]),
            "best_probability": truth.probability[order],
        }
    )


def visitor_numbers(history: History) -> tuple[int, int]:
    """Return how many visitors left rows, and how many of them are linked by the export."""
    visits = history.visits.take(history.visits.recorded < periods.end())
    strangers = visits.visitor == STRANGER
    filed = visits.maker[strangers] * 1000 + visits.stranger[strangers]
    browsers = np.unique(visits.visitor[~strangers])
    linked = np.unique(history.links.visitor[history.links.linked < periods.end()])
    return len(browsers) + len(np.unique(filed)), len(np.intersect1d(browsers, linked))


def _versions(leads: Leads, place: Ints, later: Bools) -> dict[str, pa.Array]:
    first, second = leads.first, leads.second

    def codes(old: Ints | Bools, new: Ints | Bools) -> Ints:
        return np.where(later, new[place], old[place]).astype(np.int64)

    employees = codes(first.employees, second.employees)
    return {
        "customer_type": _words(codes(first.company, second.company), CUSTOMER_TYPES),
        "country": _words(codes(first.country, second.country), COUNTRIES),
        "age_band": _words(codes(first.age_band, second.age_band), AGE_BANDS),
        "preferred_device": _words(codes(first.device, second.device), DEVICES),
        "employees": pa.array(employees, mask=employees == MISSING),
        "consent": pa.array(codes(first.consent, second.consent).astype(np.bool_)),
    }


def _by_lead(maker: Ints, moments: Ints) -> Ints:
    return np.argsort((maker << 27) + moments, kind="stable")


def _times(seconds: Ints, *, missing: Bools | None = None) -> pa.Array:
    moments = pa.array(periods.to_us(seconds), mask=missing)
    return moments.cast(pa.timestamp("us", tz="UTC"))


def _words(codes: Ints, words: Sequence[str | None]) -> pa.Array:
    return pa.array(words, type=pa.string()).take(pa.array(codes, mask=codes < 0))


def _places(lead: Ints) -> pa.Array:
    return pa.array(lead, mask=lead == NOBODY)


def _numbered(letter: str, numbers: Ints, *, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(letter, digits, "")


def _lead_ids(leads: Leads) -> pa.Array:
    return _numbered("L", leads.number, width=7)


def _names(leads: Leads) -> pa.Array:
    given = (uniforms(leads.keys, Draw.GIVEN_NAME) * len(_GIVEN)).astype(np.int64)
    family = (uniforms(leads.keys, Draw.FAMILY_NAME) * len(_FAMILY)).astype(np.int64)
    return pc.binary_join_element_wise(_words(given, _GIVEN), _words(family, _FAMILY), " ")


def _browser_ids(leads: Leads) -> pa.Array:
    groups = np.unique(leads.number // GROUP)
    return pa.concat_arrays([_numbered("b", leads.number, width=7), _numbered("k", groups, width=6)])


def _visitor_ids(history: History, rows: Visits | Events) -> pa.Array:
    """Browsers and kiosks by their code, strangers by where they are filed, mails without."""
    is_stranger = (rows.visitor == STRANGER) & (rows.stranger >= 0)
    known = _browser_ids(history.leads).take(pa.array(rows.visitor, mask=rows.visitor < 0))
    number = history.leads.number[rows.maker] * 100 + rows.stranger
    strangers = _numbered("x", number[is_stranger], width=9)
    return pc.replace_with_mask(known, pa.array(is_stranger), strangers)


def _ids(letter: str, leads: Leads, maker: Ints) -> pa.Array:
    """Ids of rows sorted by maker: the maker's number and the row's place among its own."""
    place = np.arange(len(maker)) - np.searchsorted(maker, maker, side="left")
    return _numbered(letter, leads.number[maker] * 100_000 + place, width=12)


def _price(item: Ints) -> np.ndarray:
    return (500 + item * 7919 % 20_000) / 100.0
